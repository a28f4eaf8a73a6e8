"""`agen-authz policy import`: Agen's policies in the form of this configuration."""

import json
import re
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from agen_authz.cli.output import Exit

_MAX_DEPTH = 64
_SERVER = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


def import_policies(
    file: Annotated[
        Path, typer.Argument(help="Agen's policies as JSON, or `terraform show -json` of their state.", metavar="FILE")
    ],
    state: Annotated[str, typer.Option("--state", help="The state of enabled policies: shadow or enforce.")] = "shadow",
    server: Annotated[str, typer.Option("--server", help="The resource whose tools the policies name.")] = "*",
    catalog: Annotated[
        list[str] | None,
        typer.Option("--catalog", help="Agen's tools as JSON, for policies that name them by id.", metavar="FILE"),
    ] = None,
    app: Annotated[
        list[str] | None,
        typer.Option("--app", help="An application's resource; repeatable.", metavar="ID=NAME"),
    ] = None,
    *,
    patterns: Annotated[
        list[str] | None, typer.Option("--patterns", help="Agen's masking patterns as JSON.", metavar="FILE")
    ] = None,
    flow: Annotated[str, typer.Option("--flow", help="The flow for what must be approved.", metavar="NAME")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Convert Agen's policies: print `policies` and `data_protection`, or an error for each without an equivalent.

    Example: agen-authz policy import agen-policies.json --server crm > policies.yaml

    Reads what Agen's API returns, the state of its Terraform providers, and lists of name, action and conditions. What
    it prints loads; keys that it needs in the configuration are listed on standard error.
    """
    from agen_authz.authoring.import_agen.imported import import_policies as import_all
    from agen_authz.authoring.import_agen.plain import ImportNames

    _check_words(state, server)
    document, apps = _read_json(file), dict(map(_read_app, app or []))
    names = ImportNames(server, _read_tools(document, catalog or []), apps, _read_patterns(patterns or []), flow)
    imported = import_all(document, state=state, names=names)
    if imported.errors:
        _print_errors(imported.errors, as_json=as_json)
    if not imported.policies and not imported.data_protection:
        _refuse(f"{file}: holds no policies")
    _print(list(imported.policies), list(imported.data_protection), as_json=as_json)


def _check_words(state: str, server: str) -> None:
    if state not in ("shadow", "enforce"):
        _refuse("--state: write shadow or enforce")
    if server != "*" and not _SERVER.fullmatch(server):
        _refuse(f"--server: `{server}` is not the name of a resource")


def _print(policies: list[dict[str, Any]], rules: list[dict[str, Any]], *, as_json: bool) -> None:
    from agen_authz.authoring.import_agen.load import list_needs, render_policies

    # A section of which there is nothing is left out.
    held = {name: found for name, found in (("policies", policies), ("data_protection", rules)) if found}
    text = "".join(render_policies(found, name) for name, found in held.items())
    typer.echo(json.dumps(held) if as_json else text.rstrip())
    for need in list_needs(policies, rules):
        typer.echo(f"these policies need more of the configuration: {need}", err=True)


def _print_errors(errors: tuple[str, ...], *, as_json: bool) -> NoReturn:
    if as_json:
        typer.echo(json.dumps({"ok": False, "errors": list(errors)}))
    for error in errors:
        typer.echo(error, err=True)
    raise typer.Exit(Exit.FINDING)


def _read_json(file: Path) -> Any:
    from agen_authz.core.errors import Malformed
    from agen_authz.core.strict_json import parse_json

    try:
        document = parse_json(file.read_bytes(), _MAX_DEPTH)
    except OSError as exc:
        _refuse(f"{file}: cannot be read: {exc.strerror}")
    if isinstance(document, Malformed):
        _refuse(f"{file}: cannot be read as JSON: {document.reason.value}")
    return document


def _read_tools(document: Any, files: list[str]) -> dict[str, Any]:
    from agen_authz.authoring.import_agen.tool import is_terraform, read_tools

    tools: dict[str, Any] = {}
    if is_terraform(document):
        try:
            tools = read_tools(document)
        except ValueError:
            pass  # A state without tools; policies that name one by its id will say so.
    for file in files:
        try:
            tools |= read_tools(_read_json(Path(file)))
        except ValueError as exc:
            _refuse(f"{file}: {exc}")
    return tools


def _read_patterns(files: list[str]) -> dict[str, Any]:
    from agen_authz.authoring.import_agen.masking import read_patterns

    patterns: dict[str, Any] = {}
    for file in files:
        try:
            patterns |= read_patterns(_read_json(Path(file)))
        except ValueError as exc:
            _refuse(f"{file}: {exc}")
    return patterns


def _read_app(written: str) -> tuple[str, str]:
    app, mark, name = written.partition("=")
    if not mark or not app or not _SERVER.fullmatch(name):
        _refuse(f"--app: `{written}` is not ID=NAME, with the name of a resource")
    return app, name


def _refuse(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(Exit.MISUSE)
