"""`read_check` of well-formed CheckRequests, put together from a request as text."""

from agen_authz.core.errors import Malformed
from agen_authz.wire.ext_authz import read_check
from tests.fuzz.targets import check_raw
from tests.fuzz.targets.target import Target, expect
from tests.fuzz.written import PEER, read_written, write_check


def check(raw: bytes, read: check_raw.Read = read_check) -> None:
    """Read a request that Envoy could have sent, and compare it with its text."""
    written = read_written(raw)
    sent = write_check(written)
    check_raw.check(sent, read)
    request = read(sent)
    if isinstance(request, Malformed):
        named = all(name for name, _ in written.headers)
        expect(not (written.method and written.path and written.host and named), "a whole request is read")
        return
    expect(request.peer == PEER, "the peer is Envoy's")
    if "text" not in written.ways:
        expect(request.raw_body == written.body, "the body is the client's")


TARGET = Target("check_pieces", check, "request", max_bytes=2048)
