"""Sessions of the legacy era through a real Envoy: whoever began one keeps it, whatever id others send."""

import itertools
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.e2e.wire import Sent, reason_of, received_by_all, send
from tests.stage.world import World, modern, running_world, tool_call

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
SHARE, TABLE = 64, 100
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
    return status, None, [(server, f'"{subject}"', session)]


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


def test_made_up_session_is_the_first_callers_and_no_servers(attacked: World):
    ann, bob = _client(attacked, "ann"), _client(attacked, "bob")
    assert _came_of(attacked, bob.say("made-up-1")) == _arrives(404, "bob", "made-up-1")
    assert _came_of(attacked, ann.say("made-up-1")) == REFUSED
    # What answers a server cannot be a session's first word.
    for kind in ("response", "error"):
        assert _came_of(attacked, ann.say("made-up-2", kind)) == REFUSED


def test_denied_call_makes_no_caller_an_owner(attacked: World):
    ann, bob = _client(attacked, "ann"), _client(attacked, "bob")
    denied = {**CALL, "params": {"name": "update_deal", "arguments": {}}}
    assert _came_of(attacked, bob.send("made-up-3", "POST", denied)) == (200, "unknown_target", [])
    assert _came_of(attacked, ann.say("made-up-3")) == _arrives(404, "ann", "made-up-3")


def test_ended_session_is_not_open_to_others(attacked: World):
    ann, bob = _client(attacked, "ann"), _client(attacked, "bob")
    session = ann.begin()
    assert _came_of(attacked, ann.say(session, "end")) == _arrives(200, "ann", session)
    assert _came_of(attacked, bob.say(session)) == REFUSED
    assert _came_of(attacked, ann.say(session)) == _arrives(404, "ann", session)
    assert _came_of(attacked, bob.say(session, "end")) == REFUSED


def test_of_two_callers_at_once_one_gets_the_session(attacked: World):
    clients = [_client(attacked, subject) for subject in ("ann", "bob")]
    for number in range(5):
        session = f"raced-{number}"
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda client: client.say(session), clients * 4))  # noqa: B023 waited for here
        arrived = [dict(entry["headers"])["agen-subject"] for entry in received_by_all(attacked)]
        told = [reason_of(answer.content) for answer in answers]
        assert (len(set(arrived)), len(arrived), told.count("session_unknown")) == (1, 4, 4)


def test_modern_call_carries_no_session(attacked: World, anns: str):
    token = attacked.one.mint(attacked.crm, sub="bob")
    answer = attacked.post(token, tool_call(), **modern(), mcp_session_id=anns)
    assert _came_of(attacked, answer) == _arrives(200, "bob", None)


def test_answer_to_a_server_needs_a_session(attacked: World):
    for kind, reason in {"response": "posted_response", "stream": "session_missing", "end": "session_missing"}.items():
        assert _came_of(attacked, _client(attacked, "ann").say(None, kind)) == (400, reason, [])


# How Bob writes Ann's id: status, reason, and what the server reads as the session; None where nothing arrives.
# A server that read one of those that arrive as Ann's would have to alter it.
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
    "parameter": ([(SESSION, "{id};v=1")], 404, None, "{id};v=1"),
    "cut": ([(SESSION, "{cut}")], 404, None, "{cut}"),
    "longer": ([(SESSION, "{id}0")], 404, None, "{id}0"),
}
# A server that takes ids for UUIDs, or looks them up in a database that ignores case, reads Ann's.
TWINS = {
    "upper_case": "{upper}", "quoted": '"{id}"', "in_braces": "{{{id}}}", "with_hyphens": "{hyphens}",
    "hyphen_behind": "{id}-",
}  # fmt: skip


def _spell(text: str, session: str) -> str:
    hyphens = "-".join((session[:8], session[8:12], session[12:16], session[16:20], session[20:]))
    return text.format(id=session, upper=session.upper(), cut=session[:-1], hyphens=hyphens)


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


@pytest.mark.parametrize("twin", TWINS.values(), ids=TWINS)
def test_id_that_a_server_might_read_as_anothers_is_refused(attacked: World, anns: str, twin: str):
    answer = _client(attacked, "bob").say(_spell(twin, anns))
    assert _came_of(attacked, answer) == REFUSED


@pytest.fixture
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world with room for so few sessions that a test can fill it."""
    folder = tmp_path_factory.mktemp("small")
    with running_world(folder, more=f"limits: {{sessions: {TABLE}}}\n") as running:
        yield running


def _flood(world: World, subject: str, count: int, numbers: Iterator[int]) -> list[tuple[int, str | None]]:
    client = _client(world, subject)
    answers = [client.say(f"{subject}-{next(numbers)}", "ping") for _ in range(count)]
    received_by_all(world)
    return [(answer.status_code, reason_of(answer.content)) for answer in answers]


def test_flood_of_new_ids_takes_nothing_from_others_and_opens_nothing(small: World):
    numbers = itertools.count()
    ann, bob, dan = (_client(small, subject) for subject in ("ann", "bob", "dan"))
    session = ann.begin()
    # More than Bob may hold, then more than the table holds: whoever holds most makes room.
    assert _flood(small, "bob", 2 * SHARE, numbers) == [(404, None)] * 2 * SHARE
    assert _flood(small, "eve", 2 * SHARE, numbers) == [(404, None)] * 2 * SHARE
    assert _came_of(small, bob.say(session)) == REFUSED
    assert _came_of(small, ann.say(session)) == _arrives(200, "ann", session)
    # The table is full of others' sessions: one of whoever holds most makes room for Dan's.
    assert _came_of(small, dan.say("dans")) == _arrives(404, "dan", "dans")
    assert _came_of(small, dan.say(session)) == REFUSED
    assert _came_of(small, small.post(dan.token, tool_call(), **modern())) == _arrives(200, "dan", None)


def test_session_in_use_stays_its_owners_in_a_flood_of_the_owners_own_ids(small: World):
    numbers = itertools.count()
    ann, bob = (_client(small, subject) for subject in ("ann", "bob"))
    session = ann.begin()
    for _ in range(4):
        assert _flood(small, "ann", SHARE // 2, numbers) == [(404, None)] * (SHARE // 2)
        assert _came_of(small, bob.say(session)) == REFUSED
        assert _came_of(small, ann.say(session)) == _arrives(200, "ann", session)
