"""Digests of what must not be shown: keyed, so that nobody can try values out (RFC 2104, FIPS 180-4)."""

import hashlib
import hmac
from collections.abc import Mapping

import orjson

from agen_authz.core.model import Digest, Json

_INSPECT_LABEL = b"agen.inspect"


def digest_arguments(arguments: Mapping[str, Json], key: bytes) -> Digest:
    """Digest a call's arguments: HMAC-SHA256 over JSON with sorted keys, as hex; equal values, equal digest."""
    return Digest(hmac.digest(key, orjson.dumps(dict(arguments), option=orjson.OPT_SORT_KEYS), "sha256").hex())


def digest_text(text: str, key: bytes) -> Digest:
    """Digest one string: HMAC-SHA256 as hex."""
    return Digest(hmac.digest(key, text.encode("utf-8"), "sha256").hex())


def fingerprint(raw: bytes) -> str:
    """Name bytes by their SHA-256, as hex."""
    return hashlib.sha256(raw).hexdigest()


def off_word(metadata_key: bytes | None) -> str:
    """Return what `agen.inspect` says when a response needs no inspection.

    With a key it is a word that only its holders know, so that no other filter can switch inspection off.
    """
    if metadata_key is None:
        return "off"
    return "off-" + hmac.digest(metadata_key, _INSPECT_LABEL, "sha256").hex()[:16]
