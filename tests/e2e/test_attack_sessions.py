"""Sessions of the legacy era through a real Envoy: an id is its caller's alone, and no other id opens anything."""

import json
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.e2e.wire import Sent, reason_of, received_by_all, send
from tests.stage.world import World, modern, tool_call

pytestmark = pytest.mark.envoy

VERSION = "2025-11-25"
SESSION, RPC = "mcp-session-id", {"jsonrpc": "2.0"}
CLIENT = {"capabilities": {}, "clientInfo": {"name": "test", "version": "1"}, "protocolVersion": VERSION}
INITIALIZE = {**RPC, "id": 1, "method": "initialize", "params": CLIENT}
READY = {**RPC, "method": "notifications/initialized"}
CALL = {
    **RPC,
    "id": 2,
    "method": "tools/call",
    "params": {"name": "get_customer", "arguments": {"customer_id": "c-1001"}},
}
INVOICE = {
    **RPC,
    "id": 2,
    "method": "tools/call",
    "params": {"name": "get_invoice", "arguments": {"invoice_id": "i-4001"}},
}
# method and body of everything that a legacy client sends within a session
SAID: dict[str, tuple[str, dict[str, Any] | None]] = {
    "call": ("POST", CALL),
    "list": ("POST", {**RPC, "id": 3, "method": "tools/list"}),
    "ping": ("POST", {**RPC, "id": 4, "method": "ping"}),
    "initialize": ("POST", INITIALIZE),
    "notification": ("POST", READY),
    "cancellation": ("POST", {**RPC, "method": "notifications/cancelled", "params": {"requestId": 2}}),
    "response": ("POST", {**RPC, "id": 1, "result": {"action": "accept"}}),
    "error": ("POST", {**RPC, "id": 1, "error": {"code": -1, "message": "no"}}),
    "stream": ("GET", None),
    "end": ("DELETE", None),
}
# What stands before the backend's own id in the one that a client gets.
PROOF_CHARS = 23
_BODY = json.dumps(CALL).encode()


@dataclass(frozen=True)
class Client:
    """One caller at one resource, in the legacy era."""

    world: World
    token: str
    server: str = "crm"

    def say(self, session: str | None, kind: str = "call") -> httpx.Response:
        """Send one message of a kind; a stream is closed once its answer began."""
        method, body = SAID[kind]
        return self.send(session, method, INVOICE if self.server == "billing" and kind == "call" else body)

    def send(self, session: str | None, method: str, body: dict[str, Any] | None) -> httpx.Response:
        headers = {
            "authorization": f"Bearer {self.token}",
            "accept": "application/json, text/event-stream",
            "mcp-protocol-version": VERSION,
            **({} if session is None else {SESSION: session}),
        }
        url = self.world.crm if self.server == "crm" else self.world.billing
        request = self.world.web.build_request(method, url, headers=headers, json=body)
        with closing(self.world.web.send(request, stream=True)) as answer:
            if method != "GET" or answer.status_code != 200:
                answer.read()
        return answer

    def begin(self) -> str:
        """Begin a session as the official client does; return its id."""
        session = self.say(None, "initialize").headers[SESSION]
        assert self.say(session, "notification").status_code == 202
        self.world.received(self.server)
        return str(session)


def _client(world: World, subject: str, *, issuer: str = "one", server: str = "crm") -> Client:
    provider = world.one if issuer == "one" else world.two
    return Client(world, provider.mint(world.crm if server == "crm" else world.billing, sub=subject), server)


def _came_of(world: World, answer: httpx.Response) -> tuple[int, str | None, list[tuple[str, str, str | None]]]:
    """Say what the client got and what arrived: server, subject, session."""
    arrived = []
    for entry in received_by_all(world):
        headers = dict(entry["headers"])
        arrived.append((entry["server"], headers["agen-subject"], headers.get(SESSION)))
    told = reason_of(answer.content) if answer.is_stream_consumed else None
    return answer.status_code, told, arrived


REFUSED: tuple[int, str | None, list[Any]] = (404, "session_unknown", [])


def _arrives(status: int, subject: str, session: str | None, server: str = "crm") -> tuple[int, None, list[Any]]:
    """Describe a call that arrives with the id that the backend itself gave."""
    return status, None, [(server, f'"{subject}"', None if session is None else session[PROOF_CHARS:])]


@pytest.fixture(scope="module")
def anns(attacked: World) -> str:
    """A session of Ann's, live at the CRM server."""
    return _client(attacked, "ann").begin()


@pytest.mark.parametrize("kind", SAID)
@pytest.mark.parametrize(("subject", "issuer"), [("bob", "one"), ("ann", "two")], ids=["other subject", "namesake"])
def test_caller_cannot_use_another_callers_session(attacked: World, anns: str, kind: str, subject: str, issuer: str):
    answer = _client(attacked, subject, issuer=issuer).say(anns, kind)
    assert _came_of(attacked, answer) == REFUSED
    assert _came_of(attacked, _client(attacked, "ann").say(anns)) == _arrives(200, "ann", anns)


def test_owner_speaks_with_any_token_of_the_same_issuer_and_subject(attacked: World, anns: str):
    renewed = Client(attacked, attacked.one.mint(attacked.crm, sub="ann", client_id="other", jti="renewed"))
    assert _came_of(attacked, renewed.say(anns)) == _arrives(200, "ann", anns)


def test_stream_of_the_owner_is_not_open_to_others(attacked: World):
    ann, bob = _client(attacked, "ann"), _client(attacked, "bob")
    session = ann.begin()
    assert _came_of(attacked, ann.say(session, "stream")) == _arrives(200, "ann", session)
    assert _came_of(attacked, bob.say(session, "stream")) == REFUSED


