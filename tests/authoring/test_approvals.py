"""`policy lint`, `test`, `explain` and `replay` know what people must approve."""

import json

import pytest

from agen_authz.authoring.approved import judge_approved
from agen_authz.authoring.draft import Draft, build_draft
from agen_authz.authoring.explain import render_text, trace_decision
from agen_authz.authoring.lint import LintFinding, lint
from agen_authz.authoring.replay.replay import replay
from agen_authz.authoring.scenario import CallText, Scenario, decide_scenario
from agen_authz.config import load
from agen_authz.core.stage import Judged
from tests.authoring.rig import RULES, config, event, lines, run, tool, write
from tests.builders import NOW
from tests.config.test_mistakes import GOOD

FLOWS = """\
approvals:
  base_url: https://approve.example.com
  flows:
    - name: finance
      steps:
        - {name: lead, approvers: {roles: [lead], emails: [bob@acme.example]}}
        - {name: control, approvers: {groups: [control]}, quorum: 2}
      timeout: 4h
"""
LAX = FLOWS + "      on_timeout: approve\n      low_risk: true\n"
STORE = "store: {encryption_key_file: /run/key}\n"
ASKS = "  - {name: refunds, state: STATE, tools: [TOOL], then: require_approval, flow: finance}\n"


def text(tool: str = "billing/refund", state: str = "enforce", flows: str = FLOWS, store: str = STORE) -> str:
    return GOOD + RULES + "policies:\n" + ASKS.replace("TOOL", tool).replace("STATE", state) + flows + store


def draft(folder, written: str) -> Draft:
    return build_draft(load(write(folder, written), secrets=False))


def scenario(**changes) -> Scenario:
    claims = {"roles": ["finance", "enrolled"]}
    return Scenario(call=CallText(server="billing", tool="refund", args={"amount": 1}), claims=claims, **changes)


def decided(made: Draft, **changes):
    return decide_scenario(made, scenario(**changes), now=NOW)


@pytest.mark.parametrize(
    ("approvals", "reason"),
    [
        ({}, "approval_required"),
        ({"refunds": "open"}, "approval_required"),
        ({"refunds": "granted"}, "allowed"),
        ({"refunds": "rejected"}, "approval_rejected"),
    ],
)
def test_scenario_says_how_its_approvals_stand(tmp_path, approvals, reason):
    assert decided(draft(tmp_path, text()), approvals=approvals).decision.reason.value == reason


def test_scenario_names_policies_that_ask(tmp_path):
    with pytest.raises(ValueError, match="no policy `nosuch` asks for an approval"):
        decided(draft(tmp_path, text()), approvals={"nosuch": "granted"})


def test_call_that_needs_no_approval_is_judged_as_ever(tmp_path):
    found = decided(draft(tmp_path, text(state="shadow")), approvals={"refunds": "rejected"})
    assert isinstance(found.ended, Judged) and found.facts is not None
    assert found.decision == judge_approved(found.ended.stage, found.facts, {}).decision
    assert found.decision.word == "allow"


def test_explanation_shows_the_flow_and_how_the_approval_stands(tmp_path):
    made = draft(tmp_path, text())
    drawn = render_text(trace_decision(made, decided(made, approvals={"refunds": "open"}), digest_key=b"k" * 32))
    assert drawn.splitlines()[0] == "await_approval: approval_required"
    assert "approval open refunds" in drawn
    assert drawn.endswith(
        "└─ policy `refunds` (enforce, require_approval): applies\n"
        "   └─ asks flow `finance`; no decision within 14400 s denies\n"
        "      ├─ step `lead`: 1 of role lead, email bob@acme.example\n"
        "      └─ step `control`: 2 of group control"
    )


def test_explanation_says_if_the_clock_approves(tmp_path):
    made = draft(tmp_path, text(flows=LAX))
    drawn = render_text(trace_decision(made, decided(made), digest_key=None))
    assert "no decision within 14400 s approves" in drawn


CASES = """\
cases:
  - name: a refund waits
    call: {server: billing, tool: refund, args: {amount: 1}}
    claims: {roles: [finance, enrolled]}
    expect: {decision: await_approval, reason: approval_required, policy: refunds}
  - name: an approved refund is made
    call: {server: billing, tool: refund, args: {amount: 1}}
    claims: {roles: [finance, enrolled]}
    approvals: {refunds: granted}
    expect: {decision: allow}
"""


def test_cases_expect_approvals(tmp_path):
    cases = tmp_path / "cases"
    cases.mkdir()
    (cases / "approvals.yaml").write_text(CASES)
    (tmp_path / "key").write_bytes(b"k" * 32)
    store = f"store: {{encryption_key_file: {tmp_path}/key, url: 'sqlite:///{tmp_path}/agen.db'}}\n"
    ran = run("test", cases, "--config", write(tmp_path, text(store=store)))
    assert (ran.exit_code, ran.stdout.strip()) == (0, "2 of 2 cases as expected")


def test_flow_that_is_not_configured_is_a_mistake(tmp_path):
    written = config(
        tmp_path, GOOD + RULES + "policies:\n" + ASKS.replace("TOOL", "billing/refund").replace("STATE", "enforce")
    )
    ran = run("explain", "-", "--config", written, given=json.dumps({"call": {"server": "billing", "tool": "refund"}}))
    assert ran.exit_code != 0 and "unknown flow `finance`" in ran.output


def timed_out_writes(names: str) -> LintFinding:
    message = f"`finance` approves what no one decides in time, and these write: {names}"
    return LintFinding("write_approved_by_timeout", "refunds", message, "use a flow with `on_timeout: deny`")


