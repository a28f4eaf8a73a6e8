"""`detected` in conditions: callers choose what is found, so where arguments are open it decides nothing."""

import pytest

from agen_authz.core.cel.condition import Condition
from agen_authz.core.decide import may_list
from agen_authz.core.model import Effect, Envelope, Facts, Outcome, Shape, State, TargetKind
from agen_authz.core.policy.attribute import Situation
from agen_authz.core.policy.table import Policy, compile_policies, environment
from agen_authz.core.policy.work import Work
from tests import builders as build
from tests.rules import build_rules


def policy(*when: str) -> Policy:
    conditions = [environment().compile(text) for text in when]
    kept = tuple(each for each in conditions if isinstance(each, Condition))
    return Policy("p", State.ENFORCE, Effect.DENY, ((TargetKind.TOOL, "crm/*"),), kept)


FOUND = '"credit_card" in detected'


@pytest.mark.parametrize(
    ("when", "is_listed"),
    [
        ((FOUND,), True),
        ((f"!({FOUND})",), True),
        (("detected == []",), True),
        ((FOUND, '"analyst" in user.roles'), True),
        (('"analyst" in user.roles',), False),
    ],
)
def test_policy_that_reads_what_is_found_hides_no_tool(when, is_listed):
    rules = build_rules((build.resource(),), policies=compile_policies([policy(*when)]))
    principal = build.principal(roles=("analyst",))
    assert may_list(build.tool(), build.call("tools/list"), principal, Facts(build.NOW), rules) is is_listed


@pytest.mark.parametrize(
    ("when", "found"),
    [
        ((FOUND,), [("p", Outcome.ERROR)]),
        ((FOUND, '"admin" in user.roles'), []),
        ((FOUND, '"analyst" in user.roles'), [("p", Outcome.ERROR)]),
        (("args.amount > 5.0",), []),
    ],
)
def test_policy_that_reads_what_is_found_cannot_be_evaluated_for_a_posted_response(when, found):
    call = build.call("response", envelope=Envelope(shape=Shape.RESPONSE))
    principal = build.principal(roles=("analyst",))
    matches = compile_policies([policy(*when)]).evaluate_answer(Situation(principal, call, build.tool(""), Facts(1.0)))
    assert [(match.policy.name, match.outcome) for match in matches] == found
    assert all("`detected`" in match.cause for match in matches)


def test_call_without_arguments_has_nothing_to_be_found():
    situation = Situation(build.principal(), build.call("tools/call", build.tool()), build.tool(), Facts(1.0))
    assert [each.policy.name for each in compile_policies([policy("detected == []")]).evaluate(situation)] == ["p"]


def test_arguments_of_one_decision_are_searched_once():
    work = Work()
    first = work.detect({"a": "4111 1111 1111 1111"}, None)
    assert first == work.detect({"a": "nothing"}, None) and first is not None and "credit_card" in first