def test_session_of_another_resource_is_unknown_to_every_caller(attacked: World, anns: str):
    for subject in ("bob", "ann"):
        for kind in ("call", "stream", "end"):
            answer = _client(attacked, subject, server="billing").say(anns, kind)
            assert _came_of(attacked, answer) == REFUSED


def test_backends_own_id_is_that_of_no_session(attacked: World, anns: str):
    for session in (anns[PROOF_CHARS:], "made-up"):
        for kind in SAID:
            assert _came_of(attacked, _client(attacked, "ann").say(session, kind)) == REFUSED


def test_initialize_gives_out_the_backends_id_with_a_proof_before_it(attacked: World, anns: str):
    assert len(anns) > PROOF_CHARS
    answer = _client(attacked, "ann").say(anns)
    assert _came_of(attacked, answer) == _arrives(200, "ann", anns)
    # A backend that repeats its id with each answer does not take the client's away.
    assert answer.headers.get(SESSION, anns) == anns


def test_ended_session_is_not_open_to_others(attacked: World):
    ann, bob = _client(attacked, "ann"), _client(attacked, "bob")
    session = ann.begin()
    assert _came_of(attacked, ann.say(session, "end")) == _arrives(200, "ann", session)
    assert _came_of(attacked, bob.say(session)) == REFUSED
    # It is the backend that has ended it.
    assert _came_of(attacked, ann.say(session)) == _arrives(404, "ann", session)
    assert _came_of(attacked, bob.say(session, "end")) == REFUSED


def test_modern_call_carries_no_session(attacked: World, anns: str):
    token = attacked.one.mint(attacked.crm, sub="bob")
    answer = attacked.post(token, tool_call(), **modern(), mcp_session_id=anns)
    assert _came_of(attacked, answer) == _arrives(200, "bob", None)


def test_answer_to_a_server_needs_a_session(attacked: World):
    for kind, reason in {"response": "posted_response", "stream": "session_missing", "end": "session_missing"}.items():
        assert _came_of(attacked, _client(attacked, "ann").say(None, kind)) == (400, reason, [])


# How Bob writes Ann's id: status, reason, and what the server reads as the session; None where nothing arrives.
SPELLED = {
    "blanks_around": ([(SESSION, " {id}\t ")], 404, "session_unknown", None),
    "name_in_upper_case": ([("MCP-Session-ID", "{id}")], 404, "session_unknown", None),
    "lone_return": ([(SESSION, "\r{id}")], 404, "session_unknown", None),
    "twice": ([(SESSION, "{id}"), (SESSION, "{id}")], 400, "header_repeated", None),
    "own_before": ([(SESSION, "bobs"), (SESSION, "{id}")], 400, "header_repeated", None),
    "joined": ([(SESSION, "{id},{id}")], 400, "header_repeated", None),
    "joined_to_own": ([(SESSION, "bobs, {id}")], 400, "header_repeated", None),
    "comma_behind": ([(SESSION, "{id},")], 400, "header_repeated", None),
    "empty": ([(SESSION, "")], 400, "header_malformed", None),
    "blank_within": ([(SESSION, "{id} bobs")], 400, "header_malformed", None),
    "tab_within": ([(SESSION, "{id}\tbobs")], 400, "header_malformed", None),
    "folded": ([(SESSION, "{id}\r\n bobs")], 400, "header_malformed", None),
    "no_break_space_behind": ([(SESSION, "{id}\xa0")], 400, "header_malformed", None),
    "beyond_ascii": ([(SESSION, "{id}\xe9")], 400, "header_malformed", None),
    "very_long": ([(SESSION, "{id}" + "0" * 1000)], 400, "header_malformed", None),
    "control": ([(SESSION, "{id}\x01")], 400, None, None),
    "nul": ([(SESSION, "{id}\x00")], 400, None, None),
    "delete": ([(SESSION, "{id}\x7f")], 400, None, None),
    "line_feed": ([(SESSION, "bobs-1\n{id}")], 400, None, None),
    "underscores": ([("mcp_session_id", "{id}")], 400, None, ""),
    "cookie": ([("cookie", "mcp-session-id={id}")], 400, None, ""),
    "other_header": ([("x-mcp-session-id", "{id}"), ("session-id", "{id}")], 400, None, ""),
    "parameter": ([(SESSION, "{id};v=1")], 404, "session_unknown", None),
    "cut": ([(SESSION, "{cut}")], 404, "session_unknown", None),
    "longer": ([(SESSION, "{id}0")], 404, "session_unknown", None),
    "upper_case": ([(SESSION, "{upper}")], 404, "session_unknown", None),
    "quoted": ([(SESSION, '"{id}"')], 404, "session_unknown", None),
}


def _spell(text: str, session: str) -> str:
    return text.format(id=session, upper=session.upper(), cut=session[:-1])


@pytest.mark.parametrize(("lines", "status", "reason", "read_as"), SPELLED.values(), ids=SPELLED)
def test_odd_spelling_opens_no_session(attacked: World, anns: str, lines, status, reason, read_as):
    bob = _client(attacked, "bob")
    added = [(name, _spell(value, anns)) for name, value in lines]
    sent = Sent(
        replaced=[("mcp-protocol-version", VERSION)], without=["mcp-method", "mcp-name"], added=added, body=_BODY
    )
    seen = send(attacked, sent, bob.token)
    arrived = [dict(entry["headers"]).get(SESSION) for entry in seen.received]
    expected = [] if read_as is None else [_spell(read_as, anns) or None]
    assert (seen.status, seen.reason, arrived) == (status, reason, expected)
    assert _came_of(attacked, _client(attacked, "ann").say(anns)) == _arrives(200, "ann", anns)
