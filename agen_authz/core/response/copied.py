"""The messages in a copy of a response that passed as it is; total, and bounded whatever was sent.

A copy is read less strictly than a response that is inspected: nothing leaves because of it. What cannot be read is
left out. gzip and deflate are undone up to the limit of a response; other encodings (br, zstd) are not read.
"""

import zlib
from collections.abc import Iterator

from agen_authz.core.model import Json
from agen_authz.core.response.body import ResponseLimits, looks_like_events, read_document
from agen_authz.core.response.passage import Copy
from agen_authz.core.sse import Event, SseReader

# Of zlib's `wbits`: gzip and zlib by their headers; HTTP's deflate without one, which some servers send.
_BY_HEADER, _WITHOUT_HEADER = 47, -15
_PACKED = frozenset({"gzip", "x-gzip", "deflate"})
_PLAIN = frozenset({"", "identity"})


def read_copy(copy: Copy, limits: ResponseLimits) -> Iterator[dict[str, Json]]:
    """Read message by message: each step is the work of one."""
    raw = _unpack(copy, limits.bytes)
    if not raw.strip():
        return
    document = read_document(raw, limits)
    if document is not None:
        yield document
    elif looks_like_events(raw):
        yield from _read_events(raw, limits)


def _read_events(raw: bytes, limits: ResponseLimits) -> Iterator[dict[str, Json]]:
    for event in SseReader(limits.bytes).read(raw):
        document = read_document(event.data, limits) if isinstance(event, Event) and event.data else None
        if document is not None:
            yield document


def _unpack(copy: Copy, max_bytes: int) -> bytes:
    encodings = {text.strip().lower() for name, text in copy.fields if name == "content-encoding"}
    if encodings <= _PLAIN:
        return copy.raw
    if len(encodings) > 1 or not encodings <= _PACKED:
        return b""
    unpacked = _inflate(copy.raw, _BY_HEADER, max_bytes)
    if unpacked is None and encodings == {"deflate"}:
        unpacked = _inflate(copy.raw, _WITHOUT_HEADER, max_bytes)
    return unpacked or b""


def _inflate(raw: bytes, wbits: int, max_bytes: int) -> bytes | None:
    reader = zlib.decompressobj(wbits)
    try:
        unpacked = reader.decompress(raw, max_bytes)
    except zlib.error:
        return None
    # The beginning of a body that is larger says little of it.
    return unpacked if reader.eof else b""
