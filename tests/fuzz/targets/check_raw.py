"""`read_check` of any bytes, and of the requests that they happen to be."""

from collections.abc import Callable

from google.protobuf.message import DecodeError

from agen_authz._pb.agen.envoy.v1 import ext_authz_pb2 as pb
from agen_authz.core.errors import Malformed
from agen_authz.core.header import SINGLE_HEADERS
from agen_authz.core.model import Request
from agen_authz.wire.ext_authz import read_check
from tests.fuzz.targets.target import Target, expect

Read = Callable[[bytes], Request | Malformed]


def check(raw: bytes, read: Read = read_check) -> None:
    """Compare what is read with what the message holds."""
    request = read(raw)
    try:
        message = pb.CheckRequest.FromString(raw)
    except DecodeError:
        expect(isinstance(request, Malformed), "no message, no request")
        return
    http = message.attributes.request.http
    pairs = pairs_of(http)
    is_whole = bool(http.method and http.path and http.host) and all(name for name, _ in pairs)
    expect(isinstance(request, Request) == is_whole, "a request has method, path, host and names of headers")
    if isinstance(request, Request):
        compare(request, http, pairs)


def pairs_of(http: pb.AttributeContext.HttpRequest) -> list[tuple[str, str]]:
    """List the headers that a message holds, in whichever form."""
    if http.header_map.headers:
        return [(each.key, each.raw_value.decode("latin-1") or each.value) for each in http.header_map.headers]
    return list(http.headers.items())


def compare(request: Request, http: pb.AttributeContext.HttpRequest, pairs: list[tuple[str, str]]) -> None:
    """Expect that a request says what its message says."""
    expect((request.method, request.path, request.authority) == (http.method, http.path, http.host), "line is kept")
    expect(request.raw_body == (http.raw_body or http.body.encode()), "body is kept byte for byte")
    expect(request.has_text_body == bool(http.body), "text is known to be text")
    names = [name.lower() for name, _ in pairs]
    expect(set(request.headers) == set(names), "every header is kept, in lower case")
    given = {(name.lower(), value) for name, value in pairs}
    expect(given.issuperset(request.headers.items()), "no header has a value that nobody sent")
    _expect_repeats(request, pairs, names, is_joined=not http.header_map.headers)
    _expect_whole(request)
    expect(request.names.names == tuple(request.headers), "what is said of names is said of these")
    expect(request.names.has_underscore == any("_" in name for name in names), "underscores are seen")


def _expect_repeats(request: Request, pairs: list[tuple[str, str]], names: list[str], *, is_joined: bool) -> None:
    twice = {name for name in names if names.count(name) > 1}
    if is_joined:
        expect(not twice or "host" in request.repeated, "names that differ in case only are refused")
    if is_joined and twice:
        return
    commas = {
        name.lower()
        for name, value in pairs
        if "," in value and name.lower() in SINGLE_HEADERS and (is_joined or name.lower() != "mcp-name")
    }
    expect(request.repeated >= twice, "a header that came twice is known to be repeated")
    expect(all(name in request.repeated for name in commas - twice), "a comma counts as a repeat")
    hosts = {request.headers.get(name, request.authority) for name in (":authority", "host")}
    expect(hosts == {request.authority} or "host" in request.repeated, "two hosts are a repeat")


def _expect_whole(request: Request) -> None:
    marked = request.headers.get("x-envoy-auth-partial-body", "false") != "false"
    length = request.headers.get("content-length", str(len(request.raw_body)))
    shorter = bool(request.raw_body) and length != str(len(request.raw_body))
    expect(request.is_partial == (marked or shorter), "a body that is not whole is known to be partial")


TARGET = Target("check_raw", check, "check_raw", max_bytes=2048)
