"""Recorded decisions decided again: what would change, and what nobody can say from events alone."""

from typing import Any

import pytest

from agen_authz.authoring.replay.replay import replay
from agen_authz.authoring.replay.replayed import Replayed
from agen_authz.authoring.replay.stage import STAGES, Stage
from agen_authz.core.decide import decide
from agen_authz.core.http.route import Route
from agen_authz.core.model import Allow, Context, Deny, Facts
from agen_authz.core.reason import Reason
from agen_authz.wire.event import render_event
from agen_authz.wire.identity import render_principal
from tests.authoring.rig import TEXT, draft, event, lines
from tests.builders import NOW, call, principal, request, tool
from tests.config.test_mistakes import GOOD
from tests.reached import reach

ALLOWED = {"decision": "allow", "reason": "allowed"}
OPEN = "    insecure_unsigned: true\n  - name: billing"


def policies(*written: str) -> str:
    return GOOD + "policies:\n" + "".join(f"  - {{{each}}}\n" for each in written)


def changed(before: str, after: str, target: str = "crm/get_customer", names: str = "") -> Replayed:
    result = Replayed(events=1)
    result.changes[before, after, target, names] = 1
    return result


def unread(*names: str, same: int = 0, undecided: int = 0) -> Replayed:
    result = Replayed(events=1, same=same, undecided=undecided)
    result.unanswerable.update(names)
    return result


def unheld(before: str, missing: str) -> Replayed:
    result = Replayed(events=1, undecided=1)
    result.unheld[before, missing] += 1
    return result


