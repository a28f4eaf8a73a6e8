"""How commands speak: findings on standard error, or as JSON on standard output, and their exit codes."""

import json
from collections.abc import Iterable
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from agen_authz.config import Loaded
    from agen_authz.core.errors import Problem


class Exit(IntEnum):
    """What a command's exit code says."""

    OK = 0
    FINDING = 1
    MISUSE = 2


def show_problems(problems: Iterable["Problem"], *, as_json: bool) -> None:
    """Show configuration problems, one a line, or as one JSON object."""
    if as_json:
        rows = [
            {
                "file": item.file,
                "line": item.line,
                "path": item.path,
                "message": item.message,
                "cure": item.cure,
            }
            for item in problems
        ]
        typer.echo(json.dumps({"ok": False, "problems": rows}))
        return
    for problem in problems:
        typer.echo(str(problem), err=True)


def load_or_exit(file: Path, *, secrets: bool, as_json: bool) -> "Loaded":
    """Load a configuration, or show all that is wrong with it and exit 1; 2 if there is no such file."""
    from agen_authz.config import load
    from agen_authz.core.errors import ConfigError

    try:
        return load(file, secrets=secrets)
    except ConfigError as exc:
        show_problems(exc.problems, as_json=as_json)
        raise typer.Exit(Exit.FINDING if file.is_file() else Exit.MISUSE) from exc
