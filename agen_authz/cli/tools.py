"""`agen-authz tools`: what servers list, what changed, and what is approved."""

import asyncio
import json
import os
import pwd
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from agen_authz.cli.output import Exit, load_or_exit, show_problems

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from agen_authz.config import Loaded
    from agen_authz.operating.pin import Choice
    from agen_authz.operating.tools import ToolView
    from agen_authz.ports import CatalogueStore

app = typer.Typer(help="See and approve the tools that servers list.", no_args_is_help=True, rich_markup_mode=None)

ConfigFile = Annotated[Path, typer.Option("--config", help="The configuration file.", metavar="FILE")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Target = Annotated[
    str | None, typer.Argument(help="A server, or one of its tools; default: everything.", metavar="SERVER[/TOOL]")
]
Named = Annotated[str, typer.Argument(help="A server, or one of its tools.", metavar="SERVER[/TOOL]")]


@app.command("list")
def list_(config: ConfigFile, target: Target = None, *, as_json: AsJson = False) -> None:
    """List the tools that servers listed: state, digest, when, and what was noticed; exit 1 if any needs a pin.

    Example: agen-authz tools list crm --config agen.yaml

    States: `pinned`; `reworded`, which passes with a notice; `new` and `changed`, which `tools.pinning: enforce` hides.
    `SERVER/(instructions)` is what a server says of itself.
    """
    from agen_authz.operating.tools import render_list, render_list_json

    views = _view(load_or_exit(config, secrets=False, as_json=as_json), target, as_json=as_json)
    typer.echo((render_list_json if as_json else render_list)(views))
    raise typer.Exit(Exit.FINDING if any(each.needs_pin for each in views) else Exit.OK)


@app.command("diff")
def diff(config: ConfigFile, target: Target = None, *, as_json: AsJson = False) -> None:
    """Show how tools differ from what was approved, hidden characters spelt out; exit 1 if any needs a pin.

    Example: agen-authz tools diff crm/get_customer --config agen.yaml

    A tool that was never approved is shown whole.
    """
    from agen_authz.core.pinning.pin import Pinned
    from agen_authz.operating.tool_diff import render_diff, render_diff_json

    views = _view(load_or_exit(config, secrets=False, as_json=as_json), target, as_json=as_json)
    views = [each for each in views if not isinstance(each.drift.state, Pinned)]
    shown = "\n\n".join(render_diff(each, each.tool.last) for each in views) or "nothing differs from what is approved"
    typer.echo(render_diff_json(views) if as_json else shown)
    raise typer.Exit(Exit.FINDING if any(each.needs_pin for each in views) else Exit.OK)


@app.command("pin")
def pin(
    target: Named,
    config: ConfigFile,
    digest: Annotated[
        str | None, typer.Option(help="The definition, by the beginning of its digest; default: the last one seen.")
    ] = None,
    by: Annotated[str | None, typer.Option(help="Who approves; default: the operating system's user.")] = None,
    *,
    changed: Annotated[bool, typer.Option("--changed", help="Of a server, also tools that changed.")] = False,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Withdraw approvals instead.")] = False,
    forget: Annotated[bool, typer.Option("--forget", help="Forget all that is kept of the tools instead.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Approve even hidden text and look-alikes.")] = False,
    as_json: AsJson = False,
) -> None:
    """Approve the definitions of a server's new tools, or of one tool, and show what is approved.

    Example: agen-authz tools pin crm/get_customer --config agen.yaml --by ann@example.com

    Who did it and when is kept in the store, and a running sidecar writes it to the audit log (`decision: pin`). Exits
    1 if nothing was pinned because a definition has hidden text or looks like another tool, and `--yes` was not given.
    """
    if (digest is not None and "/" not in target) or (withdraw and forget) or (digest is not None and forget):
        _misuse("--digest needs one tool; --withdraw, --forget and approving exclude each other")
    loaded, who = load_or_exit(config, secrets=False, as_json=as_json), _name_or_exit(by)
    views = _view(loaded, target, as_json=as_json)
    if forget:
        _forget(loaded, views, who, as_json=as_json)
    choices = _choose(views, target, digest, changed=changed, withdraw=withdraw)
    if not withdraw and not yes and any(each.deceives for each in choices):
        words = ["needs --yes" if each.deceives else "not pinned" for each in choices]
        _show(choices, words, as_json=as_json)
        raise typer.Exit(Exit.FINDING)
    _act(loaded, choices, who, withdraw=withdraw, as_json=as_json)


def _view(loaded: "Loaded", target: str | None, *, as_json: bool) -> "list[ToolView]":
    from agen_authz.app.pins import read_listing
    from agen_authz.core.errors import ConfigError
    from agen_authz.operating.tools import NoTool, select, view_tools

    try:
        return select(view_tools(asyncio.run(read_listing(loaded.config))), target)
    except ConfigError as exc:
        show_problems(exc.problems, as_json=as_json)
        raise typer.Exit(Exit.MISUSE) from exc
    except NoTool as exc:
        _misuse(str(exc))


def _choose(
    views: "list[ToolView]", target: str, digest: str | None, *, changed: bool, withdraw: bool
) -> "list[Choice]":
    from agen_authz.operating.pin import choose, choose_approved
    from agen_authz.operating.tools import NoTool

    try:
        if withdraw:
            return choose_approved(views, digest)
        return choose(views, digest, is_server="/" not in target, changed=changed)
    except NoTool as exc:
        _misuse(str(exc))


def _act(loaded: "Loaded", choices: "Sequence[Choice]", who: str, *, withdraw: bool, as_json: bool) -> None:
    from agen_authz.operating import pin as pins

    act = pins.withdraw if withdraw else pins.approve
    done = _change(loaded, lambda store: act(store, choices, who, time.time()), as_json=as_json) if choices else []
    word = "withdrawn" if withdraw else "pinned"
    _show(choices, [word if did else "not there any longer" for did in done], as_json=as_json)
    raise typer.Exit(Exit.OK if all(done) else Exit.FINDING)


def _forget(loaded: "Loaded", views: "Sequence[ToolView]", who: str, *, as_json: bool) -> NoReturn:
    from agen_authz.operating.pin import forget

    done = _change(loaded, lambda store: forget(store, views, who, time.time()), as_json=as_json)
    words = ["forgotten" if did else "not there any longer" for did in done]
    rows = [{"tool": each.spelling, "outcome": word} for each, word in zip(views, words, strict=True)]
    lines = "\n".join(f"{row['tool']}: {row['outcome']}" for row in rows)
    typer.echo(json.dumps({"tools": rows}) if as_json else lines)
    raise typer.Exit(Exit.OK)


def _change(loaded: "Loaded", act: "Callable[[CatalogueStore], Awaitable[list[bool]]]", *, as_json: bool) -> list[bool]:
    from agen_authz.app.pins import change_pins
    from agen_authz.core.errors import ConfigError

    try:
        return asyncio.run(change_pins(loaded.config, act))
    except ConfigError as exc:
        show_problems(exc.problems, as_json=as_json)
        raise typer.Exit(Exit.MISUSE) from exc


def _show(choices: "Sequence[Choice]", words: "Sequence[str]", *, as_json: bool) -> None:
    from agen_authz.operating.pin import render_choices, render_choices_json

    typer.echo((render_choices_json if as_json else render_choices)(choices, words))


def _name_or_exit(by: str | None) -> str:
    from agen_authz.operating.pin import is_name

    if by is None:
        try:
            by = pwd.getpwuid(os.getuid()).pw_name
        except KeyError:
            by = str(os.getuid())
    if not is_name(by):
        _misuse("--by needs a name: at most 256 printable characters")
    return by


def _misuse(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(Exit.MISUSE)
