"""Legacy sessions: bound on first use, nobody else's afterwards, and nothing at all in the modern era."""

import pytest

from agen_authz.core.cel.condition import Condition
from agen_authz.core.model import Effect, Issuer, Owner, SessionId, State, Subject
from agen_authz.core.policy.table import Policy, compile_policies, environment
from tests import builders as build
from tests.builders import claims, sign
from tests.check.rig import Rig, Seen
from tests.fakes import DictSessions, FakeClock

RESPONSE = {"jsonrpc": "2.0", "id": 1, "result": {}}


def post(rig: Rig, document, *, subject: str = "ann", session: str | None = "s1", method: str = "POST") -> Seen:
    headers = build.headers_for(sign(claims(sub=subject)), document)
    if session is not None:
        headers["mcp-session-id"] = session
    body = build.encode(document) if method == "POST" else b""
    return rig.check(build.check_request(headers, body, method=method))


def outcomes(*seen: Seen) -> list[tuple[str, int]]:
    return [(each.reason, each.status) for each in seen]


@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
def test_session_of_another_caller_is_unknown(method):
    rig = Rig()
    first = post(rig, build.message("ping"))
    again = post(rig, build.message("ping"), subject="eve", method=method)
    assert outcomes(first, again) == [("allowed", 200), ("session_unknown", 404)]


def test_session_stays_its_owners():
    rig = Rig()
    seen = [post(rig, build.message("ping"), method=method) for method in ("POST", "GET", "POST", "DELETE")]
    assert outcomes(*seen) == [("allowed", 200)] * 4


def test_session_of_one_resource_is_unknown_at_another():
    rig = Rig(resources=(build.resource(), build.billing()))
    post(rig, build.message("ping"))
    token = sign(claims(iss=build.OTHER_ISSUER, aud=build.BILLING_URL, sub="eve"), key=build.ec_key("other"))
    headers = {**build.headers_for(token), "mcp-session-id": "s1"}
    raw = build.check_request(headers, build.encode(build.message("ping")), path="/billing/mcp")
    assert outcomes(rig.check(raw)) == [("session_unknown", 404)]
    assert rig.sessions.owners == {("crm", "s1"): Owner(Issuer(build.ISSUER), Subject("ann"))}


def test_same_subject_of_another_issuer_is_another_caller():
    provider = build.provider()
    other = build.provider(name="other", issuer=Issuer(build.OTHER_ISSUER))
    rig = Rig(resources=(build.resource(providers={build.ISSUER: provider, build.OTHER_ISSUER: other}),))
    post(rig, build.message("ping"))
    token = sign(claims(iss=build.OTHER_ISSUER), key=build.ec_key("other"))
    seen = rig.post(build.message("ping"), token, headers={"mcp-session-id": "s1"})
    assert outcomes(seen) == [("session_unknown", 404)]


def test_denied_call_binds_no_session():
    rig = Rig()
    post(rig, build.message("tools/call", {"name": "nope"}), subject="eve")
    assert rig.sessions.owners == {}


def test_posted_response_needs_a_session_bound_to_the_caller():
    rig = Rig()
    unbound = post(rig, RESPONSE)
    post(rig, build.message("ping"))
    mine, theirs, none = post(rig, RESPONSE), post(rig, RESPONSE, subject="eve"), post(rig, RESPONSE, session=None)
    assert outcomes(unbound, mine, theirs, none) == [
        ("session_unknown", 404),
        ("allowed", 200),
        ("session_unknown", 404),
        ("posted_response", 400),
    ]


def test_posted_response_may_be_denied_by_configuration():
    rig = Rig(resources=(build.resource(methods={"response": False}),))
    post(rig, build.message("ping"))
    assert post(rig, RESPONSE).reason == "method_denied"


def test_posted_response_is_denied_where_a_policy_reads_answers_and_nothing_else_is():
    condition = environment().compile("has(inputs.amount) && inputs.amount.content.n > 5.0")
    assert isinstance(condition, Condition)
    rig = Rig(policies=compile_policies([Policy("answers", State.ENFORCE, Effect.DENY, (), (condition,))]))
    call, note = build.message(), {"jsonrpc": "2.0", "method": "notifications/initialized"}
    seen = outcomes(*(post(rig, each) for each in (call, RESPONSE, note)))
    assert seen == [("allowed", 200), ("policy_error", 200), ("allowed", 200)]
    cause = "a posted response does not say which `inputs` it answers"
    assert [each.get("policies", [{}])[0].get("cause") for each in rig.audit.events] == [None, cause, None]


def test_allowed_delete_ends_the_session_and_nothing_else_does():
    rig, ann = Rig(), Owner(Issuer(build.ISSUER), Subject("ann"))
    post(rig, build.message("ping"))
    for subject, method in (("eve", "DELETE"), ("ann", "GET"), ("ann", "POST")):
        post(rig, build.message("ping"), subject=subject, method=method)
    before = list(rig.sessions.ended)
    post(rig, None, method="DELETE")
    assert (before, rig.sessions.ended) == ([], [("crm", "s1", ann)])


def test_session_whose_first_word_is_its_end_is_bound_and_ended():
    rig, ann = Rig(), Owner(Issuer(build.ISSUER), Subject("ann"))
    assert post(rig, None, method="DELETE").is_allowed
    assert (rig.sessions.owners, rig.sessions.ended) == ({}, [("crm", "s1", ann)])
    # It was bound first: for an hour the id is nobody else's.
    assert rig.sessions.find_owner("crm", SessionId("s1")) == ann


class RacedSessions(DictSessions):
    """Somebody else binds the session between the look-up and the binding."""

    def find_owner(self, server, session_id):
        found = super().find_owner(server, session_id)
        self.bind(server, session_id, Owner(Issuer(build.ISSUER), Subject("eve")))
        return found


def test_session_that_another_caller_bound_meanwhile_is_unknown():
    rig = Rig(sessions=RacedSessions(10, FakeClock()))
    assert outcomes(post(rig, build.message("ping"))) == [("session_unknown", 404)]


@pytest.mark.parametrize("binds_first", ["ann", "eve"])
def test_modern_request_loses_the_session_header_and_binds_nothing(binds_first):
    rig = Rig()
    rig.sessions.bind("crm", SessionId("s1"), Owner(Issuer(build.ISSUER), Subject(binds_first)))
    before = rig.sessions.owners
    seen = rig.post(build.modern(), headers={"mcp-session-id": "s1"})
    assert (seen.is_allowed, "mcp-session-id" in seen.removed, rig.sessions.owners) == (True, True, before)


def test_legacy_request_keeps_the_session_header():
    assert "mcp-session-id" not in post(Rig(), build.message("ping")).removed


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_request_without_a_message_brings_the_backend_no_header_about_one(method):
    rig = Rig()
    post(rig, build.message("ping"))
    about = {"mcp-method": "tools/call", "mcp-name": "delete_customer", "mcp-param-id": "7"}
    headers = build.headers_for(sign(claims())) | {"mcp-session-id": "s1"} | about
    seen = rig.check(build.check_request(headers, b"", method=method))
    assert (seen.reason, set(about) & set(seen.removed), "mcp-session-id" in seen.removed) == (
        "allowed", set(about), False,
    )  # fmt: skip


def test_caller_who_may_not_make_the_call_learns_nothing_from_its_parameter_headers():
    rig = Rig()
    document = build.message("tools/call", {"name": "delete_customer", "arguments": {"id": 1}})
    seen = [rig.post(document, headers={"mcp-param-id": value}) for value in ("1", "2")]
    assert outcomes(*seen) == [("not_granted", 200)] * 2
