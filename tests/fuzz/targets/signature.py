"""Signatures at a backend: whatever arrives, only what was signed is accepted, and both readers say the same."""

from collections.abc import Callable

from agen_authz.core.signature import IDENTITY_HEADERS
from agen_authz.verify import BackendVerifier, NotVerified, Received, read_headers
from agen_authz.verify.shape import Claim, read_claim, read_with_library
from tests.fuzz.targets.target import Target, expect
from tests.verify.signed import Arrived, arrive, verifier

GOOD = arrive(components=("content-type",))
COVERED = ("content-digest", "content-type", *IDENTITY_HEADERS)
Read = Callable[[str], Claim]


def check(raw: bytes, read: Read = read_claim, build: Callable[[], BackendVerifier] = verifier) -> None:
    """Put header lines and a body in the place of those that were signed, and verify."""
    head, _, body = raw.partition(b"\n\n")
    lines = [line.partition(b": ") for line in head.split(b"\n") if line]
    changed = {name.lower() for name, _, _ in lines}
    kept = tuple(line for line in GOOD.lines if line[0] not in changed)
    arrived = Arrived(GOOD.method, GOOD.path, None, (*kept, *((name, value) for name, _, value in lines)), body)
    _compare_readers(arrived, read)
    try:
        headers, repeated = read_headers(arrived.lines)
        build().verify(Received(arrived.method, arrived.path, None, headers, "http", repeated), body)
    except NotVerified:
        return
    expect(body == GOOD.body, "only the body that was signed is accepted")
    told = {name: headers.get(name) for name in COVERED}
    expect(told == {name: GOOD.header(name) for name in COVERED}, "only the headers that were signed are accepted")


def _compare_readers(arrived: Arrived, read: Read) -> None:
    for name, value in arrived.lines:
        if name.lower() != b"signature-input":
            continue
        text = value.decode("latin-1")
        if not text.isascii():
            continue
        ours = _try(read, text)
        expect(ours is None or ours == _try(read_with_library, text), "our reader says what the library says")


def _try(read: Read, text: str) -> Claim | None:
    try:
        return read(text)
    except NotVerified:
        return None


TARGET = Target("signature", check, "signature")
