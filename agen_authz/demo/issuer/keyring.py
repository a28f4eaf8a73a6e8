"""The issuer's signing keys: one signs, those before it stay published for a while."""

import hashlib
import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec

from agen_authz.core.model import Json

# No verifier needs more of them; a loop of rotations must not grow without end.
_MAX_RETIRED = 8
_COORDINATE_BYTES = 32


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A P-256 key and the name it is published under."""

    kid: str
    private: ec.EllipticCurvePrivateKey

    def public_jwk(self) -> dict[str, Json]:
        """Write the public half as RFC 7517 has it."""
        return {**_coordinates(self.private), "kid": self.kid, "use": "sig", "alg": "ES256"}


@dataclass(frozen=True, slots=True)
class _Retired:
    key: SigningKey
    until: float


def name_key(private: ec.EllipticCurvePrivateKey) -> SigningKey:
    """Name a key by its thumbprint (RFC 7638)."""
    members = json.dumps(_coordinates(private), sort_keys=True, separators=(",", ":"))
    return SigningKey(_encode(hashlib.sha256(members.encode()).digest()), private)


class KeyRing:
    """The key that signs and the keys that are still published."""

    def __init__(self, first: SigningKey, grace_s: float) -> None:
        self._signing = first
        self._grace_s = grace_s
        self._retired: tuple[_Retired, ...] = ()

    @property
    def signing(self) -> SigningKey:
        """The key that signs."""
        return self._signing

    def rotate(self, fresh: SigningKey, *, now: float, drop: bool) -> None:
        """Sign with a fresh key; `drop` takes the older ones back at once, as after a leak."""
        kept = (_Retired(self._signing, now + self._grace_s), *self._retired)
        self._retired = () if drop else kept[:_MAX_RETIRED]
        self._signing = fresh

    def published(self, now: float) -> tuple[SigningKey, ...]:
        """List the keys that tokens may be verified with, the signing one first."""
        return (self._signing, *(retired.key for retired in self._retired if now < retired.until))

    def jwks(self, now: float) -> dict[str, Json]:
        """Write the key set as RFC 7517 section 5 has it."""
        return {"keys": [key.public_jwk() for key in self.published(now)]}


def _coordinates(private: ec.EllipticCurvePrivateKey) -> dict[str, Json]:
    numbers = private.public_key().public_numbers()
    x, y = (_encode(number.to_bytes(_COORDINATE_BYTES, "big")) for number in (numbers.x, numbers.y))
    return {"crv": "P-256", "kty": "EC", "x": x, "y": y}


def _encode(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")
