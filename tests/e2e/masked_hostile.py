"""Hostile and unreadable responses that hold values, and what a client may get of them."""

import base64
import gzip
import json
from typing import Any

from msgspec import Struct

from tests.e2e.masked import MARKS, REAL, result
from tests.e2e.masked_kinds import DONE, content, notify
from tests.e2e.told import EVENTS, chunk, chunked, dump, event, head, rpc, whole

SENT, SHOWN = result(REAL.all()), result(MARKS.all())
SAID, NOTED = (notify("message", data=each.all()) for each in (REAL, MARKS))
RAW, EVENT = dump(SENT), event(SENT)
PAGE = f"<html>{REAL.all()}</html>".encode()
# Not a text, and with a value in it.
PICTURE = base64.b64encode(b"\x89PNG\r\n\x1a\n\x00\xff" + REAL.all().encode()).decode()
BROKEN = RAW.replace(b"Card", b"Card \xff")
TWICE = b'{"jsonrpc":"2.0","id":7,"result":%s,"result":{}}' % dump(SENT["result"])
TWICE_INSIDE = b'{"jsonrpc":"2.0","id":7,"result":{"a":"%s","a":1}}' % REAL.card.encode()
DEEP = b'{"jsonrpc":"2.0","id":7,"result":{"a":%s"%s"%s}}' % (b"[" * 300, REAL.card.encode(), b"]" * 300)
BATCH = dump([SENT])
BIG = dump(result(REAL.all() + "a" * 5_000_000))
BIG_EVENT = b"data: " + BIG + b"\n\n"
GZIP = "content-encoding: gzip"
ESCAPED = RAW.replace(REAL.card.encode(), b"".join(b"\\u%04x" % each for each in REAL.card.encode()))
LINES = b"data: " + RAW.replace(b'": ', b'":\ndata:  ') + b"\n\n"
UNREADABLE, ENCODED, NOT_MCP = ["7: response_unreadable"], ["7: response_encoded"], ["7: response_not_mcp"]
LARGE = ["7: response_too_large"]
LEAKY = (f"set-cookie: a={REAL.card}", f"x-mail: {REAL.mail}", f"link: <https://x/{REAL.key}>", f'etag: "{REAL.ssn}"')


def floating(number: str) -> bytes:
    return b'{"jsonrpc":"2.0","id":7,"result":{"a":%s}}' % number.encode()


def marked(mark: Any = MARKS.card) -> dict[str, Any]:
    return rpc(id=7, result={"a": mark})


