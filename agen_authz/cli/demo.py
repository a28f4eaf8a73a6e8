"""`agen-authz demo`: everything on loopback, tokens to try it with, and the tour."""

import asyncio
import json
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from agen_authz.cli.output import Exit

app = typer.Typer(
    help="Start an issuer, MCP servers, Envoy and the sidecar on loopback. Ctrl-C ends all of them.\n\n"
    "Example: agen-authz demo --tour",
    invoke_without_command=True,
    no_args_is_help=False,
    rich_markup_mode=None,
)


class Role(StrEnum):
    """The callers that a token can be for."""

    ANALYST = "analyst"
    SUPPORT = "support"
    FINANCE = "finance"
    ADMIN = "admin"


class DemoServer(StrEnum):
    """The demo's resources."""

    CRM = "crm"
    BILLING = "billing"


@app.callback()
def demo(
    context: typer.Context,
    tour: Annotated[bool, typer.Option("--tour", help="Play the tour and exit: 0 if all ended as expected.")] = False,
    state: Annotated[Path | None, typer.Option(help="Directory for files; default: a new one.")] = None,
    ports: Annotated[str, typer.Option(help="Other ports, e.g. envoy=20000,ops=20001.", metavar="NAME=PORT,...")] = "",
) -> None:
    """Run the demo until Ctrl-C, or play its tour.

    Example: agen-authz demo --tour
    """
    try:
        from agen_authz.demo.plan import read_ports
    except ImportError as exc:  # the image has no demo
        _miss(exc)
    try:
        context.obj = read_ports(ports)
    except ValueError as exc:
        typer.echo(f"--ports: {exc}", err=True)
        raise typer.Exit(Exit.MISUSE) from exc
    if context.invoked_subcommand is not None:
        return
    try:
        from agen_authz.demo.launch import DemoError
        from agen_authz.demo.run import run_demo
        from agen_authz.demo.show import show_invitation
        from agen_authz.demo.tour import play_tour
    except ImportError as exc:
        _miss(exc)
    try:
        went_well = asyncio.run(
            run_demo(state, context.obj, play_tour if tour else None, (lambda _: None) if tour else show_invitation)
        )
    except DemoError as exc:
        typer.echo(f"demo: {exc}", err=True)
        raise typer.Exit(Exit.FINDING) from exc
    if not went_well:
        raise typer.Exit(Exit.FINDING)


def _miss(exc: ImportError) -> NoReturn:
    typer.echo(f"the demo needs more packages ({exc.name}); install `agen-authz[demo]`", err=True)
    raise typer.Exit(Exit.MISUSE) from exc


@app.command()
def token(
    context: typer.Context,
    role: Annotated[Role, typer.Argument(help="The caller's role.", metavar="ROLE")],
    acr: Annotated[
        str | None, typer.Option(help="The token's `acr`: how the person signed in.", metavar="VALUE")
    ] = None,
    ttl: Annotated[str | None, typer.Option(help="How long it is valid, e.g. 5m.", metavar="DURATION")] = None,
    resource: Annotated[DemoServer, typer.Option(help="The resource that it is for.")] = DemoServer.CRM,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Print an access token of the running demo.

    Example: agen-authz demo token support --resource crm
    """
    from agen_authz.config.reading.unit import parse_duration
    from agen_authz.demo.launch import DemoError
    from agen_authz.demo.plan import Plan
    from agen_authz.demo.token import fetch_token

    more = {} if acr is None else {"acr": acr}
    if ttl is not None:
        try:
            more["ttl"] = str(max(1, round(parse_duration(ttl))))
        except ValueError as exc:
            typer.echo(f"--ttl: {exc}", err=True)
            raise typer.Exit(Exit.MISUSE) from exc
    plan = Plan(Path(tempfile.gettempdir()), context.obj)
    try:
        fetched = asyncio.run(fetch_token(plan.issuer, role.value, plan.url_of(resource.value), **more))
    except DemoError as exc:
        typer.echo(f"demo: {exc}", err=True)
        raise typer.Exit(Exit.FINDING) from exc
    typer.echo(json.dumps({"access_token": fetched, "resource": plan.url_of(resource.value)}) if as_json else fetched)
