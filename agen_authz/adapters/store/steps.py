"""Alembic's steps from one version of the store to the next; imported only if there is one to take."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionError
from alembic.util.exc import CommandError

from agen_authz.adapters.store.revision import UnknownRevisionError

_MIGRATIONS = Path(__file__).parent / "migrations"


def newest() -> str:
    """Name the newest revision."""
    return str(ScriptDirectory.from_config(_configure()).get_current_head())


def take_steps(connection: sa.Connection, revision: str | None) -> list[str]:
    """Bring a database from a revision, None for an empty one, to the newest; return the revisions on the way.

    Raises:
        UnknownRevisionError: a newer version made it.
    """
    config = _configure()
    config.attributes["connection"] = connection
    try:
        steps = list(ScriptDirectory.from_config(config).iterate_revisions("head", revision or "base"))
        command.upgrade(config, "head")
    except (CommandError, RevisionError) as exc:
        raise UnknownRevisionError(str(exc)) from exc
    return [step.revision for step in reversed(steps)]


def _configure() -> AlembicConfig:
    config = AlembicConfig()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config