# name: (what the backend sends, status, what the client gets)
HOSTILE: dict[str, tuple[list[Any], int, list[Any]]] = {
    "broken UTF-8": ([whole(BROKEN)], 200, UNREADABLE),
    "broken UTF-8 in an event": ([whole(b"data: " + BROKEN + b"\n\n", media=EVENTS)], 200, UNREADABLE),
    "text": ([whole(REAL.all().encode())], 200, UNREADABLE),
    "text as an event": ([whole(f"data: {REAL.all()}\n\n".encode(), media=EVENTS)], 200, UNREADABLE),
    "text between events": ([whole(event(SAID) + f"data: {REAL.all()}\n\n".encode() + EVENT, media=EVENTS)], 200,
        [NOTED, SHOWN]),
    "page": ([whole(PAGE, media="text/html")], 502, NOT_MCP),
    "plain text": ([whole(PAGE, media="text/plain")], 502, NOT_MCP),
    "error page": ([whole(PAGE, status="500 No", media="text/html")], 502, NOT_MCP),
    "missing page": ([whole(PAGE, status="404 No", media="text/html")], 404, NOT_MCP),
    "error of HTTP with a message": ([whole(RAW, status="400 No")], 400, [SHOWN]),
    "gzip": ([whole(gzip.compress(RAW), GZIP)], 502, ENCODED),
    "gzip of events": ([whole(gzip.compress(EVENT), GZIP, media=EVENTS)], 502, ENCODED),
    "gzip that is not announced": ([whole(gzip.compress(RAW))], 200, UNREADABLE),
    "gzip that is none": ([whole(RAW, GZIP)], 502, ENCODED),
    "byte order mark": ([whole(b"\xef\xbb\xbf" + RAW)], 200, UNREADABLE),
    "events with a byte order mark": ([whole(b"\xef\xbb\xbf" + EVENT, media=EVENTS)], 200, [SHOWN]),
    "UTF-16": ([whole(RAW.decode().encode("utf-16"))], 200, UNREADABLE),
    "UTF-32": ([whole(RAW.decode().encode("utf-32-le"))], 200, UNREADABLE),
    "UTF-7 in a charset": ([whole(RAW, media="application/json; charset=utf-7")], 200, [SHOWN]),
    "CR": ([whole((event(SAID) + EVENT).replace(b"\n", b"\r"), media=EVENTS)], 200, [NOTED, SHOWN]),
    "CRLF": ([whole((event(SAID) + EVENT).replace(b"\n", b"\r\n"), media=EVENTS)], 200, [NOTED, SHOWN]),
    "last event without an end": ([whole(event(DONE) + event(SAID)[:-1], media=EVENTS)], 200, [DONE]),
    "last event without a line's end": ([whole(event(DONE) + event(SAID)[:-2], media=EVENTS)], 200, [DONE]),
    "event of many lines": ([whole(LINES, media=EVENTS)], 200, [SHOWN]),
    "comment": ([whole(f": {REAL.all()}\n\n".encode() + EVENT, media=EVENTS)], 200, [SHOWN]),
    "unknown field": ([whole(f"note: {REAL.all()}\n{REAL.mail}\n".encode() + EVENT, media=EVENTS)], 200, [SHOWN]),
    "name of an event": ([whole(f"event: {REAL.mail}\n".encode() + event(SAID) + EVENT, media=EVENTS)], 200, [SHOWN]),
    "retry": ([whole(f"retry: {REAL.card}\n".encode() + EVENT, media=EVENTS)], 200, [SHOWN]),
    "member twice": ([whole(TWICE)], 200, UNREADABLE),
    "member twice inside": ([whole(TWICE_INSIDE)], 200, UNREADABLE),
    "member twice in an event": ([whole(b"data: " + TWICE_INSIDE + b"\n\n", media=EVENTS)], 200, UNREADABLE),
    "result in capitals": ([whole(RAW.replace(b'"result"', b'"Result"'))], 200, UNREADABLE),
    "JSON where events were announced": ([whole(RAW, media=EVENTS)], 200, [SHOWN]),
    "an event where JSON was announced": ([whole(EVENT)], 200, [SHOWN]),
    "two events where JSON was announced": ([whole(event(SAID) + EVENT)], 200, UNREADABLE),
    "nothing announced": ([whole(RAW, media=None)], 200, [SHOWN]),
    "events of which nothing is announced": ([whole(EVENT, media=None)], 200, [SHOWN]),
    "batch": ([whole(BATCH)], 200, UNREADABLE),
    "two messages": ([whole(RAW + RAW)], 200, UNREADABLE),
    "half": ([whole(RAW[:-1])], 200, UNREADABLE),
    "text behind it": ([whole(RAW + REAL.all().encode())], 200, UNREADABLE),
    "nested too deeply": ([whole(DEEP)], 200, UNREADABLE),
    "nested deeply": ([whole(DEEP.replace(b"[" * 250, b"").replace(b"]" * 250, b""))], 200,
        [marked(json.loads("[" * 50 + dump(MARKS.card).decode() + "]" * 50))]),
    "escapes": ([whole(ESCAPED)], 200, [SHOWN]),
    "exponent": ([whole(floating("4.111111111111111e15"))], 200, [marked()]),
    "exponent in capitals": ([whole(floating("4111111111111111E0"))], 200, [marked()]),
    "fraction of zeros": ([whole(floating("4111111111111111.0"))], 200, [marked()]),
    "negative number": ([whole(floating("-4111111111111111"))], 200, [marked()]),
    "picture": ([whole(dump(content({"type": "image", "data": PICTURE, "mimeType": "image/png"})))], 200,
        [content({"type": "text", "text": "[BINARY]"})]),
    "sound": ([whole(dump(content({"type": "audio", "data": PICTURE, "mimeType": "audio/wav"})))], 200,
        [content({"type": "text", "text": "[BINARY]"})]),
    "blob that is no text": ([whole(dump(content({"type": "resource", "resource": {"uri": "a:b", "blob": PICTURE}})))],
        200, [content({"type": "resource", "resource": {"uri": "a:b", "text": "[BINARY]"}})]),
    "picture that is a text": ([whole(dump(content({"type": "image", "data": REAL.blob()})))], 200,
        [content({"type": "image", "data": MARKS.blob()})]),
    "blob that is no base64": ([whole(dump(content({"type": "resource", "resource": {"blob": REAL.all()}})))], 200,
        [content({"type": "resource", "resource": {"blob": MARKS.all()}})]),
    "JSON of 5 MB": ([whole(BIG)], 200, LARGE),
    "event of 5 MB": ([whole(event(SAID) + BIG_EVENT + EVENT, media=EVENTS)], 200, [NOTED, *LARGE]),
    "headers": ([whole(RAW, *LEAKY, status=f"200 {REAL.card}")], 200, [SHOWN]),
    "trailers": ([head("transfer-encoding: chunked", media=EVENTS) + chunk(EVENT) + b"0\r\n",
        f"x-a: {REAL.mail}\r\n\r\n".encode()], 200, [SHOWN]),
    "early hints": ([f"HTTP/1.1 103 Hint\r\nlink: <{REAL.key}>\r\n\r\n".encode() + whole(RAW)], 200, [SHOWN]),
    "answer twice": ([whole(EVENT * 2, media=EVENTS)], 200, [SHOWN, SHOWN]),
}  # fmt: skip

