"""The order of refusals: of two faults in one request, the one that is searched for first answers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import pytest

from agen_authz.core.model import TargetKind
from agen_authz.core.policy.access import AccessRule
from tests import builders as build
from tests.check.rig import Rig


@dataclass
class Draft:
    """A good legacy call of another caller's session, to be spoilt."""

    headers: dict[str, str]
    document: dict[str, Any]
    http: dict[str, Any] = field(default_factory=dict)
    body: bytes | None = None
    claims: dict[str, Any] = field(default_factory=dict)

    def sets(self, name: str, value: str) -> None:
        self.headers[name] = value


def fresh() -> Draft:
    document = build.message("tools/call", {"name": "get_customer"})
    return Draft({**build.headers_for(None), "mcp-session-id": build.session()}, document)


# Each fault and its Reason, in the order in which they are searched for. Of one group at most one is spoilt.
FAULTS: tuple[tuple[str, str, Callable[[Draft], None]], ...] = (
    ("host", "unknown_host", lambda draft: draft.http.update(host="evil.example.com")),
    ("path", "unknown_path", lambda draft: draft.http.update(path="/other")),
    ("query", "foreign_query", lambda draft: draft.http.update(path="/crm/mcp?a=1")),
    ("method", "method_not_allowed", lambda draft: draft.http.update(method="PUT")),
    ("upgrade", "upgrade_refused", lambda draft: draft.sets("upgrade", "websocket")),
    ("get with body", "unexpected_body", lambda draft: draft.http.update(method="GET")),
    ("underscore", "header_underscore", lambda draft: draft.sets("a_b", "1")),
    ("repeat", "header_repeated", lambda draft: draft.sets("mcp-method", "tools/call,tools/call")),
    ("syntax", "header_malformed", lambda draft: draft.sets("last-event-id", "\x01")),
    ("origin", "origin_refused", lambda draft: draft.sets("origin", "https://evil.example.com")),
    ("no token", "token_missing", lambda draft: draft.sets("authorization", "Basic x")),
    ("expired", "token_expired", lambda draft: draft.claims.update(exp=0)),
    ("audience", "token_audience", lambda draft: draft.claims.update(aud="x")),
    ("scope", "scope_missing", lambda draft: draft.claims.update(scope="")),
    ("media type", "media_type", lambda draft: draft.sets("content-type", "text/plain")),
    ("encoding", "content_encoding", lambda draft: draft.sets("content-encoding", "gzip")),
    ("partial", "body_partial", lambda draft: draft.sets("x-envoy-auth-partial-body", "true")),
    ("json", "json_syntax", lambda draft: setattr(draft, "body", b"{")),
    ("jsonrpc", "not_a_message", lambda draft: draft.document.update(jsonrpc="1")),
    ("version", "version_unsupported", lambda draft: draft.sets("mcp-protocol-version", "1999-01-01")),
    ("mismatch", "header_mismatch", lambda draft: draft.sets("mcp-name", "delete_customer")),
    ("spelling", "malformed_target", lambda draft: draft.document.update(params={"name": "get customer"})),
    ("session", "session_unknown", lambda draft: draft.sets("mcp-session-id", build.session(subject="bob"))),
    ("task", "task_unsupported", lambda draft: draft.document["params"].update(task=None)),
    ("access", "not_granted", lambda draft: draft.claims.update(roles=[])),
    # The first that looks at arguments, all of them.
    ("argument's header", "header_mismatch", lambda draft: draft.sets("mcp-param-id", "2")),
)
# Two faults of which one undoes the other.
EXCLUSIVE = (
    {"host", "path", "query"} - {"host"},
    {"method", "get with body"},
    {"jsonrpc", "json"},
    {"spelling", "task"},
    {"no token", "expired"},
    {"no token", "audience"},
    {"no token", "scope"},
    {"no token", "access"},
    {"spelling", "mismatch"},
    # A GET has no message.
    *({"get with body", name} for name in ("json", "jsonrpc")),
)


def pairs() -> list[Any]:
    chosen = []
    for first, second in combinations(FAULTS, 2):
        if not any({first[0], second[0]} == pair for pair in EXCLUSIVE):
            chosen.append(pytest.param(first, second, id=f"{first[0]} before {second[0]}"))
    return chosen


def answer(*faults: tuple[str, str, Callable[[Draft], None]]) -> str:
    draft = fresh()
    for _, _, spoil in faults:
        spoil(draft)
    if "authorization" not in draft.headers:
        draft.headers["authorization"] = "Bearer " + build.sign(build.claims(**draft.claims))
    rig = Rig(access=build.access(AccessRule("r", ((TargetKind.TOOL, "crm/get_*"),), frozenset({"analyst"}))))
    body = build.encode(draft.document) if draft.body is None else draft.body
    return rig.check(build.check_request(draft.headers, body, **draft.http)).reason


def test_draft_without_fault_passes():
    assert answer() == "allowed"


@pytest.mark.parametrize("fault", [pytest.param(fault, id=fault[0]) for fault in FAULTS])
def test_fault_alone_has_its_own_reason(fault):
    assert answer(fault) == fault[1]


@pytest.mark.parametrize(("first", "second"), pairs())
def test_earlier_fault_answers(first, second):
    assert (answer(first, second), answer(second, first)) == (first[1], first[1])


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        pytest.param({"remaining_s": 0.0}, "deadline", id="late"),
        pytest.param({"is_draining": True}, "draining", id="draining"),
    ],
)
def test_server_that_cannot_decide_answers_503_and_never_asks_for_another_login(spoil, reason):
    rig = Rig()
    if "is_draining" in spoil:
        rig.servicer.drain()
    raw = build.check_request(build.headers_for(None), build.encode(build.message()))
    seen = rig.check(raw, spoil.get("remaining_s", 0.2))
    assert (seen.reason, seen.status, seen.code, seen.header("retry-after"), seen.header("www-authenticate")) == (
        reason, 503, 50300, "1", None,
    )  # fmt: skip
