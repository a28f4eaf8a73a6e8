"""What a backend's signature costs: made by the gateway, checked by a backend, for a request of 1 KB."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from agen_authz.core.header import look_at
from agen_authz.core.model import Request
from agen_authz.core.signature import CALLER_HEADERS, Signed, SignedTarget, Signer, SigningKey, render_lines
from agen_authz.verify import BackendVerifier, Received, read_headers

ROUNDS, CALLS = 5, 4000
SIGN_GOAL_US, VERIFY_GOAL_US = 15, 40
KEY = b"k" * 32
MESSAGE = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "t", "arguments": {"note": "n" * 930}}}
BODY = json.dumps(MESSAGE).encode()
SENT = {
    "host": "mcp.example.com",
    "content-type": "application/json",
    "accept": "application/json, text/event-stream",
    "content-length": str(len(BODY)),
    "mcp-protocol-version": "2026-07-28",
    "mcp-method": "tools/call",
    "mcp-name": "t",
    "x-forwarded-proto": "https",
}
SAID = ('"https://id.example.com"', '"ann"', '"acme"', '"desk"', '"analyst"', "")
CALLER = dict(zip(CALLER_HEADERS, SAID, strict=True))
Line = tuple[bytes, bytes]
Each = TypeVar("Each")


@dataclass(frozen=True, slots=True)
class Costs:
    """Microseconds each; the yardstick is reading and writing the same body as JSON."""

    sign_us: float
    verify_us: float
    json_us: float


def measure() -> Costs:
    """Sign and verify, each request with a separate nonce; the best of five rounds."""
    signer = Signer(
        SigningKey("crm-1", KEY), SignedTarget("https", "mcp.example.com", "/mcp", None), resource_header='"crm"'
    )
    verifier = BackendVerifier({"crm-1": KEY}, resource="crm")
    caller, asked, created = render_lines(CALLER.items()), _ask(), int(time.time())
    signs, verifies = [], []
    for turn in range(ROUNDS):
        nonces = [f"{turn * CALLS + number:032x}" for number in range(CALLS)]
        signed: list[Signed] = []

        def sign(nonce: str, signed: list[Signed] = signed) -> None:
            made = signer.sign(asked, caller, "r-1", created=created, nonce=nonce, is_modern=True)
            assert isinstance(made, Signed)
            signed.append(made)

        signs.append(_time(sign, nonces))
        arrived = [_arrive(each) for each in signed]
        verifies.append(_time(lambda lines: _verify(verifier, lines), arrived))
    reads = min(_time(lambda _: json.dumps(json.loads(BODY)), range(CALLS)) for _ in range(ROUNDS))
    return Costs(min(signs), min(verifies), reads)


def _ask() -> Request:
    return Request(
        method="POST",
        authority="mcp.example.com",
        path="/crm/mcp",
        headers=SENT,
        names=look_at(tuple(SENT)),
        repeated=frozenset(),
        raw_body=BODY,
        has_text_body=False,
        is_partial=False,
        peer="",
    )


def _arrive(signed: Signed) -> list[Line]:
    headers = {
        **SENT,
        **CALLER,
        "agen-resource": '"crm"',
        "agen-request-id": '"r-1"',
        "content-digest": signed.content_digest,
        "signature-input": signed.signature_input,
        "signature": signed.signature,
    }
    return [(name.encode(), value.encode()) for name, value in headers.items()]


def _verify(verifier: BackendVerifier, lines: list[Line]) -> None:
    # All that a middleware does, from the header lines of a server on.
    headers, repeated = read_headers(lines)
    verifier.verify(Received("POST", "/mcp", None, headers, "http", repeated), BODY)


def _time(call: Callable[[Each], object], items: Sequence[Each]) -> float:
    started = time.perf_counter()
    for item in items:
        call(item)
    return (time.perf_counter() - started) / len(items) * 1e6


def render(costs: Costs) -> str:
    """Write the rows."""
    rows = (
        ("json.loads + json.dumps of the body (yardstick)", costs.json_us, ""),
        ("sign a request of 1 KB", costs.sign_us, f" (goal {SIGN_GOAL_US})"),
        ("verify it, header lines to identity", costs.verify_us, f" (goal {VERIFY_GOAL_US})"),
    )
    return "\n".join(f"{name:<50}{us:>8.1f} us, {us / costs.json_us:.2f} x{goal}" for name, us, goal in rows)
