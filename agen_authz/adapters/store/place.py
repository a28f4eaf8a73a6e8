"""Where a store is: what SQLite and PostgreSQL each know of it, so that everything else is written once."""

from collections.abc import Mapping
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from agen_authz.core.errors import ConfigError, Problem


class StorePlace(Protocol):
    """A file or a database that a URL names."""

    @property
    def name(self) -> str:
        """How problems name it; never with a password."""

    @property
    def path(self) -> str:
        """The key of the configuration that problems name."""

    @property
    def another(self) -> str:
        """What operators name if this one cannot be used: `file` or `database`."""

    @property
    def migration_wait_s(self) -> float:
        """How long another process that migrates it is waited for."""

    @property
    def drivers(self) -> tuple[str, ...]:
        """The modules that are loaded when it is first used."""

    @property
    def reads_with(self) -> Mapping[str, object]:
        """How statements that change nothing are run: as one picture of all tables."""

    def is_there(self) -> bool:
        """False if it is known without asking that there is no store."""

    def prepare(self) -> None:
        """Make what must be there before a connection is made.

        Raises:
            ConfigError: it cannot be made.
        """

    def find_obstacle(self) -> Problem | None:
        """Describe what would prevent `prepare` or a connection, as far as it is known without making either."""

    def build_engine(self, wait_s: float) -> AsyncEngine:
        """Build what opens connections; a statement takes `wait_s` at most."""

    def build_reader(self, wait_s: float) -> AsyncEngine:
        """Build what opens connections that write nothing."""

    def build_migrator(self, wait_s: float) -> AsyncEngine:
        """Build what opens connections for steps to this version, which take as long as they take."""

    def lock(self, connection: sa.Connection, wait_s: float) -> None:
        """Keep all others from migrating it until the transaction ends."""

    def explain(self, exc: Exception) -> tuple[str, str]:
        """Explain why it did not answer: a message and what to do."""


def refuse(place: StorePlace, message: str, cure: str) -> ConfigError:
    """Build the error that a place causes."""
    return ConfigError((Problem(place.name, None, place.path, message, cure),))
