"""Provider keys: a JWK Set becomes public keys that each know the algorithms they may verify (RFC 7517, 7518).

A key decides which algorithms it is good for, never the token: a key of one type cannot be used for another's
algorithm, and symmetric keys are not read at all.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from agen_authz.core.errors import Malformed
from agen_authz.core.model import Json
from agen_authz.core.reason import Reason
from agen_authz.core.strict_json import parse_json

VerificationKey: TypeAlias = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey

_RSA = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
_BY_CURVE = {
    ("EC", "P-256"): frozenset({"ES256"}),
    ("EC", "P-384"): frozenset({"ES384"}),
    ("EC", "P-521"): frozenset({"ES512"}),
    ("OKP", "Ed25519"): frozenset({"EdDSA"}),
}
ALGORITHMS = _RSA.union(*_BY_CURVE.values())
_MIN_RSA_BITS, _MAX_RSA_BITS = 2048, 8192
_MAX_DEPTH = 8
_MAX_KEYS = 100


@dataclass(frozen=True, slots=True, eq=False)
class PublicKey:
    """One verification key of a provider; two of them are the same only if they are the same object."""

    kid: str
    algorithms: frozenset[str]
    verifier: VerificationKey
    thumbprint: tuple[str, ...]


def parse_jwks(raw: bytes) -> Mapping[str, PublicKey] | Malformed:
    """Read a JWK Set; keys that are not for verifying signatures, or that we cannot use, are left out.

    Two usable keys with one `kid` make the whole set Malformed: nobody could say which one a token means.
    """
    document = parse_json(raw, _MAX_DEPTH)
    if isinstance(document, Malformed):
        return document
    members = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(members, list) or len(members) > _MAX_KEYS:
        return Malformed(Reason.JSON_SYNTAX, "no `keys` array of at most 100 keys")
    keys: dict[str, PublicKey] = {}
    for member in members:
        key = _read_key(member)
        if key is None:
            continue
        if key.kid in keys:
            return Malformed(Reason.JSON_DUPLICATE_KEY, "two keys with one `kid`")
        keys[key.kid] = key
    return keys


def _read_key(member: Json) -> PublicKey | None:
    if not isinstance(member, dict):
        return None
    kid = member.get("kid")
    algorithms = _algorithms_of(member)
    if not isinstance(kid, str) or not kid or not algorithms or not _is_for_verifying(member):
        return None
    public = {name: value for name, value in member.items() if name in ("kty", "crv", "x", "y", "n", "e")}
    try:
        key: VerificationKey = jwt.PyJWK(public, algorithm=min(algorithms)).key
    except (jwt.PyJWKError, jwt.InvalidKeyError, ValueError, TypeError):
        return None
    if isinstance(key, RSAPublicKey) and not _MIN_RSA_BITS <= key.key_size <= _MAX_RSA_BITS:
        return None
    thumbprint = tuple(f"{name}={public[name]}" for name in sorted(public))
    return PublicKey(kid, algorithms, key, (kid, *sorted(algorithms), *thumbprint))


def _algorithms_of(member: dict[str, Json]) -> frozenset[str]:
    kty, curve = member.get("kty"), member.get("crv")
    if kty == "RSA":
        possible = _RSA
    elif isinstance(kty, str) and isinstance(curve, str):
        possible = _BY_CURVE.get((kty, curve), frozenset())
    else:
        return frozenset()
    declared = member.get("alg")
    if declared is None:
        return possible
    return possible & {declared} if isinstance(declared, str) else frozenset()


def _is_for_verifying(member: dict[str, Json]) -> bool:
    if member.get("use", "sig") != "sig":
        return False
    operations = member.get("key_ops", ["verify"])
    return isinstance(operations, list) and "verify" in operations