@pytest.mark.parametrize(
    ("made", "known", "found"),
    [
        (text("crm/get_customer", flows=LAX), [tool("get_customer", is_read_only=True)], []),
        (text("crm/get_customer", flows=LAX), [tool("get_customer")], [timed_out_writes("crm/get_customer")]),
        (text("crm/get_customer", flows=FLOWS), [tool("get_customer")], []),
        (text("crm/get_*", flows=LAX, state="shadow"), [tool("get_x")], [timed_out_writes("crm/get_x")]),
    ],
    ids=["reads", "writes", "denied in the end", "in shadow"],
)
def test_write_that_the_clock_approves_is_found(tmp_path, made, known, found):
    findings = lint(draft(tmp_path, made), known, {}, NOW)
    assert [each for each in findings if each.check == "write_approved_by_timeout"] == found


@pytest.mark.parametrize(("state", "is_found"), [("enforce", False), ("shadow", False), ("disabled", True)])
def test_flow_that_no_policy_asks_is_found(tmp_path, state, is_found):
    findings = lint(draft(tmp_path, text(state=state)), [], {}, NOW)
    unused = LintFinding("unused_flow", "finance", "no policy asks this flow", "name it in a policy, or remove it")
    assert [each for each in findings if each.check == "unused_flow"] == ([unused] if is_found else [])


@pytest.mark.parametrize(("state", "is_found"), [("enforce", True), ("shadow", False)])
def test_responses_that_cannot_be_posted_because_of_an_approval_are_found(tmp_path, state, is_found):
    findings = lint(draft(tmp_path, text(state=state)), [], {}, NOW)
    message = "it asks for approval, so it denies every response that a legacy client posts to `billing`"
    cure = "say so with `methods: {response: deny}` under the resource `billing`"
    denied = LintFinding("denies_responses", "refunds", message, cure)
    assert [each for each in findings if each.check == "denies_responses"] == ([denied] if is_found else [])


CONSOLE = "console: {provider: corp, client_id: c, client_secret_file: /run/secret}\n"
ENTRA = "https://login.microsoftonline.com/7f1c2d3e-0000-4000-8000-000000000000/v2.0"
OWN = FLOWS + "      requester_may_approve: true\n"


@pytest.mark.parametrize(
    ("issuer", "claims", "flows", "console", "is_found"),
    [
        (ENTRA, "{tenant: tid}", FLOWS, CONSOLE, True),
        (ENTRA, "{tenant: tid, subject: oid}", FLOWS, CONSOLE, False),
        ("https://id.example.com/", "{tenant: tid}", FLOWS, CONSOLE, False),
        (ENTRA, "{tenant: tid}", OWN, CONSOLE, False),
        (ENTRA, "{tenant: tid}", FLOWS, "", False),
    ],
    ids=["pairwise", "by object", "another provider", "requesters may approve", "no console"],
)
def test_provider_under_whose_sub_a_requester_is_not_recognised_is_found(
    tmp_path, issuer, claims, flows, console, is_found
):
    made = text(flows=flows) + console
    made = made.replace("https://id.example.com/", issuer).replace("{tenant: tenantId}", claims)
    findings = lint(draft(tmp_path, made), [], {}, NOW)
    message = "it gives each client another `sub` for one person, so requesters who approve may not be recognised"
    found = LintFinding("pairwise_subject", "corp", message, "add `claims: {subject: oid}`")
    assert [each for each in findings if each.check == "pairwise_subject"] == ([found] if is_found else [])


# ---- replay ----------------------------------------------------------------------------------------------


def step(outcome: str, policy: str = "refunds"):
    return {"check": "approval", "outcome": outcome, "rule": policy}


def recorded(decision: str, reason: str, *why, **changes):
    principal = {"roles": ["finance", "enrolled"]}
    said = {"decision": decision, "reason": reason, "why": list(why), "principal": principal}
    return event("billing/refund", **said, **changes)


@pytest.mark.parametrize(
    "held",
    [
        recorded("await_approval", "approval_required", step("unasked")),
        recorded("await_approval", "approval_required", step("open")),
        recorded("allow", "allowed", step("granted")),
        recorded("deny", "approval_rejected", step("rejected")),
    ],
    ids=["unasked", "open", "granted", "rejected"],
)
def test_recorded_approval_stands_as_it_stood(tmp_path, held):
    result = replay(draft(tmp_path, text()), lines(held))
    assert (result.same, result.undecided, dict(result.changes)) == (1, 0, {})


def test_call_that_would_need_an_approval_now_is_a_change(tmp_path):
    result = replay(draft(tmp_path, text()), lines(recorded("allow", "allowed")))
    assert dict(result.changes) == {
        ("allow (allowed)", "await_approval (approval_required)", "billing/refund", "refunds"): 1
    }


def test_call_that_would_need_none_any_more_is_a_change(tmp_path):
    held = recorded("await_approval", "approval_required", step("open"))
    result = replay(draft(tmp_path, text(state="shadow")), lines(held))
    (change,) = result.changes
    assert change[:2] == ("await_approval (approval_required)", "allow (allowed)")


def test_event_whose_steps_were_cut_does_not_say_how_approvals_stood(tmp_path):
    held = recorded("allow", "allowed", shortened=[{"field": "why", "total": 99, "digest": "d"}])
    result = replay(draft(tmp_path, text()), lines(held))
    assert (result.same, result.undecided, dict(result.changes)) == (0, 1, {})


@pytest.mark.parametrize("reason", ["approval_limit", "approval_spent"])
def test_what_depends_on_how_things_stood_is_not_decided_again(tmp_path, reason):
    result = replay(draft(tmp_path, text()), lines(recorded("deny", reason)))
    assert dict(result.unheld) == {(f"deny ({reason})", "how approvals stood"): 1}