SAME = Replayed(events=1, same=1)
DENY = "name: p, state: enforce, tools: ['crm/*'], then: deny"
READS = "name: reads, state: enforce, tools: ['crm/*'], then: deny, when: ['args.x == 1']"
STEP_UP = "name: up, state: enforce, then: step_up, step_up: {acr: [strong], max_age: 5m, scope: s}"
STRONG = {"acr": "strong", "scopes": ["s"], "auth_time": 1_800_000_000.0 - 60}
IN_OFFICE = "when: ['\"office\" in request.networks']"
TIME = "when: ['request.time < timestamp(\"2027-01-15T08:00:01Z\")']"
ALLOW = "allow (allowed)"
CUT = {"field": "groups", "total": 200, "digest": "0" * 64}
DENIED = "deny (policy_denied)"
# name: (draft, event, the result of it)
CASES: dict[str, tuple[str, Any, Replayed]] = {
    "allowed still": (GOOD, event(), SAME),
    "caller cut": (GOOD, event(principal={"shortened": [CUT]}), Replayed(events=1, undecided=1)),
    "call cut": (GOOD, event(shortened=[{**CUT, "field": "call.targets"}]), Replayed(events=1, undecided=1)),
    "steps cut": (GOOD, event(shortened=[{**CUT, "field": "why"}]), SAME),
    "denied now": (policies(DENY), event(), changed(ALLOW, DENIED, names="p")),
    "denied in shadow": (policies(DENY.replace("enforce", "shadow")), event(), SAME),
    "denied by a disabled policy": (policies(DENY.replace("enforce", "disabled")), event(), SAME),
    "denied still": (policies(DENY), event(decision="deny", reason="policy_denied"), SAME),
    "denied no longer": (GOOD, event(decision="deny", reason="policy_denied"), changed(DENIED, ALLOW)),
    "granted no longer": (GOOD.replace("[analyst]", "[boss]"), event(), changed(ALLOW, "deny (not_granted)")),
    "named by no rule any more": (GOOD.replace("get_*", "list_*"), event(), changed(ALLOW, "deny (unmapped)")),
    "granted now": (
        GOOD, event(decision="deny", reason="not_granted"), changed("deny (not_granted)", ALLOW),
    ),
    "stronger proof asked for": (policies(STEP_UP), event(), changed(ALLOW, "step_up (step_up_required)", names="up")),
    "stronger proof given": (policies(STEP_UP), event(principal=STRONG), SAME),
    "proof too old": (
        policies(STEP_UP), event(principal={**STRONG, "auth_time": 1_799_990_000.0}),
        changed(ALLOW, "step_up (step_up_required)", names="up"),
    ),
    "inside a network of the draft": (
        policies(f"{DENY}, {IN_OFFICE}"), event(context={"ip": "10.1.2.3", "networks": []}),
        changed(ALLOW, DENIED, names="p"),
    ),
    "inside a network that the draft has no longer": (
        policies(f"{DENY}, {IN_OFFICE}"), event(context={"ip": "192.0.2.1", "networks": ["office"]}), SAME,
    ),
    "an address that nobody knows": (
        policies(f"{DENY}, {IN_OFFICE}"), event(context={"ip": ""}), changed(ALLOW, "deny (policy_error)", names="p"),
    ),
    "at its own time": (policies(f"{DENY}, {TIME}"), event(), changed(ALLOW, DENIED, names="p")),
    "arguments are read": (policies(READS), event(), unread("reads", undecided=1)),
    "claims are read": (
        policies(READS.replace("args.x", "user.claims.x")), event(), unread("reads", undecided=1),
    ),
    "arguments are read in shadow": (policies(READS.replace("enforce", "shadow")), event(), unread("reads", same=1)),
    "arguments are read, and nobody knows whether they were there": (
        policies(READS.replace("args.x == 1", "has(args.x)")), event(), unread("reads", undecided=1),
    ),
    "arguments are read, and nobody knows whether they were missing": (
        policies(READS.replace("args.x == 1", "!has(args.x)")), event(), unread("reads", undecided=1),
    ),
    "arguments are read, and another condition is false": (
        policies(READS.replace("when: [", "when: ['\"boss\" in user.roles', ")), event(), SAME,
    ),
    "arguments are read, and another condition is true": (
        policies(READS.replace("when: [", "when: ['\"analyst\" in user.roles', ")), event(),
        unread("reads", undecided=1),
    ),
    "arguments are read for another tool": (policies(READS.replace("crm/*", "crm/x*")), event(), SAME),
    "arguments are read, and the role is not granted": (
        policies(READS).replace("[analyst]", "[boss]"), event(), changed(ALLOW, "deny (not_granted)"),
    ),
    "arguments are read, and the caller may not come": (
        policies(READS).replace(OPEN, f"    clients: [other]\n{OPEN}"), event(), changed(ALLOW, "deny (token_client)"),
    ),
    "annotations are read": (
        policies(READS.replace("args.x == 1", "tool.annotations.readOnlyHint")), event(),
        unread("reads", undecided=1),
    ),
    "a tool that was not approved": (
        GOOD, event(decision="deny", reason="tool_unpinned"),
        unheld("deny (tool_unpinned)", "the tool's approved definitions"),
    ),
    "a tool that had changed": (
        GOOD, event(decision="deny", reason="tool_changed"),
        unheld("deny (tool_changed)", "the tool's approved definitions"),
    ),
    "arguments that did not fit": (
        GOOD, event(decision="deny", reason="invalid_arguments"),
        unheld("deny (invalid_arguments)", "the arguments and the tool's approved definitions"),
    ),
    "a task of another caller": (
        GOOD, event(decision="deny", reason="task_unknown", call={"method": "tasks/get", "targets": []}),
        unheld("deny (task_unknown)", "whose a task is"),
    ),
    "a task of the caller": (
        GOOD, event(call={"method": "tasks/get", "targets": []}), unheld(ALLOW, "whose a task is"),
    ),
    "a task, refused for its token": (
        GOOD, event(decision="deny", reason="token_expired", call={"method": "tasks/get", "targets": []}),
        Replayed(events=1, skipped=1),
    ),
    "a Reason that this version does not know": (
        GOOD, event(decision="deny", reason="invented"), Replayed(events=1, skipped=1),
    ),
    "a list of tools": (
        GOOD, event(call={"method": "tools/list", "targets": []}), SAME,
    ),
    "a method that is denied now": (
        GOOD.replace(OPEN, f"    methods: {{tools/list: deny}}\n{OPEN}"),
        event(call={"method": "tools/list", "targets": []}), changed(ALLOW, "deny (method_denied)", "tools/list"),
    ),
    "a call in a session": (GOOD, event(call={"era": "legacy", "version": "2025-11-25", "session_digest": "d"}), SAME),
    "a resource that is there no longer": (
        GOOD, event("hr/get_x"), changed(ALLOW, "deny (unknown_path)", "hr/get_x"),
    ),
    "a provider that is there no longer": (
        GOOD, event(principal={"issuer": "https://old.example.com/"}), changed(ALLOW, "deny (token_issuer)"),
    ),
    "a scope that is asked for now": (
        GOOD.replace(OPEN, f"    scopes: [mcp]\n{OPEN}"), event(), changed(ALLOW, "deny (scope_missing)"),
    ),
    "a tenant that is asked for now": (
        GOOD + "tenants: {acme: {policies: []}}\n", event(), changed(ALLOW, "deny (tenant_missing)"),
    ),
    "a tenant's own policy": (
        GOOD + f"tenants: {{acme: {{policies: [{{{DENY}}}]}}}}\n", event(principal={"tenant": "acme"}),
        changed(ALLOW, DENIED, names="p"),
    ),
    "somebody who is revoked now": (
        GOOD + "revoked: {subjects: [ann]}\n", event(), changed(ALLOW, "deny (token_revoked)"),
    ),
    "refused for its token": (GOOD, event(decision="deny", reason="token_expired"), Replayed(events=1, skipped=1)),
    "without a caller": (
        GOOD, {"time": "2027-01-15T08:00:00+00:00", **ALLOWED, "server": "crm"}, Replayed(events=1, skipped=1),
    ),
    "no event": (GOOD, {"x": 1}, Replayed(events=1, unreadable=1)),
    "no object": (GOOD, [], Replayed(events=1, unreadable=1)),
    "an address that is none": (GOOD, event(context={"ip": "here"}), Replayed(events=1, unreadable=1)),
    "an era that nobody knows": (GOOD, event(call={"era": "stone"}), Replayed(events=1, unreadable=1)),
}  # fmt: skip


