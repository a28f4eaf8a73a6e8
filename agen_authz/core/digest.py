"""Digests of values that must not be shown: keyed, so that no reader can guess a value (RFC 2104, FIPS 180-4)."""

import hashlib
from collections.abc import Mapping

import orjson

from agen_authz.core.mac import authenticate
from agen_authz.core.model import Digest, Json

_INSPECT_LABEL = b"agen.inspect"


def digest_arguments(arguments: Mapping[str, Json], key: bytes) -> Digest:
    """Digest a call's arguments: HMAC-SHA256 over JSON with sorted keys, as hex; equal values, equal digest."""
    plain = arguments if isinstance(arguments, dict) else dict(arguments)
    return Digest(authenticate(orjson.dumps(plain, option=orjson.OPT_SORT_KEYS), key).hex())


def digest_text(text: str, key: bytes) -> Digest:
    """Digest one string: HMAC-SHA256 as hex."""
    return Digest(authenticate(text.encode("utf-8"), key).hex())


def fingerprint(raw: bytes) -> str:
    """Name bytes by their SHA-256, as hex."""
    return hashlib.sha256(raw).hexdigest()


def off_word(metadata_key: bytes | None) -> str:
    """Return what `agen.inspect` says when a response needs no inspection.

    With a key it is a word that only its holders know, so that no other filter can switch inspection off.
    """
    if metadata_key is None:
        return "off"
    return "off-" + authenticate(_INSPECT_LABEL, metadata_key).hex()[:16]
