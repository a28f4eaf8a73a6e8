"""What passes though it cannot be read, and what is masked: the state machine with terms of data protection."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agen_authz.core.exchange import Exchange
from agen_authz.core.masking.row import Style
from agen_authz.core.masking.rule import Receipt
from agen_authz.core.model import Json
from agen_authz.core.reason import Reason
from agen_authz.core.response.body import ResponseLimits
from agen_authz.core.response.message import MaskedValues, Passed, Uninspected, Withheld
from agen_authz.core.response.step import Body, Echo, Emit, Expired, Headers, Replace, ResponseOutcome, Trailers
from tests.core.response.wireless import Client, Envoy, bodies, head, pass_all, terms, withhold

EVENTS = "text/event-stream"
ANSWER = b'{"jsonrpc":"2.0","id":7,"result":{}}'
LIMITS = ResponseLimits(bytes=64, depth=8)
LENIENT = terms(limits=LIMITS, passes_unread=True)
BOTH = pytest.mark.parametrize("is_duplex", [False, True], ids=["streamed", "duplex"])


def exchange_of(
    raw: tuple[bytes, ...], media: str = "application/json", *others: tuple[str, str], is_duplex: bool = False
) -> tuple[Exchange, Client]:
    exchange = Exchange(LENIENT)
    client = Envoy(exchange, is_duplex=is_duplex).send(
        Headers(head(media, 200, *others), is_duplex=is_duplex), *bodies(*raw)
    )
    return exchange, client


UNREAD = {
    "no JSON": (b"<html>", "response_unreadable"),
    "a batch": (b"[" + ANSWER + b"]", "response_unreadable"),
    "a key twice": (ANSWER[:-1] + b',"id":7}', "response_unreadable"),
    "too large": (ANSWER + b" " * 40, "response_too_large"),
}


@BOTH
@pytest.mark.parametrize(("raw", "reason"), UNREAD.values(), ids=UNREAD)
def test_body_that_cannot_be_read_passes_as_it_came_wherever_it_is_cut(raw: bytes, reason: str, is_duplex: bool):
    for at in range(len(raw) + 1):
        exchange, client = exchange_of((raw[:at], raw[at:], b""), is_duplex=is_duplex)
        assert (client.body, client.is_complete) == (raw, True)
        assert (exchange.outcome, exchange.uninspected) == (
            ResponseOutcome.SKIPPED, (Uninspected(Reason(reason), has_passed=True),),
        )  # fmt: skip


@BOTH
def test_body_that_can_be_read_is_inspected_though_others_may_pass(is_duplex: bool):
    exchange = Exchange(terms(withhold(Reason.UNMASKABLE), limits=LIMITS, passes_unread=True))
    client = Envoy(exchange, is_duplex=is_duplex).send(Headers(head(), is_duplex=is_duplex), *bodies(ANSWER))
    assert json.loads(client.body)["error"]["data"]["reason"] == "unmaskable"
    assert exchange.outcome is ResponseOutcome.WITHHELD


@BOTH
@pytest.mark.parametrize("media", ["application/json", EVENTS])
def test_compressed_body_passes_with_its_encoding_and_no_header_more(media: str, is_duplex: bool):
    others = (("content-encoding", "gzip"), ("set-cookie", "a=b"), ("content-length", "5"))
    exchange, client = exchange_of((b"\x1f\x8b", b"\x00"), media, *others, is_duplex=is_duplex)
    assert (client.body, client.fields) == (b"\x1f\x8b\x00", {"content-type": media, "content-encoding": "gzip"})
    assert exchange.uninspected == (Uninspected(Reason.RESPONSE_ENCODED, has_passed=True),)


BLOCKED = {
    "an error page": ("text/html", 200, (("content-encoding", "gzip"),)),
    "an encoding of another form": ("application/json", 200, (("content-encoding", "gzip;q=1"),)),
    "two encodings": ("application/json", 200, (("content-encoding", "gzip"), ("content-encoding", "br"))),
    "a redirect": ("application/json", 302, (("content-encoding", "gzip"),)),
    "another media type": ("text/html", 200, ()),
}


@pytest.mark.parametrize(("media", "status", "others"), BLOCKED.values(), ids=BLOCKED)
def test_what_is_between_us_and_the_backend_never_passes(media: str, status: int, others: Any):
    (replaced,) = Exchange(LENIENT).receive(Headers(head(media, status, *others)))
    assert isinstance(replaced, Replace)


def event(data: bytes) -> bytes:
    return b"data: " + data + b"\n\n"


@BOTH
def test_event_that_cannot_be_read_passes_among_others(is_duplex: bool):
    raw = b"id: 3\nevent: x\ndata: a\ndata: b\n\n" + event(ANSWER)
    for at in range(len(raw) + 1):
        exchange, client = exchange_of((raw[:at], raw[at:], b""), EVENTS, is_duplex=is_duplex)
        assert client.body == b"event: x\nid: 3\ndata: a\ndata: b\n\n" + event(ANSWER)
        assert exchange.outcome is ResponseOutcome.SKIPPED


def test_event_whose_name_cannot_pass_does_not_pass_as_another():
    _, client = exchange_of((b"event: a b\ndata: x\n\n" + event(ANSWER),), EVENTS)
    assert client.body == event(ANSWER)


def test_more_events_than_are_read_of_a_strict_stream_pass():
    raw = event(b"x") * 1100
    _, client = exchange_of((raw,), EVENTS)
    assert client.body == raw


LONG = b"id: 9\nretry: 5\ndata: first\ndata: " + b"x" * 60
LINE_ENDS = {"LF": b"\n", "CRLF": b"\r\n", "CR": b"\r"}


def parse(raw: bytes) -> list[list[bytes]]:
    """Read events as a client does, whatever ends its lines."""
    plain = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return [sorted(each.split(b"\n")) for each in plain.split(b"\n\n") if each]


@BOTH
@pytest.mark.parametrize("end", LINE_ENDS.values(), ids=LINE_ENDS)
def test_event_that_is_too_large_passes_with_all_that_follows(end: bytes, is_duplex: bool):
    raw = (event(ANSWER) + LONG + b"\ndata: last\n\n" + event(b"y")).replace(b"\n", end)
    cut: list[tuple[bytes, ...]] = [(raw[:at], raw[at:], b"") for at in range(len(raw) + 1)]
    cut.append(tuple(raw[at : at + 1] for at in range(len(raw))))
    for pieces in cut:
        exchange, client = exchange_of(pieces, EVENTS, is_duplex=is_duplex)
        assert (parse(client.body), client.is_complete) == (parse(raw), True)
        assert exchange.uninspected[0] == Uninspected(Reason.RESPONSE_TOO_LARGE, has_passed=True)


def test_rest_of_what_passes_is_echoed_and_trailers_are_dropped():
    exchange = Exchange(LENIENT)
    exchange.receive(Headers(head()))
    assert [type(exchange.receive(Body(raw))[0]) for raw in (b"x" * 65, b"y")] == [Emit, Echo]
    exchange.receive(Trailers(("a",)))
    assert exchange.has_ended


@BOTH
def test_stream_that_passes_still_ends_with_the_token(is_duplex: bool):
    exchange = Exchange(LENIENT)
    envoy = Envoy(exchange, is_duplex=is_duplex)
    client = envoy.send(Headers(head(EVENTS), is_duplex=is_duplex), Body(LONG), Expired())
    assert (client.is_cut, exchange.outcome) == (True, ResponseOutcome.EXPIRED)
    encoded = Exchange(LENIENT)
    encoded.receive(Headers(head(EVENTS, 200, ("content-encoding", "gzip"))))
    assert encoded.is_stream


def test_json_body_that_passes_may_still_arrive_when_the_token_expires():
    exchange = Exchange(LENIENT)
    client = Envoy(exchange).send(Headers(head()), Body(b"x" * 65), Expired(), Body(b"y", ends=True))
    assert (client.body, exchange.is_stream) == (b"x" * 65 + b"y", False)


# ---- what is masked --------------------------------------------------------------------------------------

ENFORCED = Receipt("r", "email", Style.REDACT, "/result/a")
SHADOW = Receipt("r", "email", Style.REDACT, "/result/a", is_enforced=False)


def mask(*receipts: Receipt) -> Any:
    return lambda message: Passed({**message}, (MaskedValues(receipts),))


@pytest.mark.parametrize(
    ("receipts", "outcome"), [((ENFORCED,), "masked"), ((SHADOW,), "changed"), ((SHADOW, ENFORCED), "masked")]
)
def test_response_counts_as_masked_if_an_enforced_rule_changed_it(receipts: tuple[Receipt, ...], outcome: str):
    exchange = Exchange(terms(mask(*receipts)))
    exchange.receive(Headers(head()))
    (emitted,) = exchange.receive(Body(ANSWER, ends=True))
    assert isinstance(emitted, Emit)
    assert (emitted.pieces[0].notes, exchange.outcome.value) == ((MaskedValues(receipts),), outcome)


def test_what_cannot_be_masked_is_told_once_and_defects_are_counted():
    def inspect(message: Json) -> Passed | Withheld:
        method = message.get("method") if isinstance(message, dict) else None
        if method is None:
            return pass_all(message)
        return Withheld(Reason.MASKING_INCOMPLETE if method == "x" else Reason.UNMASKABLE, str(method))

    exchange = Exchange(terms(inspect))
    raw = b"".join(event(b'{"jsonrpc":"2.0","method":"%b"}' % name) for name in (b"x", b"x", b"y"))
    client = Envoy(exchange).send(Headers(head(EVENTS)), *bodies(raw + event(ANSWER)))
    assert (client.body, exchange.incomplete) == (event(ANSWER), 2)
    assert exchange.uninspected == (
        Uninspected(Reason.MASKING_INCOMPLETE, "x"), Uninspected(Reason.UNMASKABLE, "y"),
    )  # fmt: skip


def test_list_of_what_could_not_be_inspected_is_bounded():
    def inspect(message: Json) -> Passed | Withheld:
        return Withheld(Reason.UNMASKABLE, json.dumps(message))

    exchange = Exchange(terms(inspect))
    raw = b"".join(event(b'{"jsonrpc":"2.0","method":"m%d"}' % number) for number in range(50))
    Envoy(exchange).send(Headers(head(EVENTS)), *bodies(raw))
    assert len(exchange.uninspected) == 8


@given(st.lists(st.sampled_from([b"data: x", b"\n", b"\r", b"\n\n", b"id: 1", ANSWER, b"y" * 70, b"{"])), st.booleans())
def test_lenient_terms_answer_anything_in_one_of_the_modes(parts: list[bytes], is_duplex: bool):
    for media in ("application/json", EVENTS):
        _, client = exchange_of((*parts, b""), media, is_duplex=is_duplex)
        assert client.is_complete or client.is_cut
