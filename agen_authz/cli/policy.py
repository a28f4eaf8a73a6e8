"""`agen-authz policy`: the commands for authors of policies."""

import asyncio
import json
import secrets
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from agen_authz.cli.agen_import import import_policies
from agen_authz.cli.output import Exit, load_or_exit, show_problems

if TYPE_CHECKING:
    from agen_authz.authoring.catalog import CatalogEntry
    from agen_authz.authoring.draft import Draft
    from agen_authz.core.errors import ConfigError

app = typer.Typer(help="Try policies before they are enforced.", no_args_is_help=True, rich_markup_mode=None)

_DIGEST_KEY_BYTES = 32
ConfigFile = Annotated[Path, typer.Option("--config", help="The configuration file.", metavar="FILE")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def _draft(config: Path, *, as_json: bool) -> "Draft":
    from agen_authz.authoring.draft import build_draft

    return build_draft(load_or_exit(config, secrets=False, as_json=as_json))


@app.command("test")
def test(
    folder: Annotated[Path, typer.Argument(help="The directory of the cases.", metavar="DIR")],
    config: ConfigFile,
    as_json: AsJson = False,
) -> None:
    """Decide every case of a directory; exit 1 if the decision of a case is not the expected one.

    Example: agen-authz policy test policies/cases --config agen.yaml
    """
    from agen_authz.authoring.test import read_cases, render_json, render_text, try_case
    from agen_authz.core.errors import Problem

    if not folder.is_dir():
        _refuse(f"{folder}: no such directory")
    draft, problems, tried = _draft(config, as_json=as_json), [], []
    digest_key = secrets.token_bytes(_DIGEST_KEY_BYTES)
    for read in read_cases(folder):
        if isinstance(read, Problem):
            problems.append(read)
        else:
            tried.append(try_case(draft, *read, now=time.time(), digest_key=digest_key))
    if problems:
        show_problems(problems, as_json=as_json)
        raise typer.Exit(Exit.MISUSE)
    typer.echo((render_json if as_json else render_text)(tried))
    raise typer.Exit(Exit.FINDING if any(each.failure for each in tried) else Exit.OK)


@app.command("explain")
def explain(
    scenario: Annotated[Path, typer.Argument(help="One call in YAML or JSON; - reads standard input.", metavar="FILE")],
    config: ConfigFile,
    show_values: Annotated[
        bool, typer.Option("--show-values", help="Show the values of arguments and claims instead of digests.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Explain one call: every step, every policy that names the target, every condition and what it read.

    Example: echo '{call: {server: crm, tool: get_customer}, claims: {roles: [analyst]}}' |
    agen-authz policy explain - --config agen.yaml
    """
    from agen_authz.authoring.document import read_document
    from agen_authz.authoring.explain import as_object, render_text, trace_decision
    from agen_authz.authoring.scenario import Scenario, decide_scenario

    draft = _draft(config, as_json=as_json)
    try:
        text = sys.stdin.read() if str(scenario) == "-" else scenario.read_text("utf-8")
        asked = Scenario.model_validate(read_document(text), strict=False)
        decided = decide_scenario(draft, asked, now=time.time())
    except (OSError, ValueError) as exc:
        typer.echo(f"{scenario}: {_one_line(exc)}", err=True)
        raise typer.Exit(Exit.MISUSE) from exc
    digest_key = None if show_values else secrets.token_bytes(_DIGEST_KEY_BYTES)
    trace = trace_decision(draft, decided, digest_key=digest_key)
    typer.echo(json.dumps(as_object(trace)) if as_json else render_text(trace))


Catalog = Annotated[
    list[str],
    typer.Option(
        "--catalog",
        help="A saved answer to tools/list, resources/list or prompts/list; repeatable.",
        metavar="[SERVER=]FILE",
    ),
]


@app.command("lint")
def lint(config: ConfigFile, catalog: Catalog = [], as_json: AsJson = False) -> None:  # noqa: B006 typer copies it
    """Find probable mistakes: grants that are too wide, tools without a rule, rules without effect; exit 1 if any.

    Example: agen-authz policy lint --config agen.yaml --catalog crm=tools.json

    Tools are known from the store that the configuration names, and from saved lists, which come first. If the store
    cannot be read, standard error says so, and the exit code is that of what was found without it.
    """
    from agen_authz.app.shadow import read_shadow
    from agen_authz.authoring.draft import build_draft
    from agen_authz.authoring.lint import lint as find
    from agen_authz.authoring.lint import render_json, render_text
    from agen_authz.core.errors import ConfigError

    loaded = load_or_exit(config, secrets=False, as_json=as_json)
    draft, now = build_draft(loaded), time.time()
    known = _add_kept(_read_catalog(catalog, draft), draft)
    try:
        since = dict(asyncio.run(read_shadow(loaded.config)))
    except ConfigError as exc:
        since = {}
        _note("since when policies are in shadow is not known", exc)
    findings = find(draft, known, since, now)
    typer.echo((render_json if as_json else render_text)(findings))
    raise typer.Exit(Exit.FINDING if findings else Exit.OK)


@app.command("targets")
def targets(
    name: Annotated[str, typer.Argument(help="The name of a policy or an access rule.", metavar="NAME")],
    config: ConfigFile,
    catalog: Catalog = [],  # noqa: B006 typer copies it
    as_json: AsJson = False,
) -> None:
    """List the known tools, resources, prompts and roles that a policy or rule is about, before you enforce it.

    Example: agen-authz policy targets "big refunds" --config agen.yaml --catalog billing=tools.json

    Tools are known from the store that the configuration names, and from saved lists, which come first.
    """
    from agen_authz.authoring.targets import find_reach, render_json, render_text

    draft = _draft(config, as_json=as_json)
    reach = find_reach(draft, name, _add_kept(_read_catalog(catalog, draft), draft))
    if reach is None:
        _refuse(f"{config}: no policy or rule is called `{name}`")
    typer.echo((render_json if as_json else render_text)(reach))


@app.command("diff")
def diff(
    old: Annotated[Path, typer.Argument(help="The configuration that is in use.", metavar="OLD")],
    new: Annotated[Path, typer.Argument(help="The draft.", metavar="NEW")],
    catalog: Catalog = [],  # noqa: B006 typer copies it
    markdown: Annotated[bool, typer.Option("--markdown", help="Print a Markdown table, for a pull request.")] = False,
    as_json: AsJson = False,
) -> None:
    """Compare two configurations: who gains or loses what, and which policies change; exit 1 if anything widens.

    Example: agen-authz policy diff agen.yaml draft.yaml --catalog crm=tools.json --markdown
    """
    from agen_authz.authoring.diff.change import list_changes, render_json, render_markdown, render_text

    before, after = _draft(old, as_json=as_json), _draft(new, as_json=as_json)
    changes = list_changes(before, after, _read_catalog(catalog, before, after))
    render = render_json if as_json else render_markdown if markdown else render_text
    typer.echo(render(changes))
    raise typer.Exit(Exit.FINDING if any(each.widens for each in changes) else Exit.OK)


@app.command("replay")
def replay(
    audit: Annotated[Path, typer.Option("--audit", help="Recorded events, one a line.", metavar="FILE")],
    config: ConfigFile,
    as_json: AsJson = False,
) -> None:
    """Decide recorded calls again under a draft; show in groups what would change; exit 1 if anything would.

    Example: agen-authz policy replay --audit audit.jsonl --config draft.yaml

    Reads audit events, one a line, plain or as a container runtime wraps them (CRI, Docker). Exits 2 if nothing would
    change and the log has no events, lines that are not events, or none that can be decided again.
    """
    from agen_authz.authoring.replay.replay import replay as decide_again
    from agen_authz.authoring.replay.replayed import render_json, render_text

    draft = _draft(config, as_json=as_json)
    try:
        with audit.open("rb") as lines:
            result = decide_again(draft, lines)
    except OSError as exc:
        _refuse(f"{audit}: cannot be read: {exc.strerror}")
    typer.echo((render_json if as_json else render_text)(result))
    if result.gap:
        typer.echo(f"{audit}: {result.gap}", err=True)
    raise typer.Exit(Exit.FINDING if result.changes else Exit.MISUSE if result.gap else Exit.OK)


def _read_catalog(files: list[str], *drafts: "Draft") -> list["CatalogEntry"]:
    from agen_authz.authoring.catalog import read_catalog

    servers = dict.fromkeys(name for draft in drafts for name in draft.rules.resources)
    try:
        return read_catalog(files, servers)
    except ValueError as exc:
        _refuse(str(exc))


def _add_kept(known: list["CatalogEntry"], draft: "Draft") -> list["CatalogEntry"]:
    """Add what the store knows of tools; say so if it cannot be read."""
    from agen_authz.app.pins import read_listing
    from agen_authz.authoring.catalog import add_kept
    from agen_authz.core.errors import ConfigError

    try:
        listing = asyncio.run(read_listing(draft.config))
    except ConfigError as exc:
        _note("the tools that the store knows are not used", exc)
        return known
    return add_kept(known, listing, draft.rules.resources)


def _note(what: str, error: "ConfigError") -> None:
    for problem in error.problems:
        typer.echo(f"{what}: {problem}", err=True)


def _refuse(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(Exit.MISUSE)


def _one_line(error: Exception) -> str:
    errors = getattr(error, "errors", None)
    if errors is not None:
        return "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg'].lower()}" for each in errors())
    return " ".join(str(error).split())


app.command("import")(import_policies)
