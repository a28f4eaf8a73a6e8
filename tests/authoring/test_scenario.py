"""One call as an author writes it is decided as Check would decide it, and the trace tells why."""

from typing import Any

import pytest

from agen_authz.authoring.document import read_document
from agen_authz.authoring.explain import trace_decision
from agen_authz.authoring.scenario import Decided, Scenario, decide_scenario
from agen_authz.core.model import Answer, Step, TargetKind
from tests.authoring.rig import TEXT, draft
from tests.builders import NOW, TRACE_KEY
from tests.config.test_mistakes import GOOD

GET = {"server": "crm", "tool": "get_customer"}
REFUND = {"server": "billing", "tool": "refund", "args": {"amount": 5}}
ANALYST = {"roles": ["analyst"]}
FINANCE = {"roles": ["finance", "enrolled"]}
OPEN = "    insecure_unsigned: true\n  - name: billing"


def told(folder: Any, written: dict[str, Any], text: str = TEXT, *, digest_key: bytes | None = TRACE_KEY) -> Any:
    built = draft(folder, text)
    decided = decide_scenario(built, Scenario.model_validate(written, strict=False), now=NOW)
    return trace_decision(built, decided, digest_key=digest_key)


# name: (scenario, configuration, decision, reason, policies)
DECIDED: dict[str, tuple[dict[str, Any], str, str, str, tuple[str, ...]]] = {
    "a tool": ({"call": GET, "claims": ANALYST}, GOOD, "allow", "allowed", ()),
    "a prompt": ({"call": {"server": "crm", "prompt": "summarize"}, "claims": ANALYST}, TEXT, "allow", "allowed", ()),
    "a resource": ({"call": {"server": "crm", "uri": "note://1"}, "claims": ANALYST}, TEXT, "allow", "allowed", ()),
    "a method": ({"call": {"server": "crm", "method": "tools/list"}}, TEXT, "allow", "allowed", ()),
    "a method that nobody knows": (
        {"call": {"server": "crm", "method": "x/y"}}, TEXT, "deny", "unknown_method", (),
    ),
    "no role": ({"call": GET}, TEXT, "deny", "not_granted", ()),
    "no rule": ({"call": {**GET, "tool": "other"}, "claims": ANALYST}, TEXT, "deny", "unmapped", ()),
    "a name that no tool has": ({"call": {**GET, "tool": "a b"}}, TEXT, "deny", "malformed_target", ()),
    "a URI that is not ASCII": ({"call": {"server": "crm", "uri": "note://ü"}}, TEXT, "deny", "malformed_target", ()),
    "a prompt that is not ASCII": (
        {"call": {"server": "crm", "prompt": "über uns"}, "claims": ANALYST},
        TEXT.replace("crm/summarize", "crm/über uns"), "allow", "allowed", (),
    ),
    "a prompt that looks encoded": (
        {"call": {"server": "crm", "prompt": "=?x"}, "claims": ANALYST}, TEXT, "deny", "unmapped", (),
    ),
    "expired": ({"call": GET, "claims": {"exp": NOW - 60}}, TEXT, "deny", "token_expired", ()),
    "for somebody else": ({"call": GET, "claims": {"aud": "https://x.org"}}, TEXT, "deny", "token_audience", ()),
    "without a subject": ({"call": GET, "claims": {"sub": 5}}, TEXT, "deny", "token_claim", ()),
    "without a scope": (
        {"call": GET, "claims": {"scope": "x"}}, TEXT.replace(OPEN, f"    scopes: [crm]\n{OPEN}"),
        "deny", "scope_missing", (),
    ),
    "with the resource's scopes, unsaid": (
        {"call": GET, "claims": ANALYST}, GOOD.replace(OPEN, f"    scopes: [crm]\n{OPEN}"), "allow", "allowed", (),
    ),
    "a policy that denies": (
        {"call": {**REFUND, "args": {"amount": 1001}}, "claims": FINANCE}, TEXT, "deny", "policy_denied",
        ("big", "fresh"),
    ),
    "a policy that asks for more": (
        {"call": REFUND, "claims": FINANCE}, TEXT, "step_up", "step_up_required", ("fresh",),
    ),
    "a policy that was given more": (
        {"call": REFUND, "claims": {**FINANCE, "acr": "strong", "auth_time": NOW - 60}}, TEXT, "allow", "allowed",
        ("fresh",),
    ),
    "a policy that cannot be evaluated": (
        {"call": {**REFUND, "args": {}}, "claims": FINANCE}, TEXT, "deny", "policy_error", ("big", "fresh"),
    ),
    "a policy in shadow": (
        {"call": GET, "claims": {**ANALYST, "team": "red"}}, TEXT, "allow", "allowed", ("watched",),
    ),
    "from the office": (
        {
            "call": {**GET, "tool": "delete_customer"}, "claims": {"roles": ["support"]},
            "request": {"ip": "10.1.2.3"},
        }, TEXT, "allow", "allowed", (),
    ),
    "from elsewhere": (
        {
            "call": {**GET, "tool": "delete_customer"}, "claims": {"roles": ["support"]},
            "request": {"ip": "2001:db8::1"},
        }, TEXT, "deny", "policy_denied", ("no deletes",),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("written", "text", "decision", "reason", "policies"), DECIDED.values(), ids=DECIDED)
def test_scenario_is_decided(tmp_path, written, text, decision, reason, policies):
    trace = told(tmp_path, written, text)
    assert (trace.decision, trace.reason.value, trace.policies) == (decision, reason, policies)
    assert trace.root.text == f"{decision}: {reason}"


CONDITIONS = {
    "country": ("request.country == 'DE'", {"request": {"country": "DE"}}),
    "user agent": ("request.user_agent.contains('Phone')", {"request": {"user_agent": "A Phone"}}),
    "address": ("request.ip == '2001:db8::1'", {"request": {"ip": "2001:DB8:0::1"}}),
    "nobody knows the address": ("request.ip != ''", {}),
    "time, in words": (
        "request.time == timestamp('2026-03-01T10:00:00Z')", {"request": {"time": "2026-03-01T12:00:00+02:00"}},
    ),
    "time without a zone": ("request.time.getHours() == 10", {"request": {"time": "2026-03-01T10:00:00"}}),
    "now": (f"request.time == timestamp({int(NOW)})", {}),
    "answers to elicitations": (
        "inputs.ok.action == 'accept'", {"call": {**GET, "inputs": {"ok": {"action": "accept"}}}},
    ),
    "arguments": ("args.due == '2026-01-01'", {"call": {**GET, "args": read_document("due: 2026-01-01")}}),
    "annotations": ("tool.annotations.readOnlyHint", {"call": {**GET, "annotations": {"readOnlyHint": True}}}),
    "claims": ("user.claims.team.name == 'red'", {"claims": {**ANALYST, "team": {"name": "red"}}}),
    "provider": ("user.issuer == 'https://id.example.com/'", {"provider": "corp"}),
}  # fmt: skip


@pytest.mark.parametrize(("condition", "written"), CONDITIONS.values(), ids=CONDITIONS)
def test_what_a_scenario_says_is_what_conditions_read(tmp_path, condition, written):
    text = (
        f"country_header: cf-ipcountry\ntrusted_proxies: [192.0.2.0/24]\n{GOOD}policies:\n"
        f'  - {{name: p, state: enforce, when: ["{condition}"], then: deny}}\n'
    )
    trace = told(tmp_path, {"call": GET, "claims": ANALYST, **written}, text)
    expected = "policy_error" if condition == "request.ip != ''" else "policy_denied"
    assert trace.reason.value == expected


REFUSED = {
    "a resource that is not there": ({"call": {"server": "hr", "tool": "x"}}, "no resource is called `hr`"),
    "a provider that is not there": ({"call": GET, "provider": "x"}, "`crm` has no provider `x`"),
    "nothing is called": (
        {"call": {"server": "crm"}}, "the call names neither tool, prompt, uri nor method",
    ),
    "an address that is none": ({"call": GET, "request": {"ip": "10.0.0.300"}}, "`request.ip` is not an address"),
    "a time that is none": ({"call": GET, "request": {"time": "soon"}}, "`request.time` is not a time"),
    "arguments that are no JSON": (
        {"call": {**GET, "args": {"x": b"y"}}}, "the call or its claims hold what JSON cannot say",
    ),
    "a number that is none": (
        {"call": {**GET, "args": {"x": float("nan")}}}, "the call or its claims hold what JSON cannot say",
    ),
    "annotations of no tool": (
        {"call": {"server": "crm", "uri": "a://b", "annotations": {}}},
        "`annotations` are of a tool, and the call names none",
    ),
    "claims that are no JSON": (
        {"call": GET, "claims": {"x": {1, 2}}}, "the call or its claims hold what JSON cannot say",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("written", "message"), REFUSED.values(), ids=REFUSED)
def test_scenario_that_is_none_is_refused(tmp_path, written, message):
    with pytest.raises(ValueError) as caught:
        told(tmp_path, {"claims": ANALYST, **written})
    assert str(caught.value) == message


def test_what_stood_before_the_call_was_read_asks_no_policy(tmp_path):
    built = draft(tmp_path)
    early = decide_scenario(built, Scenario.model_validate({"call": GET, "claims": {"exp": 1}}, strict=False), now=NOW)
    assert not isinstance(early.decision, Answer)
    assert (early.situations(), early.decision.why) == ([], (Step("token", "rejected", f"exp 1; now {NOW:.0f}"),))
    late = decide_scenario(built, Scenario.model_validate({"call": GET}, strict=False), now=NOW)
    assert [each.target.kind for each in late.situations()] == [TargetKind.TOOL]
    assert Decided(late.ended).situations() == []
