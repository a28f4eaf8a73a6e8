"""Signatures for backends: HTTP Message Signatures (RFC 9421) with `hmac-sha256`, and Digest Fields (RFC 9530).

What is signed, in this order: the twelve components that every request has, the headers that choose what is read
and how, if they reach the backend (`core.header.chooses_reading`, ADR 0017), and what a resource adds. The signature
base (RFC 9421 section 2.5) is the same text on both sides: `sign` and the verifier build it line by line.

    "@method": POST
    "@path": /mcp
    "@query": ?
    "content-digest": sha-256=:…:
    "agen-issuer": "https://login.example.com"
    …
    "content-type": application/json
    "mcp-protocol-version": 2026-07-28
    "@signature-params": ("@method" "@path" …);created=1;expires=2;nonce="…";keyid="…";alg="hmac-sha256";tag="…"
"""

import hashlib
from binascii import b2a_base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol
from urllib.parse import parse_qsl, quote

from agen_authz.core.authority import drop_default_port
from agen_authz.core.errors import Malformed
from agen_authz.core.header import HeaderNames, chooses_reading, is_forwarded, list_forwarded
from agen_authz.core.mac import authenticate
from agen_authz.core.memory import remember
from agen_authz.core.reason import Reason

LABEL, TAG, ALGORITHM = "agen", "agen-authz", "hmac-sha256"
# The headers that say who asks, and of whom, in the order in which they are signed.
CALLER_HEADERS = ("agen-issuer", "agen-subject", "agen-tenant", "agen-client", "agen-roles", "agen-permissions")
IDENTITY_HEADERS = (*CALLER_HEADERS, "agen-resource", "agen-request-id")
MANDATORY = ("@method", "@path", "@query", "content-digest", *IDENTITY_HEADERS)
SIGNATURE_HEADERS = ("content-digest", "signature-input", "signature")
# RFC 9421 section 2.2, of a request; `@query-param;name="x"` is the one that needs a parameter.
DERIVED = frozenset({"@method", "@target-uri", "@authority", "@scheme", "@request-target", "@path", "@query"})
QUERY_PARAM = "@query-param"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key that belongs to one resource; its bytes are in no repr."""

    id: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SignedTarget:
    """What a request asks for, as the backend sees it; `query` is None if there is no question mark."""

    scheme: str
    authority: str
    path: str
    query: str | None


class Signable(Protocol):
    """What is read of a request to sign it (`core.model.Request`)."""

    @property
    def method(self) -> str: ...
    @property
    def authority(self) -> str: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def names(self) -> HeaderNames: ...
    @property
    def repeated(self) -> frozenset[str]: ...
    @property
    def raw_body(self) -> bytes: ...


class Signed(NamedTuple):
    """The three headers that a signature adds."""

    content_digest: str
    signature_input: str
    signature: str


def digest_content(body: bytes) -> str:
    """Render `content-digest` of a body, `sha-256` only (RFC 9530 section 2); no body is zero bytes."""
    return f"sha-256=:{write_base64(hashlib.sha256(body).digest())}:"


def write_base64(raw: bytes) -> str:
    """Write bytes as a Byte Sequence of Structured Fields holds them (RFC 9651 section 4.1.8), without its colons."""
    return b2a_base64(raw, newline=False).decode("ascii")


@remember(128)
def spell_component(component: str) -> str:
    """Spell a component identifier (RFC 9421 section 2): its name in quotes, then its parameters."""
    name, mark, parameters = component.partition(";")
    return f'"{name}"{mark}{parameters}'


def render_signed_text(lines: Iterable[tuple[str, str]], parameters: str) -> str:
    """Join a signature base (RFC 9421 section 2.5) from (component, value) pairs and `@signature-params`."""
    return render_lines(lines) + f'"@signature-params": {parameters}'


def compute_signature(base: str, secret: bytes) -> bytes:
    """Compute HMAC-SHA256 over a signature base (RFC 9421 section 3.3.3); headers are bytes, read as latin-1."""
    return authenticate(base.encode("latin-1"), secret)


def render_lines(components: Iterable[tuple[str, str]]) -> str:
    """Render (component, value) pairs as lines of a signature base."""
    return "".join([f"{spell_component(component)}: {content}\n" for component, content in components])


class Signer:
    """Signs the requests to one resource with its first key.

    Args:
        target: where the requests go; each has its own authority.
        resource_header: the value of `agen-resource`.
        components: what is signed besides the mandatory components, where a request has it.
        expires_s: how long a signature is good, whole seconds.
        forwarded: headers that the backend gets besides those that every backend gets.
        is_resumable: the backend gets `last-event-id` as well.
    """

    def __init__(
        self,
        key: SigningKey,
        target: SignedTarget,
        *,
        resource_header: str,
        components: tuple[str, ...] = (),
        expires_s: int = 60,
        forwarded: Iterable[str] = (),
        is_resumable: bool = False,
    ) -> None:
        self._key = key
        self._target = target
        self._expires_s = expires_s
        self._components = tuple(name for name in components if not chooses_reading(name))
        self._forwarded = list_forwarded(forwarded, is_resumable=is_resumable)
        # What is the same for every request.
        self._target_lines = f'"@path": {target.path}\n"@query": ?{target.query or ""}\n'
        self._resource_line = f'"agen-resource": {resource_header}\n'
        self._covered = " ".join(map(spell_component, MANDATORY))

    def sign(
        self, request: Signable, caller_lines: str, request_id: str, *, created: int, nonce: str, is_modern: bool
    ) -> Signed | Malformed:
        """Sign one request, of the caller whose headers are `caller_lines` of the signature base.

        Args:
            is_modern: the request is of the modern era, in which some headers do not reach the backend.
        """
        extra = self._find_components(request, is_modern)
        if isinstance(extra, Malformed):
            return extra
        covered, lines = extra
        digest = digest_content(request.raw_body)
        parameters = (
            f'({covered});created={created};expires={created + self._expires_s};nonce="{nonce}"'
            f';keyid="{self._key.id}";alg="{ALGORITHM}";tag="{TAG}"'
        )
        base = (
            f'"@method": {request.method}\n{self._target_lines}"content-digest": {digest}\n'
            f"{caller_lines}{self._resource_line}"
            f'"agen-request-id": "{request_id}"\n{lines}"@signature-params": {parameters}'
        )
        signature = write_base64(compute_signature(base, self._key.secret))
        return Signed(digest, f"{LABEL}={parameters}", f"{LABEL}=:{signature}:")

    def _find_components(self, request: Signable, is_modern: bool) -> tuple[str, str] | Malformed:
        covered, lines = self._covered, ""
        for component in (*self._find_reading(request, is_modern), *self._components):
            if component in request.repeated:
                # Which copies the backend sees, and in which order, is not known here.
                return Malformed(Reason.HEADER_REPEATED, component)
            content = self._find(request, component)
            if content is None:
                continue
            if not (content.isascii() and content.isprintable()):
                # A line end would be a line of the base, and other bytes may not arrive as they were read.
                return Malformed(Reason.HEADER_MALFORMED, component)
            spelt = spell_component(component)
            covered, lines = f"{covered} {spelt}", f"{lines}{spelt}: {content}\n"
        return covered, lines

    def _find_reading(self, request: Signable, is_modern: bool) -> list[str]:
        has_message = request.method == "POST"
        # INVARIANT: what is removed on the way to the backend (wire/template.py) is not among these, all else is.
        return [
            name
            for name in request.names.reading
            if is_forwarded(name, self._forwarded, is_modern=is_modern, has_message=has_message)
        ]

    def _find(self, request: Signable, component: str) -> str | None:
        if component.startswith("@"):
            return derive(component, request.method, replace(self._target, authority=request.authority))
        found = request.headers.get(component)
        return None if found is None else found.strip(" \t")


def derive(component: str, method: str, target: SignedTarget) -> str | None:
    """Derive a component of a request (RFC 9421 section 2.2); None for one that it does not have."""
    if component.startswith(QUERY_PARAM):
        return _query_param(component, target.query or "")
    mark = "" if target.query is None else f"?{target.query}"
    path, authority = target.path or "/", _normalise(target.authority, target.scheme)
    values: Mapping[str, str] = {
        "@method": method,
        "@scheme": target.scheme.lower(),
        "@authority": authority,
        "@path": path,
        "@query": mark or "?",
        "@request-target": f"{path}{mark}",
        "@target-uri": f"{target.scheme}://{authority}{path}{mark}",
    }
    return values.get(component)


def _normalise(authority: str, scheme: str) -> str:
    # RFC 9421 section 2.2.3: lower case, without the scheme's own port.
    return drop_default_port(authority.lower(), scheme)


def _query_param(component: str, query: str) -> str | None:
    # RFC 9421 section 2.2.8: read as a form, written percent-encoded; a name that comes twice is not to be signed.
    wanted = component.partition(";name=")[2].strip('"')
    found = [content for key, content in parse_qsl(query, keep_blank_values=True) if _encode(key) == wanted]
    return _encode(found[0]) if len(found) == 1 else None


def _encode(text: str) -> str:
    # The `application/x-www-form-urlencoded` percent-encode set of the URL standard, with %20 for a blank.
    return quote(text, safe="*").replace("~", "%7E")
