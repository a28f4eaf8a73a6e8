"""`agen-authz policy`: what authors of policies ask before they activate one."""

import asyncio
import json
import secrets
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from agen_authz.cli.agen_import import import_policies
from agen_authz.cli.output import Exit, load_or_exit, show_problems
from agen_authz.core.errors import ConfigError, Problem

app = typer.Typer(help="Try policies before they decide.", no_args_is_help=True, rich_markup_mode=None)

_MAX_DEPTH = 16
_DIGEST_KEY_BYTES = 32
ConfigFile = Annotated[Path, typer.Option("--config", help="The configuration file.", metavar="FILE")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def _draft(config: Path, *, as_json: bool) -> Any:
    from agen_authz.authoring.draft import build_draft

    return build_draft(load_or_exit(config, secrets=False, as_json=as_json))


@app.command("test")
def test(
    folder: Annotated[Path, typer.Argument(help="The directory of the cases.", metavar="DIR")],
    config: ConfigFile,
    as_json: AsJson = False,
) -> None:
    """Decide every case of a directory and compare; exit 1 where one is decided otherwise than expected.

    Example: agen-authz policy test policies/cases --config agen.yaml
    """
    from agen_authz.authoring.test import read_cases, try_case

    if not folder.is_dir():
        typer.echo(f"{folder}: no such directory", err=True)
        raise typer.Exit(Exit.MISUSE)
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
    _show_tried(tried, as_json=as_json)
    raise typer.Exit(Exit.FINDING if any(each.failure for each in tried) else Exit.OK)


def _show_tried(tried: list[Any], *, as_json: bool) -> None:
    failed = [each for each in tried if each.failure]
    if as_json:
        typer.echo(json.dumps({"ok": not failed, "cases": [_row_of(each) for each in tried]}))
        return
    for each in failed:
        typer.echo(f"FAIL {each.file}: {each.name}\n     {each.failure}")
        if each.trace is not None:
            typer.echo("\n".join(f"     {line}" for line in _lines(each.trace.root)))
    typer.echo(f"{len(tried) - len(failed)} of {len(tried)} cases as expected")


def _row_of(tried: Any) -> dict[str, Any]:
    row = {"file": tried.file, "case": tried.name, "ok": not tried.failure, "failure": tried.failure}
    return row if not tried.failure or tried.trace is None else {**row, **_as_row(tried.trace)}


def _as_row(trace: Any) -> dict[str, Any]:
    decided = {"decision": trace.decision, "reason": trace.reason.value, "policies": list(trace.policies)}
    return {**decided, "trace": _as_object(trace.root)}


@app.command("explain")
def explain(
    scenario: Annotated[Path, typer.Argument(help="One call in YAML or JSON; - reads standard input.", metavar="FILE")],
    config: ConfigFile,
    show_values: Annotated[bool, typer.Option("--show-values", help="Show arguments and claims as they are.")] = False,
    as_json: AsJson = False,
) -> None:
    """Explain one call: every step, every policy that names the target, every condition with what it read.

    Example: echo '{call: {server: crm, tool: get_customer}, claims: {roles: [analyst]}}' |
    agen-authz policy explain - --config agen.yaml
    """
    from agen_authz.authoring.document import read_document
    from agen_authz.authoring.explain import trace_decision
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
    if as_json:
        typer.echo(json.dumps(_as_row(trace)))
    else:
        typer.echo("\n".join(_lines(trace.root)))


Catalogue = Annotated[
    list[str],
    typer.Option("--catalog", help="A saved tools/list (or resources/list, prompts/list).", metavar="[SERVER=]FILE"),
]


@app.command("lint")
def lint(config: ConfigFile, catalog: Catalogue = [], as_json: AsJson = False) -> None:  # noqa: B006 typer copies it
    """Find what is probably not meant: grants too wide, tools nobody thought of, rules that do nothing; exit 1 then.

    Example: agen-authz policy lint --config agen.yaml --catalog crm=tools.json
    """
    from agen_authz.app.shadow import read_shadow
    from agen_authz.authoring.draft import build_draft
    from agen_authz.authoring.lint import lint as find

    loaded = load_or_exit(config, secrets=False, as_json=as_json)
    draft, now = build_draft(loaded), time.time()
    known = _read_catalogue(catalog, draft)
    try:
        since = dict(asyncio.run(read_shadow(loaded.config)))
    except ConfigError as exc:
        show_problems(exc.problems, as_json=as_json)
        raise typer.Exit(Exit.FINDING) from exc
    findings = find(draft, known, since, now)
    if as_json:
        typer.echo(json.dumps({"ok": not findings, "findings": [asdict(each) for each in findings]}))
    else:
        for each in findings:
            typer.echo(f"{each.check}: {each.subject}: {each.message}; {each.cure}")
        typer.echo(f"{len(findings)} findings" if findings else "nothing found")
    raise typer.Exit(Exit.FINDING if findings else Exit.OK)


@app.command("targets")
def targets(
    name: Annotated[str, typer.Argument(help="A policy or an access rule.", metavar="NAME")],
    config: ConfigFile,
    catalog: Catalogue = [],  # noqa: B006 typer copies it
    as_json: AsJson = False,
) -> None:
    """List what a policy or rule touches before it is activated: known tools, resources, prompts, and roles.

    Example: agen-authz policy targets "big refunds" --config agen.yaml --catalog billing=tools.json
    """
    from agen_authz.authoring.reach import find_reach

    draft = _draft(config, as_json=as_json)
    reach = find_reach(draft, name, _read_catalogue(catalog, draft))
    if reach is None:
        _refuse(f"{config}: no policy or rule is called `{name}`")
        return
    if as_json:
        typer.echo(json.dumps(asdict(reach)))
        return
    for kind in ("tools", "resources", "prompts", "roles"):
        typer.echo(f"{kind}: {', '.join(getattr(reach, kind)) or 'none that is known'}")


@app.command("diff")
def diff(
    old: Annotated[Path, typer.Argument(help="The configuration that decides now.", metavar="OLD")],
    new: Annotated[Path, typer.Argument(help="The draft.", metavar="NEW")],
    catalog: Catalogue = [],  # noqa: B006 typer copies it
    markdown: Annotated[bool, typer.Option("--markdown", help="Print a table for a pull request.")] = False,
    as_json: AsJson = False,
) -> None:
    """Compare two configurations: who gains and who loses what, which policies change; exit 1 when anything widens.

    Example: agen-authz policy diff agen.yaml draft.yaml --catalog crm=tools.json --markdown
    """
    from agen_authz.authoring.diff.change import list_changes

    before, after = _draft(old, as_json=as_json), _draft(new, as_json=as_json)
    changes = list_changes(before, after, _read_catalogue(catalog, before, after))
    if as_json:
        typer.echo(json.dumps([asdict(each) for each in changes]))
    elif markdown:
        typer.echo("| who | what | change | widens |\n|---|---|---|---|")
        for each in changes:
            who, what, change = (_cell(text) for text in (each.who, each.what, each.change))
            typer.echo(f"| {who} | `{what}` | {change} | {'**yes**' if each.widens else 'no'} |")
    else:
        for each in changes:
            typer.echo(f"{'+' if each.widens else '-'} {each.who}: {each.what}: {each.change}")
        typer.echo(f"{len(changes)} changes, {sum(each.widens for each in changes)} of them widen")
    raise typer.Exit(Exit.FINDING if any(each.widens for each in changes) else Exit.OK)


def _cell(text: str) -> str:
    # Names are free text: one must not end its cell, or its code.
    return text.replace("|", "\\|").replace("`", "'")


@app.command("replay")
def replay(
    audit: Annotated[Path, typer.Option("--audit", help="Recorded events, one a line.", metavar="FILE")],
    config: ConfigFile,
    as_json: AsJson = False,
) -> None:
    """Decide recorded calls again under a draft, and show what would change, grouped; exit 1 when anything would.

    Example: agen-authz policy replay --audit audit.jsonl --config draft.yaml

    Reads audit events, one a line, also as a container runtime wraps them (CRI, Docker). Exits 2 if nothing would
    change and the log has no events, lines that are not events, or none that can be decided again.
    """
    from agen_authz.authoring.replay.replay import replay as decide_again

    draft = _draft(config, as_json=as_json)
    try:
        with audit.open("rb") as lines:
            result = decide_again(draft, lines)
    except OSError as exc:
        _refuse(f"{audit}: cannot be read: {exc.strerror}")
        return
    (_print_replayed_json if as_json else _print_replayed)(result)
    if result.gap:
        typer.echo(f"{audit}: {result.gap}", err=True)
    raise typer.Exit(Exit.FINDING if result.changes else Exit.MISUSE if result.gap else Exit.OK)


def _changes_of(result: Any) -> list[dict[str, Any]]:
    return [
        {"before": before, "after": after, "target": target, "policies": names, "count": count}
        for (before, after, target, names), count in result.changes.most_common()
    ]


def _print_replayed_json(result: Any) -> None:
    counts = {"events": result.events, "same": result.same, "skipped": result.skipped}
    counts |= {"undecided": result.undecided, "logged": result.logged}
    unread = {"unreadable": result.unreadable, "unanswerable": dict(result.unanswerable)}
    typer.echo(json.dumps({**counts, **unread, "changes": _changes_of(result)}))


def _print_replayed(result: Any) -> None:
    for each in _changes_of(result):
        typer.echo("{count:>7} x {target}: {before} -> {after} {policies}".format(**each).rstrip())
    for name, count in result.unanswerable.most_common():
        typer.echo(f"{count:>7} x `{name}` reads arguments or claims, which events do not hold: not replayed")
    typer.echo(
        f"{result.events} events: {result.same} decided alike, {result.skipped} refused before any policy, "
        f"{result.undecided} not replayed, {result.unreadable} unreadable"
    )


def _read_catalogue(files: list[str], *drafts: Any) -> list[Any]:
    from agen_authz.authoring.catalogue import read_catalogue

    servers = dict.fromkeys(name for draft in drafts for name in draft.sets.resources)
    try:
        return read_catalogue(files, servers)
    except ValueError as exc:
        _refuse(str(exc))
        raise


def _refuse(message: str) -> None:
    typer.echo(message, err=True)
    raise typer.Exit(Exit.MISUSE)


def _one_line(error: Exception) -> str:
    errors = getattr(error, "errors", None)
    if errors is not None:
        return "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg'].lower()}" for each in errors())
    return " ".join(str(error).split())


def _lines(node: Any) -> list[str]:
    """Draw a node of a trace and what stands below it as a tree."""
    lines, last = [node.text], len(node.children) - 1
    for index, child in enumerate(node.children):
        head, *below = _lines(child)
        lines.append(("└─ " if index == last else "├─ ") + head)
        lines += [("   " if index == last else "│  ") + line for line in below]
    return lines


def _as_object(node: Any) -> dict[str, Any]:
    return {"text": node.text, "children": [_as_object(child) for child in node.children]}


app.command("import")(import_policies)
