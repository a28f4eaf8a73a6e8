"""Cases of `policy test`: scenarios with what is expected of them, in YAML files of one directory."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from agen_authz.authoring.document import read_document
from agen_authz.authoring.draft import Draft
from agen_authz.authoring.explain import Trace, as_object, draw_tree, trace_decision
from agen_authz.authoring.scenario import Scenario, decide_scenario
from agen_authz.config.reading.section import Line, Name, Section
from agen_authz.core.errors import Problem


class Expected(Section):
    """What must be decided; what is not given is not looked at."""

    decision: Literal["allow", "deny", "step_up", "await_approval"] = Field(
        description="allow, deny, step_up or await_approval."
    )
    reason: Line | None = Field(None, description="The true Reason (docs/reasons.md).")
    policy: Name | None = Field(None, description="A policy that must have applied.")
    data_protection: tuple[Name, ...] | None = Field(
        None, description="All data-protection rules that must apply to what comes back, in any order."
    )


class Case(Scenario):
    """One case."""

    name: Name = Field(description="What it shows.")
    expect: Expected = Field(description="What must be decided.")


class CaseFile(Section):
    """A file of cases."""

    cases: tuple[Case, ...] = Field(description="The cases.")


@dataclass(frozen=True, slots=True)
class Tried:
    """The result of one case; `failure` is empty if it passed."""

    file: str
    name: str
    failure: str
    trace: Trace | None = None


def read_cases(folder: Path) -> Iterator[tuple[Path, Case] | Problem]:
    """Read every case below a directory, or say what is wrong with a file."""
    files = sorted(path for path in folder.rglob("*") if path.suffix in (".yaml", ".yml"))
    if not files:
        yield _miss_cases(folder)
    for file in files:
        try:
            # Lists of YAML are tuples in our sections.
            read = CaseFile.model_validate(read_document(file.read_text("utf-8")), strict=False)
        except (OSError, ValueError) as exc:
            yield from _explain(file, exc)
            continue
        if not read.cases:
            yield _miss_cases(file)
        yield from ((file, case) for case in read.cases)


def _miss_cases(place: Path) -> Problem:
    return Problem(str(place), None, "", "holds no case", "write cases into a file such as cases.yaml")


def _explain(file: Path, error: Exception) -> Iterator[Problem]:
    if isinstance(error, ValidationError):
        for each in error.errors(include_url=False, include_input=False):
            place = ".".join(map(str, each["loc"]))
            yield Problem(str(file), None, place, each["msg"].lower(), "see docs/policies.md")
        return
    message = "cannot be read" if isinstance(error, OSError | UnicodeDecodeError) else str(error)
    yield Problem(str(file), None, "", message, "see docs/policies.md")


def try_case(draft: Draft, file: Path, case: Case, *, now: float, digest_key: bytes) -> Tried:
    """Decide one case and compare; `digest_key` as in `authoring.explain.trace_decision`."""
    try:
        decided = decide_scenario(draft, case, now=now)
    except ValueError as exc:
        return Tried(str(file), case.name, str(exc))
    trace = trace_decision(draft, decided, digest_key=digest_key)
    failures = list(_compare(case.expect, trace))
    return Tried(str(file), case.name, "; ".join([*failures, *trace.causes] if failures else []), trace)


def _compare(expected: Expected, trace: Trace) -> Iterator[str]:
    if expected.decision != trace.decision:
        yield f"expected decision `{expected.decision}`, got `{trace.decision}`"
    if expected.reason is not None and expected.reason != trace.reason.value:
        yield f"expected reason `{expected.reason}`, got `{trace.reason.value}`"
    if expected.policy is not None and expected.policy not in trace.policies:
        yield f"expected policy `{expected.policy}`, applied: {_list_names(trace.policies)}"
    if expected.data_protection is not None and set(expected.data_protection) != set(trace.protections):
        wanted, applied = map(_list_names, (expected.data_protection, trace.protections))
        yield f"expected data protection {wanted}, applied: {applied}"


def _list_names(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none"


def render_text(tried: Sequence[Tried]) -> str:
    """Say which cases failed and why, and how many were as expected."""
    failed = [each for each in tried if each.failure]
    lines = []
    for each in failed:
        lines.append(f"FAIL {each.file}: {each.name}\n     {each.failure}")
        if each.trace is not None:
            lines += [f"     {line}" for line in draw_tree(each.trace.root)]
    return "\n".join([*lines, f"{len(tried) - len(failed)} of {len(tried)} cases as expected"])


def render_json(tried: Sequence[Tried]) -> str:
    """Write every case down as JSON, those that failed with what led to the decision."""
    return json.dumps({"ok": not any(each.failure for each in tried), "cases": [_row_of(each) for each in tried]})


def _row_of(tried: Tried) -> dict[str, Any]:
    row = {"file": tried.file, "case": tried.name, "ok": not tried.failure, "failure": tried.failure}
    return row if not tried.failure or tried.trace is None else {**row, **as_object(tried.trace)}
