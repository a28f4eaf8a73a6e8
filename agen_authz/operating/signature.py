"""One side's view of a signature: what the gateway signs, what a backend makes of it, and which component differs."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from urllib.parse import urlsplit

from agen_authz.build.ruleset import build_signer
from agen_authz.config import Loaded
from agen_authz.core.errors import Malformed
from agen_authz.core.header import look_at
from agen_authz.core.message.version import MODERN_VERSIONS
from agen_authz.core.model import Request
from agen_authz.core.signature import CALLER_HEADERS, Signer, render_lines
from agen_authz.operating.http_text import WrittenRequest
from agen_authz.verify import BackendVerifier, Check, NotVerified, Received, read_headers
from agen_authz.verify.diagnosis import Arrival, Difference, find_differences, guess_values
from agen_authz.verify.shape import Claim, read_claim


class Unsignable(ValueError):
    """A request or a resource that cannot be signed; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Side:
    """What one side knows of a resource: its keys, and, where it has the gateway's configuration, the rest.

    Attributes:
        paths: under which the resource is known, before and after Envoy rewrites them.
        resources: the names of all resources.
    """

    resource: str
    keys: Mapping[str, bytes]
    scheme: str | None = None
    path: str = "/"
    query: str | None = None
    components: tuple[str, ...] = ()
    signer: Signer | None = None
    paths: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """The signature base, and the headers that a backend gets besides those that were sent."""

    signature_base: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Verification:
    """What a backend makes of a request, judged as of the time at which it was signed.

    Attributes:
        check: what refused it; "" if nothing did.
        signature_base: None where the signature says too little of itself for one.
        expired_s: how long ago it expired; None where it has not.
    """

    check: str
    detail: str
    signature_base: str | None
    differs: tuple[Difference, ...]
    expired_s: int | None

    @property
    def is_ok(self) -> bool:
        """True if it is verified, and is what it was compared with."""
        return not self.check and not self.differs

    def as_json(self) -> dict[str, object]:
        """Write it down as JSON."""
        return {"ok": self.is_ok, **asdict(self)}


def gateway_side(loaded: Loaded, name: str) -> Side:
    """Take the gateway's side from its configuration.

    Raises:
        Unsignable: there is no such resource, or its requests are not signed.
    """
    resource = next((each for each in loaded.config.resources if each.name == name), None)
    names = tuple(each.name for each in loaded.config.resources)
    if resource is None:
        raise Unsignable(f"`{name}` is not a resource; there are {', '.join(names)}")
    known = loaded.secrets.signing_keys.get(name)
    if not known:
        raise Unsignable(f"`{name}` has no `signing_keys`: its requests are not signed")
    parts = urlsplit(resource.url)
    return Side(
        resource=name,
        keys=dict(known),
        scheme=parts.scheme,
        path=resource.upstream_path or parts.path or "/",
        query=parts.query or None,
        components=loaded.config.signing.components,
        signer=build_signer(loaded.config, resource, known),
        paths=(parts.path or "/", resource.upstream_path or "/"),
        resources=names,
    )


def sign_written(written: WrittenRequest, side: Side, *, created: int, nonce: str) -> SignedRequest:
    """Sign a request as the gateway does, for the caller whom its own `agen-*` headers name.

    Raises:
        Unsignable: a header that is to be signed cannot be.
    """
    headers = _sign(written, side, created, nonce)
    kept = [(name, value) for name, value in written.lines if name.decode("latin-1") not in headers]
    lines = (*kept, *((name.encode(), value.encode("latin-1")) for name, value in headers.items()))
    arrived = WrittenRequest(written.method, side.path, side.query, lines, written.body)
    return SignedRequest(_rebuild(arrived, side, read_claim(headers["signature-input"])).text, headers)


