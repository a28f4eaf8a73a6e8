"""Requests as the gateway signs them, and as they may arrive instead."""

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from agen_authz.core.model import Principal
from agen_authz.core.signature import Signed, SignedTarget, Signer, SigningKey, compute_signature, render_signed_text
from agen_authz.verify import BackendVerifier, NotVerified, Received, read_headers
from agen_authz.wire.identity import render_identity, render_principal, render_text
from tests import builders as build

NOW = 1_795_000_000
KEY, OTHER_KEY = b"k" * 32, b"o" * 32
KEYS = {"crm-1": KEY}
BODY = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
TARGET = SignedTarget("https", "mcp.example.com", "/mcp", None)
FIRST = SigningKey("crm-1", KEY)
Line = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Arrived:
    """One request as a server reads it off the wire."""

    method: str
    path: str
    query: str | None
    lines: tuple[Line, ...]
    body: bytes

    def with_header(self, name: str, value: str) -> "Arrived":
        """Give a header another value, or add it."""
        kept = tuple(line for line in self.lines if line[0] != name.encode())
        return replace(self, lines=(*kept, (name.encode(), value.encode("latin-1"))))

    def without(self, name: str) -> "Arrived":
        """Leave a header out."""
        return replace(self, lines=tuple(line for line in self.lines if line[0] != name.encode()))

    def and_header(self, name: str, value: str) -> "Arrived":
        """Write a header line behind the others."""
        return replace(self, lines=(*self.lines, (name.encode(), value.encode("latin-1"))))

    def header(self, name: str) -> str:
        """Return a header's value."""
        return dict(self.lines)[name.encode()].decode("latin-1")


def arrive(
    principal: Principal | None = None,
    *,
    body: bytes = BODY,
    method: str = "POST",
    target: SignedTarget = TARGET,
    resource: str = "crm",
    key: SigningKey = FIRST,
    components: tuple[str, ...] = (),
    expires_s: int = 60,
    created: int = NOW,
    nonce: str = "0123456789abcdef0123456789abcdef",
    headers: Mapping[str, str | None] | None = None,
) -> Arrived:
    """Sign a request as the sidecar does, and let it arrive unchanged."""
    caller = principal or build.principal()
    given = {"host": target.authority, "content-type": "application/json", **(headers or {})}
    sent = {name: value for name, value in given.items() if value is not None}
    signer = Signer(key, target, resource_header=render_text(resource), components=components, expires_s=expires_s)
    request = build.request(body, method=method, headers=sent, authority=target.authority)
    signed = signer.sign(
        request, render_principal(caller).lines, "req-1", created=created, nonce=nonce, is_modern=False
    )
    assert isinstance(signed, Signed)
    ours = (
        *render_identity(caller),
        ("agen-resource", render_text(resource)),
        ("agen-request-id", '"req-1"'),
        ("content-digest", signed.content_digest),
        ("signature-input", signed.signature_input),
        ("signature", signed.signature),
    )
    lines = tuple((name.encode(), value.encode("latin-1")) for name, value in (*sent.items(), *ours))
    return Arrived(method, target.path, target.query, lines, body)


def verifier(keys: Any = None, **changes: Any) -> BackendVerifier:
    """Build the verifier of `crm` at NOW."""
    return BackendVerifier(KEYS if keys is None else keys, **{"resource": "crm", "clock": lambda: NOW, **changes})


def outcome(arrived: Arrived, checking: BackendVerifier | None = None) -> Any:
    """Verify, and return the identity, or the name of the check that refused."""
    try:
        headers, repeated = read_headers(arrived.lines)
        received = Received(arrived.method, arrived.path, arrived.query, headers, "http", repeated)
        return (checking or verifier()).verify(received, arrived.body)
    except NotVerified as exc:
        return exc.check.value


def sign_again(arrived: Arrived, change: str, into: str) -> Arrived:
    """Sign with the right key, over parameters that were changed first: what only a thief of keys, or a bug, sends."""
    text = arrived.header("signature-input").removeprefix("agen=").replace(change, into)
    return signed_over(arrived, text)


def signed_over(arrived: Arrived, text: str) -> Arrived:
    covered = re.findall(r'"([^"]+)"(?=[ )])', text.partition(";")[0])
    values = {"@method": arrived.method, "@path": arrived.path, "@query": f"?{arrived.query or ''}"}
    headers = {name.decode(): value.decode("latin-1") for name, value in arrived.lines}
    signed = render_signed_text([(name, values.get(name) or headers.get(name, "")) for name in covered], text)
    signature = b64encode(compute_signature(signed, KEY)).decode()
    return arrived.with_header("signature-input", f"agen={text}").with_header("signature", f"agen=:{signature}:")
