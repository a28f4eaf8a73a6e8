"""One call as an author writes it is decided as Check would decide it, and the trace tells why."""

import hmac
import json
from typing import Any

import pytest

from agen_authz.authoring.document import read_document
from agen_authz.authoring.explain import Node, trace_decision
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


def flat(node: Node) -> list[str]:
    return [node.text, *(line for child in node.children for line in flat(child))]


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
    assert Decided(early.decision).situations() == []


# ---- the trace -----------------------------------------------------------------------------------------------


def test_trace_names_rule_policies_conditions_and_values(tmp_path):
    written = {"call": {**REFUND, "args": {"amount": 1001}}, "claims": FINANCE}
    trace = told(tmp_path, written)
    digest = hmac.new(TRACE_KEY, b"1001", "sha256").hexdigest()[:12]
    assert flat(trace.root) == [
        "deny: policy_denied",
        "method allowed tools/call",
        "access granted refunds",
        "policy `big` (enforce, deny): applies",
        "args.amount > 1000.0 -> true",
        f"args.amount = (int, digest {digest})",
        "policy `fresh` (enforce, step_up): applies",
        "demands acr strong, max_age 300 s",
    ]
    assert f"args.amount = {1001}" in flat(told(tmp_path, written, digest_key=None).root)


def test_trace_tells_of_policies_that_do_not_apply(tmp_path):
    trace = told(tmp_path, {"call": GET, "claims": {**ANALYST, "team": "blue"}})
    assert [node.text for node in trace.root.children][-1] == "policy `watched` (shadow, deny): does not apply"
    assert any(line.startswith("user.claims.team = (str, digest ") for line in flat(trace.root))
    assert "blue" not in "\n".join(flat(trace.root))


SHOWN = {
    "roles": ("\\\"analyst\\\" in user.roles", {}, 'user.roles = ["analyst"]'),
    "an argument that is not there": ("args.x == 1", {}, "args.x = (not there)"),
    "an argument that is null": ("args.x == null", {"x": None}, "args.x = null"),
    "an address that nobody knows": ("request.ip == ''", {}, "request.ip = (not there)"),
    "every element": ("args.x.exists(e, e == 1)", {"x": [1]}, "args.x[*] = (several)"),
    "a member of what has none": ("args.x.y == 1", {"x": 5}, "args.x.y = (not there)"),
}  # fmt: skip


@pytest.mark.parametrize(("condition", "args", "line"), SHOWN.values(), ids=SHOWN)
def test_what_a_condition_read_is_shown(tmp_path, condition, args, line):
    text = f'{GOOD}policies: [{{name: p, state: enforce, when: ["{condition}"], then: deny}}]\n'
    assert line in flat(told(tmp_path, {"call": {**GET, "args": args}, "claims": ANALYST}, text).root)


def test_secrets_are_shown_as_digests_that_tell_equal_from_unequal(tmp_path):
    text = f"{GOOD}policies: [{{name: p, state: enforce, when: ['args.a == user.claims.b'], then: deny}}]\n"

    def shown(secret: str, claim: object) -> list[str]:
        call = {**GET, "args": {"a": secret}}
        lines = flat(told(tmp_path, {"call": call, "claims": {**ANALYST, "b": claim}}, text).root)
        assert "hunter2" not in json.dumps(lines)
        return [line.partition("digest ")[2] for line in lines if "digest" in line]

    assert len(set(shown("hunter2", "hunter2"))) == 1
    assert len(set(shown("hunter2", "hunter3"))) == 2
    # A number of any size has a digest too.
    assert len(set(shown("hunter2", 10**40))) == 2


def test_digests_of_another_key_are_others(tmp_path):
    written = {"call": {**REFUND, "args": {"amount": 1001}}, "claims": FINANCE}
    lines = [set(flat(told(tmp_path, written, digest_key=key).root)) for key in (b"a" * 32, b"b" * 32)]
    assert [len(each - other) for each, other in (lines, lines[::-1])] == [1, 1]


def test_what_a_terminal_would_obey_is_not_shown(tmp_path):
    text = f"{GOOD}policies: [{{name: p, state: enforce, when: ['args.a == args.b'], then: deny}}]\n"
    written = {"call": {**GET, "args": {"a": "x\x1b[2J\n", "b": ["\x9b", True, 1.5]}}, "claims": ANALYST}
    lines = flat(told(tmp_path, written, text, digest_key=None).root)
    assert {"args.a = x?[2J?", 'args.b = ["?", true, 1.5]'} <= set(lines)


def test_twin_of_an_argument_is_told(tmp_path):
    trace = told(tmp_path, {"call": {**REFUND, "args": {"amount": 5, "Amount": 5000}}, "claims": FINANCE})
    told_of = "because `args.amount` has a key that another program may read as another one"
    lines = flat(trace.root)
    assert (trace.reason.value, told_of in lines) == ("policy_error", True)
    assert "args.amount > 1000.0 -> cannot be evaluated" in lines


def test_text_that_the_library_would_cut_short_is_not_taken_for_what_is_left_of_it(tmp_path):
    text = f"{GOOD}policies: [{{name: p, state: enforce, when: ['args.a != \"x\"'], then: deny}}]\n"
    trace = told(tmp_path, {"call": {**GET, "args": {"a": "x\x00y"}}, "claims": ANALYST}, text)
    assert (trace.reason.value, 'args.a != "x" -> cannot be evaluated' in flat(trace.root)) == ("policy_error", True)


def test_condition_that_cannot_be_evaluated_is_told(tmp_path):
    trace = told(tmp_path, {"call": {**REFUND, "args": {"amount": "5"}}, "claims": FINANCE})
    lines = flat(trace.root)
    assert "policy `big` (enforce, deny): error" in lines and "args.amount > 1000.0 -> cannot be evaluated" in lines
    assert "because a value is of another type than `_>_(string, double)` takes (it reads `args.amount`)" in lines