@pytest.mark.parametrize(("text", "recorded", "expected"), CASES.values(), ids=CASES)
def test_event_is_decided_again(tmp_path, text, recorded, expected):
    assert replay(draft(tmp_path, text), lines(recorded)) == expected


def test_denial_that_reads_nothing_is_the_same_for_any_arguments(tmp_path):
    expected = changed(ALLOW, DENIED, names="p")
    expected.unanswerable["reads"] = 1
    assert replay(draft(tmp_path, policies(READS, DENY)), lines(event())) == expected


def test_step_up_does_not_stand_where_arguments_may_deny(tmp_path):
    assert replay(draft(tmp_path, policies(READS, STEP_UP)), lines(event())) == unread("reads", undecided=1)


def test_policy_in_shadow_that_reads_arguments_changes_nothing(tmp_path):
    text = policies(READS.replace("enforce", "shadow"), STEP_UP)
    expected = changed(ALLOW, "step_up (step_up_required)", names="up")
    expected.unanswerable["reads"] = 1
    assert replay(draft(tmp_path, text), lines(event())) == expected


def test_changes_are_grouped_and_counted_and_lines_that_are_none_are_passed_over(tmp_path):
    text = policies(DENY.replace("crm/*", "crm/get_customer"))
    told = replay(
        draft(tmp_path, text), [*lines(event(), event(), event("crm/get_order")), b"\n", b"  \n", b"{not json\n"]
    )
    assert told.changes == {(ALLOW, DENIED, "crm/get_customer", "p"): 2}
    assert (told.events, told.same, told.unreadable) == (4, 1, 1)


@pytest.mark.parametrize("name", ["get_customer", "update_customer"])
def test_event_as_the_sidecar_writes_it_is_read(tmp_path, name):
    built = draft(tmp_path, TEXT)
    who = principal(issuer=built.providers["corp"].issuer, provider="corp", auth_time=NOW - 5)
    asked = call("tools/call", tool(name), arguments={"id": 1})
    decision = decide(asked, who, Facts(NOW, None, Context("192.0.2.1", (), None, ""), "mcp.example.com"), built.rules)
    assert isinstance(decision, Allow if name == "get_customer" else Deny)
    route = Route(built.rules.resources["crm"], is_metadata=False)
    written = render_event(
        decision,
        reach(request(), route, render_principal(who), asked, rules=built.rules),
        now=NOW,
        duration_us=1,
    )
    # `watched` reads a claim, in shadow: what was decided stands.
    expected = unread("watched", same=1) if name == "get_customer" else SAME
    assert replay(built, [written]) == expected


def test_every_reason_is_of_one_stage():
    held = [reason for reasons in STAGES.values() for reason in reasons]
    assert (sorted(held), set(STAGES)) == (sorted(Reason), set(Stage))
