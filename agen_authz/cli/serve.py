"""`agen-authz serve` and `migrate`."""

import asyncio
import json
import signal
from pathlib import Path
from typing import Annotated

import typer

from agen_authz.cli.output import Exit, load_or_exit, show_problems

ConfigFile = Annotated[Path, typer.Option("--config", help="The configuration file.", metavar="FILE")]


def serve(config: ConfigFile) -> None:
    """Answer Envoy's Check and Process calls until SIGTERM or SIGINT.

    A supervisor starts one process that decides and `server.filter_workers` that inspect responses, watches over them
    and starts them again. It ends with code 1 if one of them ends ten times within five minutes.

    Example: agen-authz serve --config agen.yaml
    """
    from agen_authz.app.logs import set_up_logs
    from agen_authz.app.run import run
    from agen_authz.app.supervisor.link import NurseryLost
    from agen_authz.app.supervisor.place import WorkerGaveUp
    from agen_authz.core.errors import ConfigError

    # It would end a process that does not wait for it yet. A file that changes meanwhile is found changed (app/run.py).
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    loaded = load_or_exit(config, secrets=True, as_json=False)
    set_up_logs()
    try:
        run(loaded)
    except ConfigError as exc:
        show_problems(exc.problems, as_json=False)
        raise typer.Exit(Exit.FINDING) from exc
    except (WorkerGaveUp, NurseryLost) as exc:
        typer.echo(f"agen-authz: {exc}", err=True)
        raise typer.Exit(Exit.FINDING) from exc


def migrate(
    config: ConfigFile,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Bring the store to the format of this version. Running it again changes nothing.

    Example: agen-authz migrate --config agen.yaml
    """
    from agen_authz.app.state import migrate_state
    from agen_authz.core.errors import ConfigError

    loaded = load_or_exit(config, secrets=False, as_json=as_json)
    try:
        steps = asyncio.run(migrate_state(loaded))
    except ConfigError as exc:
        show_problems(exc.problems, as_json=as_json)
        raise typer.Exit(Exit.FINDING) from exc
    if as_json:
        typer.echo(json.dumps({"ok": True, "steps": steps}))
        return
    typer.echo("\n".join(steps) if steps else "the store is up to date")
