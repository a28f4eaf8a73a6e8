"""A backend whose answers are to be inspected: `python -m bench.backend PORT`, a separate process.

The request says which answer it gets: its body has one of the names of `ANSWERS` as its `cursor`.
"""

import asyncio
import json
import re
import sys
from collections.abc import Iterator
from typing import cast

import uvloop

LIST, EVENTS, LARGE, CALL = "list", "events", "large", "call"
LARGE_BYTES = 4 << 20
_EVENTS_PER_STREAM = 200
_JSON, _SSE = "application/json", "text/event-stream"
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)
_CURSOR = re.compile(rb'"cursor": "(\w+)"')


def _tool(name: str) -> dict[str, object]:
    """Write a definition of about 500 bytes."""
    text = "Looks up one customer of the company by the number that the invoice shows, with the orders of a year."
    fields = {field: {"type": "string", "description": text[:60]} for field in ("customer_id", "region")}
    schema = {"type": "object", "properties": fields, "required": ["customer_id"]}
    return {"name": name, "title": name, "description": text, "inputSchema": schema}


def _result(tools: list[dict[str, object]], **more: object) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "result": {"tools": tools, **more}}).encode()


def _list(count: int) -> bytes:
    # The caller may not call the last one: the list is another one afterwards.
    return _result([*(_tool(f"get_{at}") for at in range(count - 1)), _tool("delete_customer")])


def _stream() -> bytes:
    progress = {"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": 1, "progress": 1}}
    messages = [json.dumps(progress).encode()] * (_EVENTS_PER_STREAM - 1)
    return b"".join(b"event: message\r\ndata: %s\r\n\r\n" % each for each in (*messages, _list(2)))


def _large(size: int) -> bytes:
    """Write what costs much to read: brackets within texts, and nothing that is written plainly."""
    unit = '{"a":["[[[{{{\\u00e9",1e1]},'
    count = (size - 200) // len(unit)
    return b'{"jsonrpc":"2.0","id":1,"result":{"tools":[],"rows":[%s0]}}' % (unit * count).encode()


def write_answers(large_bytes: int = LARGE_BYTES) -> Iterator[tuple[str, str, bytes]]:
    """Write each answer: its name, its media type and its body."""
    yield LIST, _JSON, _list(21)
    yield EVENTS, _SSE, _stream()
    yield LARGE, _JSON, _large(large_bytes)
    yield CALL, _JSON, b'{"jsonrpc":"2.0","id":1,"result":{"content":[],"resultType":"complete"}}'


class Answering(asyncio.Protocol):
    """One connection; requests have a length, as Envoy forwards them."""

    def __init__(self, answers: dict[str, bytes]) -> None:
        self._answers = answers
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what answers are written to."""
        # The transport of uvloop is not a subclass of that of asyncio.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Answer every request that is whole."""
        self._received += data
        head, mark, rest = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if mark and len(rest) >= (int(length[1]) if length else 0) and self._transport is not None:
            self._received = b""
            cursor = _CURSOR.search(rest)
            self._transport.write(self._answers[cursor[1].decode() if cursor else CALL])


async def serve(port: int) -> None:
    """Serve until killed; prints one line when listening."""
    head = "HTTP/1.1 200 OK\r\ncontent-type: {}\r\ncontent-length: {}\r\n\r\n"
    answers = {name: head.format(media, len(body)).encode() + body for name, media, body in write_answers()}
    await asyncio.get_running_loop().create_server(lambda: Answering(answers), "127.0.0.1", port)
    print("listening", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
