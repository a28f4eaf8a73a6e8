"""The trace of a decision tells why, and shows no secret."""

import hmac
import json

import pytest

from agen_authz.authoring.explain import Trace, TraceNode, render_text
from agen_authz.core.reason import Reason
from tests.authoring.test_scenario import ANALYST, FINANCE, GET, REFUND, told
from tests.builders import TRACE_KEY
from tests.config.test_mistakes import GOOD


def flat(node: TraceNode) -> list[str]:
    return [node.text, *(line for child in node.children for line in flat(child))]


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


def test_twin_of_an_argument_is_reported(tmp_path):
    trace = told(tmp_path, {"call": {**REFUND, "args": {"amount": 5, "Amount": 5000}}, "claims": FINANCE})
    told_of = "because `args.amount` has a key that another program may read as another one"
    lines = flat(trace.root)
    assert (trace.reason.value, told_of in lines) == ("policy_error", True)
    assert "args.amount > 1000.0 -> cannot be evaluated" in lines


def test_text_that_the_library_would_cut_short_is_not_taken_for_what_is_left_of_it(tmp_path):
    text = f"{GOOD}policies: [{{name: p, state: enforce, when: ['args.a != \"x\"'], then: deny}}]\n"
    trace = told(tmp_path, {"call": {**GET, "args": {"a": "x\x00y"}}, "claims": ANALYST}, text)
    assert (trace.reason.value, 'args.a != "x" -> cannot be evaluated' in flat(trace.root)) == ("policy_error", True)


def test_condition_that_cannot_be_evaluated_is_reported(tmp_path):
    trace = told(tmp_path, {"call": {**REFUND, "args": {"amount": "5"}}, "claims": FINANCE})
    lines = flat(trace.root)
    assert "policy `big` (enforce, deny): error" in lines and "args.amount > 1000.0 -> cannot be evaluated" in lines
    assert "because a value is of another type than `_>_(string, double)` takes (it reads `args.amount`)" in lines


def test_tree_is_drawn_with_its_branches():
    drawn = Trace(
        "deny",
        Reason.UNMAPPED,
        (),
        TraceNode("a", (TraceNode("b", (TraceNode("c"), TraceNode("d"))), TraceNode("e", (TraceNode("f"),)))),
    )
    assert render_text(drawn).split("\n") == ["a", "├─ b", "│  ├─ c", "│  └─ d", "└─ e", "   └─ f"]
