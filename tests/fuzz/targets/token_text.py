"""A token as text, of which no byte is trusted: accepted is what the keys signed, and nothing else."""

import json
from base64 import urlsafe_b64decode
from collections.abc import Callable
from functools import cache

from agen_authz.core.errors import Rejected
from agen_authz.core.identity.jwk import PublicKey
from agen_authz.core.identity.jws import UnverifiedToken, read_bearer, read_token
from agen_authz.core.identity.token import VerifiedToken, verify_token
from agen_authz.core.model import Provider, RawToken
from tests import builders as build
from tests.fuzz.keys import ALGORITHMS, good_token, keys
from tests.fuzz.targets.target import Target, expect

Read = Callable[[RawToken], UnverifiedToken | Rejected]
Verify = Callable[[UnverifiedToken, PublicKey, Provider], VerifiedToken | Rejected]
PROVIDER = build.provider(algorithms=frozenset({"ES256", "EdDSA", "RS256", "PS256", "HS256", "none"}))


@cache
def signed_texts() -> frozenset[str]:
    """List all that the keys ever signed: what is before the last dot of each good token."""
    return frozenset(good_token(kid).rpartition(".")[0] for kid in ALGORITHMS)


def check(raw: bytes, verify: Verify = verify_token, read: Read = read_token) -> None:
    """Read the value of `authorization` and verify its token with every key that there is."""
    credential = read_bearer("Bearer " + raw.decode("latin-1"))
    if isinstance(credential, Rejected):
        return
    token = read(credential)
    if isinstance(token, Rejected):
        return
    expect(credential == raw.decode("latin-1").lstrip(" "), "a token is read whole")
    for kid, key in keys().published.items():
        verified = verify(token, key, PROVIDER)
        if isinstance(verified, Rejected):
            continue
        signed, _, signature = credential.rpartition(".")
        expect(signed in signed_texts(), "nothing but what was signed is accepted")
        expect(build.b64(_decode(signature)) == signature, "in one spelling")
        expect(token.kid == kid, "with the key that signed it")
        claims = json.loads(_decode(signed.partition(".")[2]))
        expect(verified.principal.claims == claims, "the claims are those that were signed")


def _decode(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


TARGET = Target("token_text", check, "token_text", max_bytes=2048)