# name: (what the backend sends, the body that passes, why it could not be read)
LOOSE: dict[str, tuple[list[Any], bytes, str]] = {
    "broken UTF-8": ([whole(BROKEN)], BROKEN, "response_unreadable"),
    "text": ([whole(REAL.all().encode())], REAL.all().encode(), "response_unreadable"),
    "gzip": ([whole(gzip.compress(RAW, mtime=0), GZIP)], gzip.compress(RAW, mtime=0), "response_encoded"),
    "too large": ([whole(BIG)], BIG, "response_too_large"),
    "event that is none": ([chunked(b"data: what\n\n", event(DONE), media=EVENTS)],
        b"data: what\n\ndata: " + dump(DONE).replace(b" ", b"") + b"\n\n", "response_unreadable"),
    "event that is too large": ([chunked(BIG_EVENT, media=EVENTS)], BIG_EVENT, "response_too_large"),
}  # fmt: skip


class Plain(Struct, frozen=True):
    """What a backend sends of which no rule is about, its body, and what a sample of it shows."""

    steps: tuple[bytes, ...]
    body: bytes
    found: tuple[str, ...] = ("aws_key", "credit_card", "email", "us_ssn")


PACKED = gzip.compress(RAW, mtime=0)
UNRULED: dict[str, Plain] = {
    "JSON": Plain((whole(RAW, *LEAKY),), RAW),
    "events": Plain((chunked(event(SAID), EVENT, media=EVENTS),), event(SAID) + EVENT),
    "gzip": Plain((whole(PACKED, GZIP),), PACKED),
    "JSON where events were announced": Plain((whole(RAW, media=EVENTS),), RAW),
    "nothing to find": Plain((whole(dump(DONE)),), dump(DONE), ()),
    "broken UTF-8": Plain((whole(BROKEN),), BROKEN, ()),
    "page": Plain((whole(PAGE, status="500 No", media="text/html"),), PAGE, ()),
    "redirect": Plain((whole(PAGE, "location: https://x.example.com/", status="307 Go", media="text/html"),), PAGE, ()),
    "challenge": Plain((whole(b"", 'www-authenticate: Bearer realm="x"', status="401 No"),), b"", ()),
    "nothing": Plain((head("content-length: 0", status="202 Accepted", media=None),), b"", ()),
    "5 MB": Plain((whole(BIG),), BIG, ()),
}
