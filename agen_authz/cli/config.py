"""`agen-authz check-config` and `config-schema`."""

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer

from agen_authz.cli.output import Exit, load_or_exit, show_problems


def check_config(
    file: Annotated[Path, typer.Argument(help="The configuration file.", metavar="FILE")],
    no_secrets: Annotated[
        bool, typer.Option("--no-secrets", help="Check only the file; secrets and certificates need not exist.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Check a configuration; report every mistake at once, each with file, line and what to do.

    Whatever `serve` would refuse on this machine fails, such as a store whose folder is missing. With --no-secrets
    the file is checked by itself, for another machine: secrets and the store are not looked at.

    Example: agen-authz check-config agen.yaml --no-secrets
    """
    from agen_authz.config import unbuilt, weakened

    loaded = load_or_exit(file, secrets=not no_secrets, as_json=as_json)
    if not no_secrets:
        from agen_authz.app.startable import find_refusals

        refusals = asyncio.run(find_refusals(loaded))
        if refusals:
            show_problems(refusals, as_json=as_json)
            raise typer.Exit(Exit.FINDING)
    notes = unbuilt(loaded)
    weak = weakened(loaded.config)
    if as_json:
        not_yet = [{"line": note.line, "path": note.path, "message": note.message} for note in notes]
        typer.echo(json.dumps({"ok": True, "not_available_yet": not_yet, "weakened": list(weak)}))
        return
    for note in notes:
        typer.echo(f"note: {note}")
    for setting in weak:
        typer.echo(f"note: `{setting}` weakens this sidecar")
    typer.echo(f"{file}: ok")


def config_schema() -> None:
    """Print the JSON Schema of the configuration file.

    Example: agen-authz config-schema > agen.schema.json
    """
    from agen_authz.config import schema

    typer.echo(json.dumps(schema(), indent=2))
