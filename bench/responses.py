"""What Process spends on one response, without gRPC: messages of Envoy's in, messages to Envoy out.

The yardstick of each is `json.loads` and `json.dumps` of the same messages, in the same run. The hostile streams are
one megabyte each; theirs is what a backend can cost that sends nothing of use.
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from agen_authz._pb.agen.envoy.v1 import ext_proc_pb2 as pb
from agen_authz.core.exchange import Exchange
from agen_authz.core.model import Envelope, Json
from agen_authz.core.response.body import ResponseLimits
from agen_authz.core.response.message import Passed
from agen_authz.core.response.step import Body, Headers, Terms
from agen_authz.wire.ext_proc import read_event, render_action

ROUNDS, PIECE_BYTES, HOSTILE_BYTES = 5, 16_384, 1 << 20
JSON, EVENTS = "application/json", "text/event-stream"
_LIMITS = ResponseLimits(bytes=4 << 20, depth=64)


@dataclass(frozen=True, slots=True)
class Response:
    """One response: its media type, the pieces of its body, and the messages in it."""

    media: str
    pieces: tuple[bytes, ...]
    messages: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class ResponseCost:
    """Milliseconds of Process and of the yardstick; None for a stream without messages."""

    shape: str
    ours_ms: float
    json_ms: float | None


def _pass(message: Json) -> Passed:
    return Passed(message)


def _rows(count: int) -> list[Json]:
    return [{"id": at, "name": f"Customer {at}", "email": f"c{at}@example.com", "note": "wrote"} for at in range(count)]


def _answer(result: dict[str, Json]) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": 7, "result": result}).encode()


def shapes(hostile_bytes: int = HOSTILE_BYTES) -> Iterator[tuple[str, Response]]:
    """List responses: usual ones, then hostile ones of about so many bytes."""
    structured = _answer({"structuredContent": {"rows": _rows(120)}})
    text = _answer({"content": [{"type": "text", "text": json.dumps(_rows(100))}]})
    yield "10 KB of JSON, rows", Response(JSON, (structured,), (structured,))
    yield "10 KB of JSON, rows within a text", Response(JSON, (text,), (text,))
    progress = json.dumps({"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progress": 1}}).encode()
    yield "200 events", Response(EVENTS, (b"event: message\r\ndata: %s\r\n\r\n" % progress,) * 200, (progress,) * 200)
    for name, unit in (
        ("line ends", b"\n"),
        ("comments", b":\n"),
        ("fields without a meaning", b"a\n"),
        ("data on many lines", b"data:x\n"),
        ("events with an id alone", b"id:\n\n"),
        ("events that cannot be read", b"data:{}\n\n"),
    ):
        raw = unit * (hostile_bytes // len(unit))
        yield name, Response(EVENTS, tuple(raw[at : at + PIECE_BYTES] for at in range(0, len(raw), PIECE_BYTES)))


def write(response: Response) -> list[bytes]:
    """Write the pieces as Envoy sends them."""
    pieces = [pb.HttpBody(body=piece) for piece in response.pieces]
    ended = [*pieces, pb.HttpBody(end_of_stream=True)]
    return [pb.ProcessingRequest(response_body=piece).SerializeToString() for piece in ended]


def process(response: Response, sent: list[bytes]) -> int:
    """Inspect one response; returns how many bytes Envoy is sent."""
    exchange = Exchange(Terms(_pass, Envelope(id=7), "r", _LIMITS, lambda _: None))
    fields = ((":status", "200"), ("content-type", response.media), ("server", "x"), ("content-length", "1"))
    size = sum(len(render_action(action) or b"") for action in exchange.receive(Headers(fields)))
    for raw in sent:
        event = read_event(raw)
        assert isinstance(event, Body)
        size += sum(len(render_action(action) or b"") for action in exchange.receive(event))
    return size


def measure(hostile_bytes: int = HOSTILE_BYTES) -> list[ResponseCost]:
    """Measure each shape; the best of some rounds."""
    return [_measure(name, response) for name, response in shapes(hostile_bytes)]


def _measure(name: str, response: Response) -> ResponseCost:
    sent = write(response)
    ours = _time(lambda: process(response, sent))
    if not response.messages:
        return ResponseCost(name, ours, None)
    return ResponseCost(name, ours, _time(lambda: [json.dumps(json.loads(each)) for each in response.messages]))


def _time(run: Callable[[], object]) -> float:
    taken = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        run()
        taken.append(time.perf_counter() - started)
    return min(taken) * 1000


def render(costs: list[ResponseCost]) -> str:
    """Render a table."""
    lines = [f"{'':36}{'ours, ms':>10}{'json, ms':>10}{'x json':>8}"]
    for cost in costs:
        ratio = "" if cost.json_ms is None else f"{cost.json_ms:10.2f}{cost.ours_ms / cost.json_ms:8.1f}"
        lines.append(f"{cost.shape:36}{cost.ours_ms:10.2f}{ratio}")
    return "\n".join(lines) + "\n"
