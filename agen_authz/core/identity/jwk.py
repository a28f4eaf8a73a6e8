"""Provider keys: a JWK Set becomes public keys that each know the algorithms they may verify (RFC 7517, 7518).

A key decides which algorithms it is good for, never the token: a key of one type cannot be used for another's
algorithm, and symmetric keys are not read at all.

A token's key is chosen by `kid`, kind and algorithm (RFC 7517 section 4.5), never by trying several. If two different
keys fit one `kid` and one algorithm, neither is used for it. An entry that cannot be used costs that entry only.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
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
    # One algorithm, two names: RFC 8037 section 3.1, and RFC 9864 section 2.2, which names the curve.
    ("OKP", "Ed25519"): frozenset({"EdDSA", "Ed25519"}),
}
# The library reads a key by an algorithm of its kind; it does not know every name.
_READ_AS = {"RSA": "RS256", "EC": "ES256", "OKP": "EdDSA"}
ALGORITHMS = _RSA.union(*_BY_CURVE.values())
_PUBLIC_MEMBERS = ("crv", "e", "kty", "n", "x", "y")
_MIN_RSA_BITS, _MAX_RSA_BITS = 2048, 8192
_MAX_DEPTH = 8
_MAX_KEYS = 100
_MAX_NAME_CHARS = 64


@dataclass(frozen=True, slots=True, eq=False)
class PublicKey:
    """One verification key of a provider; two of them are the same only if they are the same object.

    `kid` is empty if the key was published without one.
    """

    kid: str
    algorithms: frozenset[str]
    verifier: VerificationKey
    thumbprint: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dropped:
    """A published key that is not used, and why; `kid` is cut to 64 characters, and empty if there is none."""

    kid: str
    why: str


@dataclass(frozen=True, slots=True)
class KeySet:
    """The usable keys of a provider by (`kid`, algorithm), and the keys that were dropped."""

    by_name: Mapping[tuple[str, str], PublicKey] = field(default_factory=dict)
    dropped: tuple[Dropped, ...] = ()

    @property
    def keys(self) -> tuple[PublicKey, ...]:
        """List every usable key once."""
        return tuple(dict.fromkeys(self.by_name.values()))

    def find(self, kid: str, algorithm: str) -> PublicKey | None:
        """Find the one key for a token; an empty `kid` asks for the only fitting key that has none."""
        return self.by_name.get((kid, algorithm))

    def keep_known(self, known: "KeySet") -> "KeySet":
        """Replace each key that has not changed by the known object: verified tokens are remembered by it."""
        same = {key.thumbprint: key for key in known.keys}
        return KeySet({name: same.get(key.thumbprint, key) for name, key in self.by_name.items()}, self.dropped)


def parse_jwks(raw: bytes) -> KeySet | Malformed:
    """Read a JWK Set. Keys that are not for verifying signatures are left out; keys that cannot be used are dropped."""
    document = parse_json(raw, _MAX_DEPTH)
    if isinstance(document, Malformed):
        return document
    members = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(members, list) or len(members) > _MAX_KEYS:
        return Malformed(Reason.JSON_SYNTAX, "no `keys` array of at most 100 keys")
    read = [_read_key(member) for member in members]
    by_name, ambiguous = _choose(each for each in read if isinstance(each, PublicKey))
    return KeySet(by_name, (*(each for each in read if isinstance(each, Dropped)), *ambiguous))


def _choose(keys: Iterable[PublicKey]) -> tuple[dict[tuple[str, str], PublicKey], list[Dropped]]:
    chosen: dict[tuple[str, str], PublicKey] = {}
    ambiguous: dict[str, set[str]] = {}
    for key in keys:
        for algorithm in key.algorithms:
            first = chosen.setdefault((key.kid, algorithm), key)
            # The same key may be listed twice, for several algorithms for example.
            if first.verifier != key.verifier:
                ambiguous.setdefault(key.kid, set()).add(algorithm)
    for kid, algorithms in ambiguous.items():
        for algorithm in algorithms:
            del chosen[kid, algorithm]
    why = "different keys with this `kid` fit {}"
    return chosen, [_drop(kid, why.format(", ".join(sorted(names)))) for kid, names in ambiguous.items()]


def _drop(kid: Json, why: str) -> Dropped:
    return Dropped(kid[:_MAX_NAME_CHARS] if isinstance(kid, str) else "", why)


def _read_key(member: Json) -> PublicKey | Dropped | None:
    if not isinstance(member, dict):
        return Dropped("", "not an object")
    # Keys for encryption, for example, are in many sets: nothing is wrong with them.
    if not _is_for_verifying(member):
        return None
    kid = member.get("kid", "")
    algorithms = _algorithms_of(member)
    # An empty `kid` must not pass for none.
    if not isinstance(kid, str) or member.get("kid") == "":
        return _drop(kid, "`kid` is empty or not a string")
    if not algorithms:
        return _drop(kid, "`kty`, `crv` and `alg` name no accepted algorithm")
    public = {name: member[name] for name in _PUBLIC_MEMBERS if name in member}
    try:
        key: VerificationKey = jwt.PyJWK(public, algorithm=_READ_AS[str(member["kty"])]).key
    except (jwt.PyJWKError, jwt.InvalidKeyError, ValueError, TypeError):
        return _drop(kid, "its numbers are not a public key")
    if isinstance(key, RSAPublicKey) and not _MIN_RSA_BITS <= key.key_size <= _MAX_RSA_BITS:
        return _drop(kid, f"{key.key_size} bits, not {_MIN_RSA_BITS} to {_MAX_RSA_BITS}")
    thumbprint = tuple(f"{name}={value}" for name, value in public.items())
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
