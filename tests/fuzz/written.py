"""Requests as text that a fuzzer can change and a person can read; any bytes are such a text.

    POST /crm/mcp mcp.example.com header_map text
    content-type: application/json
    mcp-protocol-version: 2025-11-25

    {"jsonrpc": "2.0", "id": 7, "method": "ping"}

The words after the host say how Envoy hands the request over: `header_map` (else joined headers), `value` (header
values as text), `text` (the body as text), `bare` (without pseudo headers).
"""

from dataclasses import dataclass

from agen_authz._pb.agen.envoy.v1 import ext_authz_pb2 as pb

PEER = "192.0.2.1"


@dataclass(frozen=True, slots=True)
class Written:
    """One request as it was written down."""

    method: str
    path: str
    host: str
    ways: frozenset[str]
    headers: tuple[tuple[str, str], ...]
    body: bytes


def read_written(raw: bytes) -> Written:
    """Read a request from its text; total."""
    head, _, body = raw.partition(b"\n\n")
    first, *lines = head.decode("latin-1").split("\n")
    method, path, host, *ways = [*first.split(" "), "", "", ""][: max(3, first.count(" ") + 1)]
    parted = [line.partition(": ") for line in lines]
    return Written(method, path, host, frozenset(ways), tuple((name, value) for name, _, value in parted), body)


def write_check(written: Written) -> bytes:
    """Write the CheckRequest that Envoy would send for a request."""
    message = pb.CheckRequest()
    message.attributes.source.address.socket_address.address = PEER
    http = message.attributes.request.http
    http.method, http.path, http.host = written.method, written.path, written.host
    for name, value in _all_headers(written):
        if "header_map" not in written.ways:
            http.headers[name] = f"{http.headers[name]},{value}" if name in http.headers else value
        elif "value" in written.ways:
            http.header_map.headers.add(key=name, value=value)
        else:
            http.header_map.headers.add(key=name, raw_value=value.encode("latin-1", "replace"))
    if "text" in written.ways:
        http.body = written.body.decode("utf-8", "replace").replace("\ufffd", "!")
    else:
        http.raw_body = written.body
    # Maps in one order, so that a seed is the same file each time.
    return message.SerializeToString(deterministic=True)


def _all_headers(written: Written) -> list[tuple[str, str]]:
    if "bare" in written.ways:
        return list(written.headers)
    pseudo = [(":method", written.method), (":path", written.path), (":authority", written.host), (":scheme", "https")]
    return [*pseudo, *written.headers]
