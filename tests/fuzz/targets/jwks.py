"""A provider's keys: any bytes give keys that verify signatures and nothing else, or a refusal."""

from collections.abc import Callable

from agen_authz.core.errors import Malformed
from agen_authz.core.identity.jwk import ALGORITHMS, KeySet, parse_jwks
from tests.fuzz.reference import read_json
from tests.fuzz.targets.target import Target, expect

FAMILIES = {"RSA": ("RS", "PS"), "EC": ("ES",), "OKP": ("EdDSA", "Ed25519")}


def check(raw: bytes, parse: Callable[[bytes], KeySet | Malformed] = parse_jwks) -> None:
    """Read a JWK Set, and compare its keys with its text."""
    keys = parse(raw)
    if isinstance(keys, Malformed):
        expect(keys.reason.value.startswith("json_"), "a refusal of JSON says so")
        return
    members = [member for member in read_json(raw)["keys"] if isinstance(member, dict)]
    for (kid, algorithm), key in keys.by_name.items():
        written = [member for member in members if member.get("kid", "") == kid]
        expect(kid == key.kid and bool(written), "a key has the name that it was published under")
        expect(algorithm in key.algorithms, "a key is found for its own algorithms only")
        families = {family for member in written for family in FAMILIES.get(str(member.get("kty")), ())}
        expect(bool(key.algorithms) and key.algorithms <= ALGORITHMS, "a key is good for something we know")
        expect(all(name.startswith(tuple(families)) for name in key.algorithms), "a key is good for its own family")
        expect(any(member.get("alg", name) == name for member in written for name in key.algorithms), "as declared")


TARGET = Target("jwks", check, "jwks", max_bytes=2048)
