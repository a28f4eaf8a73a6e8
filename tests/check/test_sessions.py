"""Legacy sessions: an id proves whose session it is, the backend gets its own, and the modern era has none."""

import pytest

from agen_authz.core.cel.condition import Condition
from agen_authz.core.model import Effect, Issuer, State
from agen_authz.core.policy.table import Policy, compile_policies, environment
from tests import builders as build
from tests.builders import claims, sign
from tests.check.rig import Rig, Seen

RESPONSE = {"jsonrpc": "2.0", "id": 1, "result": {}}
MINE = build.session("s1")


def post(rig: Rig, document, *, subject: str = "ann", session: str | None = MINE, method: str = "POST") -> Seen:
    headers = build.headers_for(sign(claims(sub=subject)), document)
    if session is not None:
        headers["mcp-session-id"] = session
    body = build.encode(document) if method == "POST" else b""
    return rig.check(build.check_request(headers, body, method=method))


def outcomes(*seen: Seen) -> list[tuple[str, int]]:
    return [(each.reason, each.status) for each in seen]


@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
def test_backend_gets_its_own_id_and_the_client_keeps_the_one_it_has(method):
    seen = post(Rig(), build.message("ping"), method=method)
    assert (seen.is_allowed, seen.header("mcp-session-id")) == (True, "s1")
    # What is inspected (GET) gets its headers from Process.
    assert dict(seen.added).get("mcp-session-id") == (None if seen.sealed else MINE)
    assert "mcp-session-id" not in seen.removed


@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
@pytest.mark.parametrize(
    "session",
    [
        build.session(subject="eve"),
        build.session(server="billing"),
        build.session(issuer=build.OTHER_ISSUER),
        "s1",
        "x",
        MINE[:-1] + "2",
        MINE[:23],
        "A" + MINE[1:] if MINE[0] != "A" else "B" + MINE[1:],
        MINE[:22] + "u" + MINE[23:],
        MINE[:22] + "x" + MINE[23:],
        MINE.swapcase(),
    ],
)
def test_id_that_was_not_given_to_this_caller_here_is_that_of_no_session(session, method):
    assert outcomes(post(Rig(), build.message("ping"), session=session, method=method)) == [("session_unknown", 404)]


def test_same_subject_of_another_issuer_is_another_caller():
    other = build.provider(name="other", issuer=Issuer(build.OTHER_ISSUER))
    rig = Rig(resources=(build.resource(providers={build.ISSUER: build.provider(), build.OTHER_ISSUER: other}),))
    theirs, own = (build.session(issuer=issuer) for issuer in (build.ISSUER, build.OTHER_ISSUER))
    token = sign(claims(iss=build.OTHER_ISSUER), key=build.ec_key("other"))
    seen = [rig.post(build.message("ping"), token, headers={"mcp-session-id": each}) for each in (theirs, own)]
    assert outcomes(*seen) == [("session_unknown", 404), ("allowed", 200)]


def test_initialize_within_a_session_may_give_out_another_one():
    document = build.message("initialize", {"protocolVersion": build.LEGACY, "capabilities": {}})
    seen = post(Rig(), document)
    assert (seen.is_allowed, bool(seen.sealed), "mcp-session-id" in dict(seen.added)) == (True, True, False)


def test_another_replica_and_a_restart_know_the_session():
    assert outcomes(*(post(Rig(), build.message("ping")) for _ in range(2))) == [("allowed", 200)] * 2


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_stream_and_end_need_a_session(method):
    assert outcomes(post(Rig(), None, session=None, method=method)) == [("session_missing", 400)]


def test_posted_response_needs_a_session_of_the_caller():
    rig = Rig()
    mine, theirs, none = post(rig, RESPONSE), post(rig, RESPONSE, subject="eve"), post(rig, RESPONSE, session=None)
    assert outcomes(mine, theirs, none) == [("allowed", 200), ("session_unknown", 404), ("posted_response", 400)]


def test_posted_response_may_be_denied_by_configuration():
    rig = Rig(resources=(build.resource(methods={"response": False}),))
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


@pytest.mark.parametrize("session", [MINE, build.session(subject="eve"), "s1"])
def test_modern_request_loses_the_session_header(session):
    seen = Rig().post(build.modern(), headers={"mcp-session-id": session})
    assert (seen.is_allowed, "mcp-session-id" in seen.removed) == (True, True)
    assert "mcp-session-id" not in dict((*seen.headers, *seen.added))


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_request_without_a_message_brings_the_backend_no_header_about_one(method):
    about = {"mcp-method": "tools/call", "mcp-name": "delete_customer", "mcp-param-id": "7"}
    headers = build.headers_for(sign(claims())) | {"mcp-session-id": MINE} | about
    seen = Rig().check(build.check_request(headers, b"", method=method))
    assert (seen.reason, set(about) & set(seen.removed), "mcp-session-id" in seen.removed) == (
        "allowed", set(about), False,
    )  # fmt: skip


def test_caller_who_may_not_make_the_call_learns_nothing_from_its_parameter_headers():
    rig = Rig()
    document = build.message("tools/call", {"name": "delete_customer", "arguments": {"id": 1}})
    seen = [rig.post(document, headers={"mcp-param-id": value}) for value in ("1", "2")]
    assert outcomes(*seen) == [("not_granted", 200)] * 2
