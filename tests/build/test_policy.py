"""Policies of a file become the table that calls are held to."""

import pytest

from agen_authz.authoring.draft import build_draft
from agen_authz.build.policy import build_policies, build_policy
from agen_authz.build.ruleset import build_rules
from agen_authz.config import load
from agen_authz.config.sections.policies import Policy as Written
from agen_authz.core.model import Effect, State, Target, TargetKind
from agen_authz.core.policy.stepup import Demand
from tests.config.test_mistakes import GOOD

POLICIES = """\
policies:
  - name: no deletes
    state: enforce
    tools: ["CRM/delete_*"]
    prompts: ["crm/x"]
    when: ['"admin" in user.roles']
    then: deny
    message: No.
  - {name: strong, state: shadow, then: step_up, step_up: {acr: [a], amr: [b], max_age: 15m, scope: s}}
tenants: {acme: {policies: [{name: own, state: enforce, then: deny}]}}
"""
DELETE = Target(TargetKind.TOOL, "crm", "delete_x")


def test_everything_that_is_written_is_built(tmp_path):
    file = tmp_path / "agen.yaml"
    file.write_text(GOOD + POLICIES, "utf-8")
    config = load(file, environ={}).config
    table = build_policies(config)
    first, second, third = table.list_for("acme", DELETE)
    assert (first.name, first.state, first.effect, first.message) == ("no deletes", State.ENFORCE, Effect.DENY, "No.")
    assert first.selectors == ((TargetKind.TOOL, "CRM/delete_*"), (TargetKind.PROMPT, "crm/x"))
    assert [each.text for each in first.conditions] == ['"admin" in user.roles']
    assert (second.effect, second.demand) == (Effect.STEP_UP, Demand(("a",), ("b",), 900.0, "s"))
    assert third.name == "own" and [each.name for each in table.list_for("", DELETE)] == ["no deletes", "strong"]


def test_condition_is_compiled_once_when_the_file_is_checked(tmp_path):
    file = tmp_path / "agen.yaml"
    file.write_text(GOOD + POLICIES, "utf-8")
    loaded = load(file, environ={})
    (condition,) = build_draft(loaded).policies["no deletes"].conditions
    assert condition is loaded.conditions['"admin" in user.roles']
    rules = build_rules(
        loaded.config,
        version="v",
        digest_key=b"k",
        off_word="off",
        metadata_key=b"m" * 32,
        signing_keys={},
        compiled=loaded.conditions,
    )
    assert rules.policies.list_for("", DELETE)[0].conditions[0] is condition


def test_with_tenants_every_resource_needs_one(tmp_path):
    for text, expected in ((GOOD + POLICIES, True), (GOOD, False)):
        file = tmp_path / "agen.yaml"
        file.write_text(text, "utf-8")
        config = load(file, environ={}).config
        rules = build_rules(
            config, version="v", digest_key=b"k", off_word="off", metadata_key=b"m" * 32, signing_keys={}
        )
        assert {each.require_tenant for each in rules.resources.values()} == {expected}


def test_condition_that_was_not_checked_is_a_defect():
    with pytest.raises(ValueError, match="was not checked"):
        build_policy(Written(name="p", state="enforce", then="deny", when=("1 +",)))


def test_scope_of_a_demand_may_be_asked_for_by_another_word():
    scope = {"name": "pay", "request_as": "api://id/pay"}
    written = {"name": "p", "state": "enforce", "then": "step_up", "step_up": {"scope": scope}}
    assert build_policy(Written.model_validate(written)).demand == Demand(scope="pay", request_as="api://id/pay")
