"""`agen-authz policy`: what authors of policies ask before they activate one."""

import json
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from agen_authz.cli.output import Exit, load_or_exit, show_problems
from agen_authz.core.errors import Problem

app = typer.Typer(help="Try policies before they decide.", no_args_is_help=True, rich_markup_mode=None)

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
    from agen_authz.authoring.cases import read_cases, try_case

    if not folder.is_dir():
        typer.echo(f"{folder}: no such directory", err=True)
        raise typer.Exit(Exit.MISUSE)
    draft, problems, tried = _draft(config, as_json=as_json), [], []
    for read in read_cases(folder):
        if isinstance(read, Problem):
            problems.append(read)
        else:
            tried.append(try_case(draft, *read, now=time.time()))
    if problems:
        show_problems(problems, as_json=as_json)
        raise typer.Exit(Exit.MISUSE)
    _show_tried(tried, as_json=as_json)
    raise typer.Exit(Exit.FINDING if any(each.failure for each in tried) else Exit.OK)


def _show_tried(tried: list[Any], *, as_json: bool) -> None:
    failed = [each for each in tried if each.failure]
    if as_json:
        rows = [
            {"file": each.file, "case": each.name, "ok": not each.failure, "failure": each.failure} for each in tried
        ]
        typer.echo(json.dumps({"ok": not failed, "cases": rows}))
        return
    for each in failed:
        typer.echo(f"FAIL {each.file}: {each.name}\n     {each.failure}")
        if each.trace is not None:
            typer.echo("\n".join(f"     {line}" for line in _lines(each.trace.root)))
    typer.echo(f"{len(tried) - len(failed)} of {len(tried)} cases as expected")


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
    import yaml
    from pydantic import ValidationError

    from agen_authz.authoring.scenario import Scenario, decide_scenario
    from agen_authz.authoring.trace import trace_decision

    draft = _draft(config, as_json=as_json)
    try:
        text = sys.stdin.read() if str(scenario) == "-" else scenario.read_text("utf-8")
        asked = Scenario.model_validate(yaml.safe_load(text), strict=False)
        decided = decide_scenario(draft, asked, now=time.time())
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError, ValueError) as exc:
        typer.echo(f"{scenario}: {_one_line(exc)}", err=True)
        raise typer.Exit(Exit.MISUSE) from exc
    trace = trace_decision(draft, decided, shows_values=show_values)
    if as_json:
        rendered = {"decision": trace.decision, "reason": trace.reason.value, "policies": list(trace.policies)}
        typer.echo(json.dumps({**rendered, "trace": _as_object(trace.root)}))
    else:
        typer.echo("\n".join(_lines(trace.root)))


def _one_line(error: Exception) -> str:
    errors = getattr(error, "errors", None)
    if errors is not None:
        return "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg'].lower()}" for each in errors())
    return " ".join(str(error).split())


def _lines(node: Any, depth: int = 0) -> list[str]:
    below = [line for child in node.children for line in _lines(child, depth + 1)]
    return ["  " * depth + node.text, *below]


def _as_object(node: Any) -> dict[str, Any]:
    return {"text": node.text, "children": [_as_object(child) for child in node.children]}
