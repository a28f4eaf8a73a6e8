"""The demo's cases in docs/examples/demo: its configuration as it is, and what each role may do."""

from pathlib import Path

from agen_authz.authoring.draft import build_draft
from agen_authz.authoring.lint import lint
from agen_authz.authoring.test import Case, read_cases, try_case
from agen_authz.config import load
from agen_authz.core.errors import Problem
from agen_authz.demo.plan import ROLES, Plan, render_config
from tests.builders import NOW, TRACE_KEY

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "demo"


def read_all() -> list[tuple[Path, Case]]:
    found = list(read_cases(EXAMPLE / "cases"))
    assert not [each for each in found if isinstance(each, Problem)]
    return [each for each in found if not isinstance(each, Problem)]


def test_configuration_of_the_example_is_the_demos(golden):
    golden("docs/examples/demo/agen.yaml", render_config(Plan(Path("/var/lib/agen/demo"))))


def test_demo_decides_its_cases_as_expected():
    draft = build_draft(load(EXAMPLE / "agen.yaml", secrets=False, environ={}))
    tried = [try_case(draft, file, case, now=NOW, digest_key=TRACE_KEY) for file, case in read_all()]
    assert [f"{each.name}: {each.failure}" for each in tried if each.failure] == []


def test_every_role_of_the_demo_is_let_in_and_turned_away_somewhere():
    said = {(role, case.expect.decision) for _, case in read_all() for role in case.claims["roles"]}
    assert {(role, decision) for role in ROLES for decision in ("allow", "deny")} <= said


def test_every_target_that_the_demos_rules_name_has_a_case():
    draft = build_draft(load(EXAMPLE / "agen.yaml", secrets=False, environ={}))
    called = {f"{case.call.server}/{case.call.tool}" for _, case in read_all() if case.expect.decision == "allow"}
    rules = {rule.name: rule.tools for rule in draft.config.access.rules if rule.tools is not None}
    silent = [
        name for name, tools in rules.items() if not any(_starts(tool, each) for each in tools for tool in called)
    ]
    assert silent == []


def _starts(tool: str, selector: str) -> bool:
    return tool.startswith(selector.partition("*")[0])


def test_linter_finds_nothing_in_the_demos_configuration():
    draft = build_draft(load(EXAMPLE / "agen.yaml", secrets=False, environ={}))
    assert lint(draft, (), {}, NOW) == []
