"""An HTTP/1.1 server that answers anything at once: `python -m tests.stage.backend PORT`, a separate process."""

import asyncio
import re
import sys
from typing import cast

import uvloop

_BODY = b'{"jsonrpc":"2.0","id":1,"result":{"content":[],"resultType":"complete"}}'
_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(_BODY), _BODY)
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)


class Answering(asyncio.Protocol):
    """One connection; requests have a length, as Envoy forwards them."""

    def __init__(self) -> None:
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what answers are written to."""
        # uvloop's transports are no subclasses of asyncio's.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Answer every request that is whole."""
        self._received += data
        head, mark, rest = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if mark and len(rest) >= (int(length[1]) if length else 0) and self._transport is not None:
            self._received = b""
            self._transport.write(_ANSWER)


async def serve(port: int) -> None:
    """Serve until killed; prints one line when listening."""
    await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", port)
    print("listening", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
