"""Keys that are the same in every run, so that an input means the same each time; worth nothing anywhere else."""

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import jwt
import jwt.utils
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from agen_authz.core.identity.jwk import PublicKey
from tests import builders as build

# Two primes that need no writing down: RSA of 3482 bits.
_P, _Q, _E = 2**1279 - 1, 2**2203 - 1, 65537
# RS256 takes a thousand times as long as the others: it is checked, but not signed, by the hundred thousand.
ALGORITHMS = {"ec": "ES256", "ed": "EdDSA", "rsa": "RS256"}


@dataclass(frozen=True, slots=True)
class Keys:
    """Private keys by `kid`, and what a provider publishes of them."""

    private: Mapping[str, Any]
    published: Mapping[str, PublicKey]


@cache
def keys() -> Keys:
    """Make the keys `ec`, `ed` and `rsa`."""
    private: dict[str, Any] = {
        "ec": ec.derive_private_key(2**200 + 7, ec.SECP256R1()),
        "ed": ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32))),
        "rsa": _rsa_key(),
    }
    return Keys(private, {kid: build.public_key(key, kid) for kid, key in private.items()})


def _rsa_key() -> rsa.RSAPrivateKey:
    secret = pow(_E, -1, (_P - 1) * (_Q - 1))
    public = rsa.RSAPublicNumbers(_E, _P * _Q)
    rest = (rsa.rsa_crt_dmp1(secret, _P), rsa.rsa_crt_dmq1(secret, _Q), rsa.rsa_crt_iqmp(_P, _Q))
    return rsa.RSAPrivateNumbers(_P, _Q, secret, *rest, public).private_key()


def sign_with(kid: str, signing_input: bytes) -> bytes:
    """Sign with the key of that `kid`, with the one algorithm that it signs with here."""
    key = keys().private[kid]
    if kid == "ec":
        # RFC 6979: the same signature each time, so that a token in the corpus is the one that is made today.
        der = key.sign(signing_input, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
        return jwt.utils.der_to_raw_signature(der, key.curve)
    signature: bytes = jwt.get_algorithm_by_name(ALGORITHMS[kid]).sign(signing_input, key)
    return signature


def forge_symmetric(kid: str, signing_input: bytes) -> bytes:
    """Use a public key as the secret of HS256, as libraries once did."""
    public = keys().private[kid].public_key()
    return hmac.digest(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), signing_input, "sha256")


def good_token(kid: str = "ec", **changes: Any) -> str:
    """Sign the claims of a good access token."""
    header = {"alg": ALGORITHMS[kid], "typ": "at+jwt", "kid": kid}
    signing_input = ".".join(build.b64(json.dumps(part).encode()) for part in (header, build.claims(**changes)))
    return f"{signing_input}.{build.b64(sign_with(kid, signing_input.encode()))}"
