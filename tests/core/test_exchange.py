"""The state machine of one response: what it lets out, in both modes of Envoy, wherever the body is cut."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agen_authz.core.exchange import Exchange, Phase
from agen_authz.core.model import Envelope, Json, Shape
from agen_authz.core.reason import Reason
from agen_authz.core.response.body import ResponseLimits
from agen_authz.core.response.message import MadeTask, Passed, Withheld
from agen_authz.core.response.passage import Passage
from agen_authz.core.response.step import (
    Abort,
    AnswerHeaders,
    AnswerTrailers,
    Body,
    Echo,
    Emit,
    Event,
    Expired,
    Headers,
    Replace,
    ResponseOutcome,
    Trailers,
)
from tests.core.response.wireless import Client, Envoy, bodies, head, pass_all, receive, terms, withhold

EVENTS = "text/event-stream"
ANSWER = b'{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"text","text":"caf\xc3\xa9"}]}}'
PROGRESS = b'{"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":1}}'
ASKED = b'{"jsonrpc":"2.0","id":"s1","method":"roots/list"}'


def failure(reason: str, message_id: int | str | None = 7) -> dict[str, Any]:
    """Describe the error that a client gets, less its words."""
    bound: dict[str, Any] = {"jsonrpc": "2.0", "error": {"reason": reason, "request_id": "r1"}}
    return bound if message_id is None else bound | {"id": message_id}


def read_failure(raw: bytes) -> dict[str, Any]:
    document = json.loads(raw)
    assert set(document["error"]) == {"code", "message", "data"}
    return document | {"error": document["error"]["data"]}


def event(data: bytes, name: bytes = b"message") -> bytes:
    return (b"event: " + name + b"\n" if name else b"") + b"data: " + data + b"\n\n"


# ---- what passes -----------------------------------------------------------------------------------------

EMPTY = b'{"jsonrpc":"2.0","id":7,"result":{}}'
FAILED = b'{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"x"}}'
LONG = (
    b": hi\r\n\r\nretry:5\r\n\r\nid: 1\r\ndata:\r\n\r\nevent: message\r\nid: 2\r\ndata: "
    + PROGRESS
    + b"\r\n\r\n"
    + event(ANSWER)
)
SPREAD = b'data: {"jsonrpc":"2.0",\ndata: "id":7,\ndata:"result":{}}\n\n'
WRITTEN = b":\n\nretry: 5\n\nid: 1\ndata: \n\nevent: message\nid: 2\ndata: " + PROGRESS + b"\n\n" + event(ANSWER)
WHOLE = {
    "an answer": ("application/json", ANSWER, ANSWER),
    "written at length": ("application/json", b' {"jsonrpc" : "2.0",\r\n "id":7, "result": {} }\n', EMPTY),
    "escaped": ("application/json", ANSWER.replace(b"\xc3\xa9", b"\\u00e9"), ANSWER),
    "without a type": (None, ANSWER, ANSWER),
    "nothing": ("application/json", b"", b""),
    "nothing but space": ("application/json", b" \r\n", b""),
    "an error without an id": ("application/json", FAILED, FAILED),
    "an event": (EVENTS, b"data: " + ANSWER + b"\n\n", event(ANSWER, b"")),
    "events, and all that is not data": (EVENTS, LONG, WRITTEN),
    "data on several lines": (EVENTS, SPREAD, event(EMPTY, b"")),
    "a server's request": (EVENTS, event(ASKED) + event(ANSWER), event(ASKED) + event(ANSWER)),
    "an event without an end": (EVENTS, event(PROGRESS) + b"data: " + ANSWER + b"\n", event(PROGRESS)),
    "JSON where events were announced": (EVENTS, b"\n " + ANSWER, event(ANSWER)),
    "an event where JSON was announced": ("application/json", b": hi\n\n" + event(ANSWER), ANSWER),
}  # fmt: skip


@pytest.mark.parametrize("is_duplex", [False, True], ids=["streamed", "duplex"])
@pytest.mark.parametrize(("media", "raw", "passed"), WHOLE.values(), ids=WHOLE)
def test_what_is_inspected_passes_wherever_it_is_cut(media: str | None, raw: bytes, passed: bytes, is_duplex: bool):
    cut = [receive((raw[:at], raw[at:]), media, is_duplex=is_duplex) for at in range(len(raw) + 1)]
    cut.append(receive([*(raw[at : at + 1] for at in range(len(raw))), b""], media, is_duplex=is_duplex))
    assert {(client.body, client.is_complete) for client in cut} == {(passed, True)}


@pytest.mark.parametrize("end", "\x85\u2028\u2029")
@pytest.mark.parametrize("failed", [False, True], ids=["answer", "error"])
def test_text_in_a_message_is_no_event_to_a_client_that_ends_lines_at_other_characters(end: str, failed: bool):
    # As `httpx` splits lines: `str.splitlines` ends one at these too.
    text = f"x{end}{end}data: {{}}{end}{end}"
    document = {"jsonrpc": "2.0", "id": text, "result": {text: text}}
    raw = json.dumps(document, ensure_ascii=False).encode()
    inspect = withhold(Reason.POLICY_DENIED) if failed else pass_all
    client = receive([event(raw)], EVENTS, with_terms=terms(inspect, Envelope(id=text)))
    assert [line.partition(":")[0] for line in client.body.decode().splitlines()] == ["event", "data", ""]
    answered = json.loads(client.body.decode().splitlines()[1].removeprefix("data: "))
    assert answered["id"] == text
    assert ("error" in answered) is failed
    assert failed or answered == document


def test_each_event_leaves_as_soon_as_it_is_whole():
    envoy = Envoy(Exchange(terms()))
    envoy.send(Headers(head(EVENTS)))
    seen = [envoy.send(Body(piece)).body for piece in (b"data: ", PROGRESS, b"\n", b"\n", event(ANSWER)[:-1], b"\n")]
    first = event(PROGRESS, b"")
    assert seen == [b"", b"", b"", first, first, first + event(ANSWER)]


def test_json_leaves_when_the_body_has_ended():
    envoy = Envoy(Exchange(terms()))
    envoy.send(Headers(head()))
    assert [envoy.send(each).body for each in (Body(ANSWER), Body(b"", ends=True))] == [b"", ANSWER]


# ---- what does not ---------------------------------------------------------------------------------------

UNREADABLE = {
    "no JSON": b"<html>secret</html>",
    "cut off": ANSWER[:-1],
    "two values": ANSWER + ANSWER,
    "a key twice": b'{"jsonrpc":"2.0","id":7,"result":{"a":1,"a":2}}',
    "a key's twin": b'{"jsonrpc":"2.0","id":7,"Result":{},"result":{}}',
    "a batch": b"[" + ANSWER + b"]",
    "no version": b'{"id":7,"result":{}}',
    "result and error": b'{"jsonrpc":"2.0","id":7,"result":{},"error":{"code":1,"message":""}}',
    "neither": b'{"jsonrpc":"2.0","id":7}',
    "a result without an id": b'{"jsonrpc":"2.0","result":{}}',
    "an id that is none": b'{"jsonrpc":"2.0","id":true,"result":{}}',
    "a method that is none": b'{"jsonrpc":"2.0","id":7,"method":1}',
    "not UTF-8": b'{"jsonrpc":"2.0","id":7,"result":{"a":"\xff"}}',
    "UTF-16": ANSWER.decode().encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf" + ANSWER,
    "a number beyond 64 bits": b'{"jsonrpc":"2.0","id":7,"result":{"a":18446744073709551616}}',
    "not a number": b'{"jsonrpc":"2.0","id":7,"result":{"a":NaN}}',
    "too deep": b'{"jsonrpc":"2.0","id":7,"result":{"a":' + b"[" * 16 + b"]" * 16 + b"}}",
    "too many values": b'{"jsonrpc":"2.0","id":7,"result":{"a":[' + b"0," * 1000 + b"0]}}",
    "several events": event(PROGRESS) + event(ANSWER),
}  # fmt: skip


@pytest.mark.parametrize("is_duplex", [False, True], ids=["streamed", "duplex"])
@pytest.mark.parametrize("raw", UNREADABLE.values(), ids=UNREADABLE)
def test_body_that_cannot_be_read_becomes_an_error(raw: bytes, is_duplex: bool):
    step = max(1, len(raw) // 50)
    cut = [receive((raw[:at], raw[at:]), is_duplex=is_duplex) for at in range(0, len(raw) + 1, step)]
    assert [read_failure(client.body) for client in cut] == [failure("response_unreadable")] * len(cut)


NOT_PASSED = {"cut off", "a byte order mark", "several events", "two values"}


@pytest.mark.parametrize("raw", [UNREADABLE[name] for name in sorted(UNREADABLE.keys() - NOT_PASSED)])
def test_event_that_cannot_be_read_is_dropped(raw: bytes):
    around = b"id: 1\ndata: %s\n\n" % raw.replace(b"\n", b"") + event(ANSWER)
    assert receive((around,), EVENTS).body == b"id: 1\n\n" + event(ANSWER)


def test_event_with_a_name_that_does_not_pass_is_dropped():
    assert receive((event(PROGRESS, b"a b") + event(ANSWER),), EVENTS).body == event(ANSWER)


@pytest.mark.parametrize("is_duplex", [False, True], ids=["streamed", "duplex"])
def test_stream_that_ends_without_an_answer_because_an_event_was_dropped_ends_with_an_error(is_duplex: bool):
    client = receive((event(PROGRESS), event(b"{}"), b""), EVENTS, is_duplex=is_duplex)
    first, _, last = client.body.partition(b"\n\n")
    assert (first + b"\n\n", read_failure(last.split(b"data: ")[1])) == (
        event(PROGRESS),
        failure("response_unreadable"),
    )
    assert client.is_complete


def test_stream_that_ends_without_an_answer_may_be_resumed():
    assert receive((event(PROGRESS), b""), EVENTS).body == event(PROGRESS)


def test_answer_that_is_withheld_becomes_an_error_with_the_calls_id():
    gone = terms(withhold(Reason.POLICY_DENIED))
    assert read_failure(receive((ANSWER,), with_terms=gone).body) == failure("policy_denied")
    written = receive((b"id: 1\n" + event(ANSWER),), EVENTS, with_terms=gone).body
    fields, data = written.split(b"data: ")
    assert (fields, read_failure(data)) == (b"event: message\nid: 1\n", failure("policy_denied"))


def test_reason_that_callers_must_not_tell_apart_is_not_named():
    gone = terms(withhold(Reason.NOT_GRANTED))
    assert read_failure(receive((ANSWER,), with_terms=gone).body) == failure("unknown_target")


def test_message_within_a_stream_that_is_withheld_is_dropped():
    def inspect(message: Json) -> Passed | Withheld:
        return Withheld(Reason.POLICY_DENIED) if isinstance(message, dict) and "method" in message else Passed(message)

    raw = event(PROGRESS) + event(ASKED) + event(ANSWER)
    exchange = Exchange(terms(inspect))
    assert Envoy(exchange).send(Headers(head(EVENTS)), *bodies(raw)).body == event(ANSWER)
    assert (exchange.outcome, exchange.reason) == (ResponseOutcome.WITHHELD, Reason.POLICY_DENIED)


def test_id_of_another_type_is_another_id():
    other = ANSWER.replace(b'"id":7', b'"id":"7"')
    gone = terms(withhold(Reason.POLICY_DENIED))
    assert b'"id":7' in receive((event(other),), EVENTS, with_terms=gone).body
    assert receive((event(other),), EVENTS, with_terms=terms(withhold(Reason.POLICY_DENIED), Envelope(id=None))).body


def test_message_that_was_changed_leaves_as_it_was_returned():
    changed = terms(lambda _: Passed({"jsonrpc": "2.0", "id": 7, "result": {}}))
    assert receive((ANSWER,), with_terms=changed).body == EMPTY
    assert receive((event(ANSWER),), EVENTS, with_terms=changed).body == event(EMPTY)


# ---- sizes -----------------------------------------------------------------------------------------------


def large(size: int) -> bytes:
    return b'{"jsonrpc":"2.0","id":7,"result":{"a":"' + b"x" * size + b'"}}'


@pytest.mark.parametrize("media", ["application/json", EVENTS])
@pytest.mark.parametrize("is_duplex", [False, True], ids=["streamed", "duplex"])
def test_body_beyond_the_limit_becomes_an_error_wherever_it_is_cut(media: str, is_duplex: bool):
    raw = large(4096)
    cut = [receive((raw[:at], raw[at:]), media, is_duplex=is_duplex) for at in range(0, len(raw) + 1, 64)]
    assert {client.body for client in cut} == {cut[0].body}
    assert [client.is_complete for client in cut] == [True] * len(cut)
    assert read_failure(cut[0].body.removeprefix(b"event: message\ndata: ")) == failure("response_too_large")


def test_body_at_the_limit_passes():
    raw = large(4096 - len(large(0)))
    assert (len(raw), receive((raw,)).body) == (4096, raw)


def test_body_that_never_ends_is_cut():
    envoy = Envoy(Exchange(terms()))
    envoy.send(Headers(head()), *[Body(b"x" * 1024)] * 80)
    assert (envoy.client.body, envoy.client.is_cut) == (b"", True)


@pytest.mark.parametrize("is_duplex", [False, True], ids=["streamed", "duplex"])
def test_event_beyond_the_limit_is_the_last(is_duplex: bool):
    raw = event(PROGRESS) + event(large(4096)) + event(ANSWER)
    for at in range(0, len(raw), 64):
        pieces = bodies(raw[:at], raw[at:])
        client = Envoy(Exchange(terms()), is_duplex=is_duplex).send(Headers(head(EVENTS), is_duplex=is_duplex), *pieces)
        first, _, last = client.body.partition(b"\n\n")
        assert (first + b"\n\n", client.is_complete) == (event(PROGRESS), True)
        assert read_failure(last.removeprefix(b"event: message\ndata: ")) == failure("response_too_large")


def test_what_comes_after_the_last_event_is_dropped():
    envoy = Envoy(Exchange(terms()))
    begun = envoy.send(Headers(head(EVENTS)), Body(event(large(4096))), Body(event(ANSWER))).body
    assert (b"response_too_large" in begun, envoy.send(Body(event(ANSWER), ends=True)).body) == (True, begun)
    assert envoy.client.is_complete


def test_stream_whose_last_event_was_sent_is_cut_if_it_goes_on_or_the_token_expires():
    for last in ([Body(b"x" * 1024)] * 80, [Expired()]):
        envoy = Envoy(Exchange(terms()))
        assert envoy.send(Headers(head(EVENTS)), Body(event(large(4096))), *last).is_cut


@pytest.mark.parametrize("is_duplex", [False, True], ids=["streamed", "duplex"])
def test_stream_of_what_is_no_messages_ends_wherever_it_is_cut(is_duplex: bool):
    raw = event(PROGRESS) + b"data: {}\n\n" * 1001 + event(ANSWER)
    cut = [receive((raw[:at], raw[at:], b""), EVENTS, is_duplex=is_duplex) for at in range(0, len(raw), 997)]
    assert [client == cut[0] for client in cut] == [True] * len(cut)
    first, _, last = cut[0].body.partition(b"\n\n")
    assert (first + b"\n\n", cut[0].is_complete) == (event(PROGRESS), True)
    assert read_failure(last.removeprefix(b"event: message\ndata: ")) == failure("response_unreadable")


def test_some_events_that_are_no_messages_are_dropped():
    raw = event(PROGRESS) + b"data: {}\n\n" * 1000 + event(ANSWER)
    assert receive((raw,), EVENTS).body == event(PROGRESS) + event(ANSWER)


def test_what_needs_notes_keeps_its_place():
    note = MadeTask("crm", "t1", "export")
    exchange = Exchange(
        terms(lambda message: Passed(message, (note,) if isinstance(message, dict) and "id" in message else ()))
    )
    exchange.receive(Headers(head(EVENTS)))
    (action,) = exchange.receive(Body(event(PROGRESS) * 2 + event(ANSWER) + event(PROGRESS) + b": x\n\n"))
    assert isinstance(action, Emit)
    assert [(each.raw, len(each.notes)) for each in action.pieces] == [
        (event(PROGRESS) * 2, 0),
        (event(ANSWER), 1),
        (event(PROGRESS) + b":\n\n", 0),
    ]


def test_stream_that_answers_no_call_ends_without_an_error():
    stream = terms(envelope=Envelope(shape=Shape.STREAM))
    client = receive((event(PROGRESS), event(large(4096)), b""), EVENTS, is_duplex=True, with_terms=stream)
    assert (client.body, client.is_complete) == (event(PROGRESS), True)


# ---- headers ---------------------------------------------------------------------------------------------

REPLACED = {
    "a redirect": (head(None, 302, ("location", "http://10.0.0.7/")), 502, "response_not_mcp"),
    "a challenge": (head("application/json", 401), 502, "response_not_mcp"),
    "a challenge of a proxy": (head("application/json", 407), 502, "response_not_mcp"),
    "a part": (head("application/json", 206), 502, "response_not_mcp"),
    "an error page": (head("text/html", 500), 502, "response_not_mcp"),
    "a page that is not there": (head("text/plain; charset=utf-8", 404), 404, "response_not_mcp"),
    "another type": (head("text/html"), 502, "response_not_mcp"),
    "two types": ((*head(), ("content-type", "text/event-stream")), 502, "response_not_mcp"),
    "an error without a type": (head(None, 503), 502, "response_not_mcp"),
    "compressed": (head("application/json", 200, ("content-encoding", "gzip")), 502, "response_encoded"),
    "compressed twice": (
        head(None, 200, ("content-encoding", "identity"), ("content-encoding", "br")), 502, "response_encoded",
    ),
    "compressed events": (head(EVENTS, 200, ("content-encoding", "gzip, identity")), 502, "response_encoded"),
}  # fmt: skip


@pytest.mark.parametrize("is_duplex", [False, True], ids=["streamed", "duplex"])
@pytest.mark.parametrize(("fields", "status", "reason"), REPLACED.values(), ids=REPLACED)
def test_response_that_cannot_be_inspected_is_replaced(fields, status: int, reason: str, is_duplex: bool):
    exchange = Exchange(terms())
    client = Envoy(exchange, is_duplex=is_duplex).send(Headers(fields, is_duplex=is_duplex))
    assert (client.status, read_failure(client.body), client.fields) == (status, failure(reason), {})
    assert exchange.has_ended
    assert (exchange.phase, exchange.outcome) == (Phase.ENDED, ResponseOutcome.BLOCKED)


@pytest.mark.parametrize("shape", [Shape.NOTIFICATION, Shape.RESPONSE, Shape.END])
def test_response_that_cannot_be_inspected_is_empty_where_no_answer_is_expected(shape: Shape):
    exchange = Exchange(terms(envelope=Envelope(shape=shape)))
    client = Envoy(exchange, is_duplex=False).send(Headers(REPLACED["compressed"][0]))
    assert (client.status, client.body, exchange.outcome) == (200, b"", ResponseOutcome.BLOCKED)
    assert exchange.has_ended


BODILESS = {
    "accepted": (head(None, 202), 202, True),
    "no content": (head(None, 204), 204, True),
    "an empty answer": (head("application/json", 200, ("content-encoding", "gzip")), 200, True),
    "not there": (head("text/plain", 404), 404, True),
    "not allowed": (head("text/plain", 405, ("allow", "POST")), 405, True),
    "a failure": (head(None, 500), 502, False),
    "not modified": (head(None, 304), 502, False),
    "a challenge": (head(None, 401), 502, False),
}


@pytest.mark.parametrize(("fields", "status", "is_empty"), BODILESS.values(), ids=BODILESS)
def test_response_without_a_body(fields, status: int, is_empty: bool):
    client = Envoy(Exchange(terms())).send(Headers(fields, ends=True))
    assert (client.status, client.body == b"", client.is_complete) == (status, is_empty, True)
    assert client.fields.keys() <= {"allow"}


def test_client_error_with_a_message_keeps_its_status():
    raw = b'{"jsonrpc":"2.0","id":7,"error":{"code":-32600,"message":"Session not found"}}'
    client = Envoy(Exchange(terms())).send(Headers(head("application/json", 404)), *bodies(raw))
    assert (client.status, client.body) == (404, raw)


def test_without_a_status_nothing_passes():
    for fields in ((), head()[1:], (*head(), (":status", "200")), ((":status", "2x0"),), ((":status", "600"),)):
        assert Envoy(Exchange(terms())).send(Headers(fields)) == Client(is_cut=True)


# ---- trailers, expiry, notes -----------------------------------------------------------------------------


@pytest.mark.parametrize(("media", "raw"), [("application/json", ANSWER), (EVENTS, event(ANSWER, b"message"))])
def test_trailers_end_a_body_and_are_dropped(media: str, raw: bytes):
    events = (Headers(head(media), is_duplex=True), Body(raw), Trailers(("x-a", "x-b")))
    client = Envoy(Exchange(terms()), is_duplex=True).send(*events)
    assert client == Client(200, {"content-type": media}, raw, is_complete=True)


def test_trailers_in_streamed_mode_drop_no_event_and_cut_what_is_held():
    too_large = Envoy(Exchange(terms())).send(Headers(head(EVENTS)), Body(event(large(4096)))).body
    kept = (
        (EVENTS, event(ANSWER), event(ANSWER)),
        ("application/json", b"", b""),
        (EVENTS, event(large(4096)), too_large),
    )
    for media, raw, passed in kept:
        client = Envoy(Exchange(terms())).send(Headers(head(media)), Body(raw), Trailers(("x-a",)))
        assert (client.body, client.is_complete, client.trailers) == (passed, True, ())
    client = Envoy(Exchange(terms())).send(Headers(head()), Body(ANSWER), Trailers(("x-a",)))
    assert (client.body, client.is_cut) == (b"", True)


def test_stream_ends_when_the_token_expires():
    for is_duplex in (True, False):
        exchange = Exchange(terms())
        client = Envoy(exchange, is_duplex=is_duplex).send(
            Headers(head(EVENTS), is_duplex=is_duplex), Body(event(PROGRESS)), Expired(), Body(event(ANSWER))
        )
        ended = read_failure(client.body.split(b"data: ")[2]) if is_duplex else None
        assert (client.is_complete, client.is_cut, exchange.outcome) == (
            is_duplex,
            not is_duplex,
            ResponseOutcome.EXPIRED,
        )
        assert (ended, b"caf" in client.body) == (failure("token_expired") if is_duplex else None, False)


def test_stream_of_which_nothing_has_come_is_cut_when_the_token_expires():
    envoy = Envoy(Exchange(terms()), is_duplex=True)
    assert envoy.send(Headers(head(EVENTS), is_duplex=True), Expired()).is_cut


def test_answer_in_one_body_may_arrive_after_the_token_expired():
    client = Envoy(Exchange(terms())).send(Headers(head()), Body(ANSWER), Expired(), Body(b"", ends=True))
    assert client.body == ANSWER


def test_message_with_notes_leaves_with_them_and_another_in_its_place():
    note = MadeTask("crm", "t1", "export")
    noted = terms(lambda message: Passed(message, (note,)))
    for media, raw, name in (("application/json", ANSWER, b""), (EVENTS, event(ANSWER), b"event: message\ndata: ")):
        exchange = Exchange(noted)
        exchange.receive(Headers(head(media)))
        (action,) = exchange.receive(Body(raw, ends=True))
        assert isinstance(action, Emit)
        piece = action.pieces[0]
        instead = exchange.withhold(piece)
        assert (piece.raw, piece.notes, instead.notes) == (raw, (note,), ())
        assert read_failure(instead.raw.removeprefix(name)) == failure("store_unavailable")
        assert (exchange.outcome, exchange.reason) == (ResponseOutcome.WITHHELD, Reason.STORE_UNAVAILABLE)


# ---- what Check marked as its own ------------------------------------------------------------------------


@pytest.mark.parametrize("is_duplex", [False, True], ids=["streamed", "duplex"])
def test_what_nothing_inspects_passes_as_it_is(is_duplex: bool):
    fields = (*head("text/html", 401), ("www-authenticate", "Bearer"), ("content-encoding", "gzip"))
    events = (Headers(fields, is_duplex=is_duplex), Body(b"<p>"), Expired(), Body(b"x"), Trailers(("x-a",)))
    passage = Passage()
    client = Envoy(passage, is_duplex=is_duplex).send(*events)
    assert client == Client(401, dict(fields[1:]), b"<p>x", is_complete=True, trailers=("x-a",))
    assert (passage.has_ended, passage.outcome) == (True, ResponseOutcome.SKIPPED)


# ---- whatever comes --------------------------------------------------------------------------------------

# Where it may stand: everywhere but in what passes in a narrow form, which other tests are about.
SECRET = b"secret-4711"
SECRETS = (
    *(SECRET, b"data: " + SECRET + b"\n\n", b": " + SECRET + b"\n\n", b"foo: " + SECRET + b"\n", b"\n\n", b"\r"),
    *(event(ANSWER.replace(b"caf", SECRET)), ANSWER.replace(b"caf", SECRET), PROGRESS.replace(b"1", b'"%s"' % SECRET)),
    *(b"id: 1\n", b"data: {", b"}", b"[", b"\xef\xbb\xbf", b"data: " + PROGRESS + b"\n", b" " * 1100, SECRET * 150),
    *(
        b'data: {"jsonrpc":"2.0",\ndata: "id":7,"result":"%s"}\n\n' % SECRET,
        b"event: a b\n",
        b"retry: " + SECRET + b"\n",
    ),
)
PIECES = st.lists(st.sampled_from(SECRETS), max_size=4).map(b"".join)
MEDIA = st.sampled_from([None, "application/json", EVENTS, "text/html", SECRET.decode()])
HEADERS = st.builds(
    lambda media, status, name, ends, is_duplex: Headers(
        (*head(media, status), (name, SECRET.decode()), ("content-encoding", "identity")), ends, is_duplex
    ),
    MEDIA,
    st.sampled_from([200, 202, 302, 401, 404, 500]),
    st.sampled_from(["x-a", "mcp-session-id", "vary", "location", "set-cookie", "server"]).map(lambda name: f"{name}"),
    st.booleans(),
    st.booleans(),
)
WHATEVER = st.one_of(
    HEADERS, st.builds(Body, PIECES, st.booleans()), st.just(Trailers((SECRET.decode(),))), st.just(Expired())
)
INSPECTED: dict[str, Json] = {"jsonrpc": "2.0", "id": 7, "result": "inspected"}


@given(st.lists(WHATEVER, max_size=8), st.booleans())
def test_whatever_comes_nothing_leaves_that_was_not_inspected(events: list[Event], begins: bool):
    exchange = Exchange(terms(lambda _: Passed(INSPECTED)))
    for each in [Headers(head(EVENTS)), *events] if begins else events:
        for action in exchange.receive(each):
            match action:
                case Emit():
                    assert SECRET not in b"".join(piece.raw + piece.otherwise for piece in action.pieces)
                case Replace():
                    assert SECRET not in action.body
                case AnswerHeaders():
                    assert isinstance(each, Headers)
                    left = [name for name, _ in each.fields if name not in action.changes.remove]
                    assert (
                        set(left) <= {":status", "content-type", "vary"}
                        and SECRET.decode() not in dict(action.changes.set).values()
                    )
                case Abort() | AnswerTrailers():
                    assert exchange.phase is Phase.ENDED
                case Echo():
                    raise AssertionError("an inspected piece passes as it is")


@given(st.lists(st.tuples(st.sampled_from(SECRETS), st.integers(0, 40)), max_size=6), MEDIA, st.booleans())
def test_any_body_is_answered_alike_wherever_it_is_cut(
    parts: list[tuple[bytes, int]], media: str | None, is_duplex: bool
):
    raw = b"".join(part for part, _ in parts)
    pieces = [piece for part, at in parts for piece in (part[:at], part[at:])]
    limits = ResponseLimits(bytes=1500, depth=8)
    whole, cut = (
        receive(each, media, is_duplex=is_duplex, with_terms=terms(limits=limits)) for each in ((raw,), (*pieces, b""))
    )
    assert whole == cut


def test_every_state_answers_every_event():
    makers: dict[Phase, tuple[Event, ...]] = {
        Phase.AWAITING: (),
        Phase.HOLDING: (Headers(head()),),
        Phase.SNIFFING: (Headers(head(EVENTS)),),
        Phase.STREAMING: (Headers(head(EVENTS)), Body(b"data: {")),
        Phase.PASSING: (Headers(head()), Body(b"x" * 4097)),
        Phase.DISCARDING: (Headers(head()), Body(b"x" * 4097)),
        Phase.ENDED: (Headers(head(), ends=True),),
    }
    for phase, events in makers.items():
        for last in (Headers(head()), Body(b""), Body(b"", ends=True), Trailers(), Expired()):
            exchange = Exchange(terms(passes_unread=phase is Phase.PASSING))
            for each in events:
                exchange.receive(each)
            assert exchange.phase is phase
            actions = exchange.receive(last)
            is_quiet = phase is Phase.ENDED or (
                isinstance(last, Expired) and phase in (Phase.HOLDING, Phase.PASSING, Phase.DISCARDING)
            )
            assert (actions == ()) is is_quiet
    assert set(makers) == set(Phase)