def _sign(written: WrittenRequest, side: Side, created: int, nonce: str) -> dict[str, str]:
    if side.signer is None:
        raise Unsignable("the configuration is missing; only the gateway signs")
    headers, repeated = read_headers(written.lines)
    empty = dict.fromkeys(CALLER_HEADERS[:4], '""') | dict.fromkeys(CALLER_HEADERS[4:], "")
    caller = {name: headers.get(name, empty[name]) for name in CALLER_HEADERS}
    request_id = headers.get("agen-request-id", '"0"').strip('"')
    asked = Request(
        method=written.method,
        authority=headers.get("host", ""),
        path=written.path,
        headers=headers,
        names=look_at(tuple(headers)),
        repeated=repeated,
        raw_body=written.body,
        has_text_body=False,
        is_partial=False,
        peer="",
    )
    # The version in the header is the message's own: Check allows nothing else.
    is_modern = headers.get("mcp-protocol-version") in MODERN_VERSIONS
    signed = side.signer.sign(
        asked, render_lines(caller.items()), request_id, created=created, nonce=nonce, is_modern=is_modern
    )
    if isinstance(signed, Malformed):
        raise Unsignable(f"`{signed.detail}` cannot be signed: {signed.reason}")
    return {
        **caller,
        "agen-resource": f'"{side.resource}"',
        "agen-request-id": f'"{request_id}"',
        "content-digest": signed.content_digest,
        "signature-input": signed.signature_input,
        "signature": signed.signature,
    }


def judge_written(written: WrittenRequest, side: Side, expected_base: str | None, *, now: float) -> Verification:
    """Verify a request as a backend does, and find out what differs where the signature does not match."""
    try:
        received = _received(written, side)
        claim = read_claim(received.headers.get("signature-input", ""))
        arrival = _rebuild(written, side, claim)
    except NotVerified as exc:
        return Verification(exc.check.value, exc.detail, None, (), None)
    differs = () if expected_base is None else compare_bases(arrival.text, expected_base)
    age_s = int(now) - claim.expires
    expired_s = age_s if age_s > 0 else None
    judge = BackendVerifier(
        side.keys,
        resource=side.resource,
        components=side.components,
        scheme=side.scheme,
        clock=lambda: float(claim.created),
    )
    try:
        judge.verify(received, written.body)
    except NotVerified as exc:
        if exc.check is Check.SIGNATURE and not differs:
            differs = _search(arrival, received, written.body, side)
        return Verification(exc.check.value, exc.detail, arrival.text, differs, expired_s)
    return Verification("", "", arrival.text, differs, expired_s)


def _received(written: WrittenRequest, side: Side) -> Received:
    headers, repeated = read_headers(written.lines)
    return Received(written.method, written.path, written.query, headers, side.scheme or "http", repeated)


def _rebuild(written: WrittenRequest, side: Side, claim: Claim) -> Arrival:
    received = _received(written, side)
    verifier = BackendVerifier(side.keys, resource=side.resource, scheme=side.scheme)
    return Arrival(claim, tuple(verifier.collect_lines(claim, received)), received.headers.get("signature", ""))


def _search(arrival: Arrival, received: Received, body: bytes, side: Side) -> tuple[Difference, ...]:
    for key_id, secret in side.keys.items():
        if arrival.is_signed_with(secret):
            return (Difference("keyid", key_id, arrival.claim.keyid),)
    guesses = guess_values(received, body, side.paths, side.resources)
    return find_differences(arrival, side.keys.values(), guesses)


def compare_bases(arrived: str, signed: str) -> tuple[Difference, ...]:
    """Compare two signature bases line by line."""
    ours, theirs = (dict(line.partition(": ")[::2] for line in each.splitlines()) for each in (arrived, signed))
    names = [*theirs, *(name for name in ours if name not in theirs)]
    values = ((name, theirs.get(name, "(not covered)"), ours.get(name, "(not covered)")) for name in names)
    return tuple(Difference(name.strip('"'), then, now) for name, then, now in values if then != now)


def render_signed(signed: SignedRequest) -> str:
    """Show the signature base, an empty line, and the headers."""
    lines = [f"{name}: {value}" for name, value in signed.headers.items()]
    return "\n".join([f"{signed.signature_base}\n", *lines])


def render_verification(checked: Verification) -> str:
    """Show the signature base, what differs, and whether it verifies."""
    lines = [] if checked.signature_base is None else [f"{checked.signature_base}\n"]
    lines += [
        f"{each.component} differs\n  signed:  {each.signed}\n  arrived: {each.arrived}" for each in checked.differs
    ]
    if checked.is_ok:
        lines.append("verified")
    elif checked.check:
        lines.append(f"refused: {checked.check}: {checked.detail}")
    if checked.check == "signature" and not checked.differs:
        lines.append(
            "no usual change of a request explains this: run `agen-authz sign` and pass its output with --base"
        )
    if checked.expired_s is not None:
        lines.append(f"the signature expired {checked.expired_s} s ago: a backend refuses it now")
    return "\n".join(lines)
