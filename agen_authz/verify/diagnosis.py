"""Why a signature does not match: the signature base line by line, and the one change that would explain it.

A MAC tells only that something differs. What it was is found by trying: the values that requests are known to be
changed to on their way, one component at a time, then two.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, product

from agen_authz.core.signature import compute_signature, digest_content, render_signed_text
from agen_authz.verify.refusal import NotVerified
from agen_authz.verify.request import Received
from agen_authz.verify.shape import Claim, is_signature

Lines = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """A component that is not as it was signed; `signed` is what it must have been."""

    component: str
    signed: str
    arrived: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """What arrived, as its verifier reads it.

    Attributes:
        lines: (component, value) of the signature base, without `@signature-params`.
        signature: the `signature` header.
    """

    claim: Claim
    lines: Lines
    signature: str

    @property
    def text(self) -> str:
        """The signature base (RFC 9421 section 2.5)."""
        return render_signed_text(self.lines, self.claim.text)

    def is_signed_with(self, secret: bytes, lines: Lines | None = None) -> bool:
        """True if the signature is the one of this key over these lines, or over what arrived."""
        text = self.text if lines is None else render_signed_text(lines, self.claim.text)
        try:
            return is_signature(self.signature, compute_signature(text, secret))
        except NotVerified:
            return False  # there is no signature with our label


def find_differences(
    arrival: Arrival, secrets: Iterable[bytes], guesses: Mapping[str, Iterable[str]]
) -> tuple[Difference, ...]:
    """Find the fewest components, one or two, with which the signature matches; empty if none are found.

    Args:
        guesses: by component, the values it may have had when it was signed.
    """
    tried = [(component, value) for component, value in arrival.lines if component in guesses]
    known = tuple(secrets)
    for number in (1, 2):
        for places in combinations(tried, number):
            for values in product(*(_others(guesses[component], value) for component, value in places)):
                changed = {component: value for (component, _), value in zip(places, values, strict=True)}
                lines = tuple((component, changed.get(component, value)) for component, value in arrival.lines)
                if any(arrival.is_signed_with(secret, lines) for secret in known):
                    return tuple(Difference(component, changed[component], value) for component, value in places)
    return ()


def _others(guesses: Iterable[str], arrived: str) -> list[str]:
    return [guess for guess in dict.fromkeys(guesses) if guess != arrived]


def guess_values(
    received: Received, body: bytes, paths: Iterable[str], resources: Iterable[str]
) -> dict[str, set[str]]:
    """List what components are known to be changed from on their way: by rewriting, normalising and joining proxies."""
    guesses: dict[str, set[str]] = {
        "@method": {"POST", "GET", "DELETE"},
        "@path": set(_vary_path(received.path)).union(*(_vary_path(path) for path in paths)),
        "@query": {"?"},
        "@scheme": {"http", "https"},
        "content-digest": {digest_content(body), digest_content(body.rstrip(b"\r\n")), digest_content(b"")},
        "agen-resource": {f'"{name}"' for name in resources},
    }
    host = received.headers.get("host", "")
    guesses["@authority"] = {host.lower(), host.lower().partition(":")[0]}
    for name in ("agen-issuer", "agen-subject", "agen-tenant", "agen-client"):
        guesses[name] = {'""'}
    for name in ("agen-roles", "agen-permissions"):
        guesses[name] = {""}
    for name, value in received.headers.items():
        guesses.setdefault(name, set()).update(_vary_value(value))
    return guesses


def _vary_path(path: str) -> Iterator[str]:
    yield path
    yield path.rstrip("/") or "/"
    yield f"{path}/"
    # Behind a prefix that was taken away.
    rest = path.lstrip("/").partition("/")[2]
    if rest:
        yield f"/{rest}"


def _vary_value(value: str) -> Iterator[str]:
    # Two copies that were joined, and white space that was lost.
    half, mark, rest = value.partition(", ")
    if mark and half == rest:
        yield half
    yield value.replace(",", ", ")
    yield value.lower()
