"""Signed tokens as bytes: from the authorization header to a verified signature, or the Reason why not.

The header is small and read strictly; it only chooses the key. The claims stay text until a key vouches for them,
so that a forged token costs the same whatever it claims. The steps (RFC 6750, RFC 7515, RFC 8725):
 1. `read_bearer`      one bearer credential, well-formed
 2. `read_token`       three parts; a small strict header, no `crit`, no `b64`; `jku`, `x5u`, `jwk` are not read
 3. `verify_signature` an algorithm that both the provider and the key's own type allow; then the signature
 4. `read_claims`      strict base64url and strict JSON of what was signed
`guess_issuers` is for one question only: which provider may be asked for a key that is not in memory.
"""

import binascii
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from itertools import islice

import jwt

from agen_authz.core.errors import Malformed, Rejected
from agen_authz.core.identity.jwk import PublicKey
from agen_authz.core.model import Json, Provider, RawToken
from agen_authz.core.quote import quote, quote_all
from agen_authz.core.reason import Reason
from agen_authz.core.strict_json import parse_json

MAX_TOKEN_CHARS = 16 * 1024
_MAX_HEADER_CHARS = 4096
_MAX_HEADER_VALUES = 64
_MAX_HEADER_DEPTH = 4
# The signature of the largest RSA key that is accepted has 1366.
_MAX_SIGNATURE_CHARS = 2048
_MAX_CLAIMS_DEPTH = 16
_SCHEME = re.compile(r"(?i:bearer) +")
_TOKEN_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~+/-"
_PART = re.compile(r"[A-Za-z0-9_-]+")
# Possessive: strangers write what is searched, and what was read of an `iss` without an end is not read again.
_ISSUER = re.compile(
    rb'"iss"[ \t\r\n]{0,8}+:[ \t\r\n]{0,8}+("[^"\\]{0,512}+(?:\\.[^"\\]{0,512}+){0,64}+")',
)
_MAX_GUESSES = 4
# The library knows this algorithm by its older name only (RFC 8037 section 3.1, RFC 9864 section 2.2).
_LIBRARY_NAMES = {"Ed25519": "EdDSA"}


@dataclass(frozen=True, slots=True)
class UnverifiedToken:
    """A token whose header was read, and whose signature is not verified yet.

    Args:
        kid: empty if the header has none.
        type: `typ` in lower case without `application/`; `absent` if there is none.
        encoded_claims: as they were sent; nothing in them has been looked at.
    """

    kid: str
    algorithm: str
    type: str
    encoded_claims: str
    signing_input: bytes
    signature: bytes


def read_bearer(credential: str) -> RawToken | Rejected:
    """Read the value of `authorization` as one bearer credential (RFC 6750 section 2.1)."""
    scheme = _SCHEME.match(credential)
    if scheme is not None:
        token = credential[scheme.end() :]
        letters = token.rstrip("=").encode("utf-8", "replace")
        # Strangers send 16 KiB as well: deleting what may be there is five times as fast as matching it.
        if letters and not letters.translate(None, _TOKEN_LETTERS):
            return RawToken(token)
    if credential[:6].lower() == "bearer":
        return Rejected(Reason.AUTHORIZATION_MALFORMED)
    return Rejected(Reason.TOKEN_MISSING, "not a bearer credential")


def spell_type(kind: str) -> str:
    """Spell a `typ` as it is compared: in lower case, without `application/` (RFC 7515 section 4.1.9)."""
    return kind.lower().removeprefix("application/")


def read_token(raw: RawToken) -> UnverifiedToken | Rejected:
    """Split a compact JWS (RFC 7515 section 3.1) and read its header; total."""
    if len(raw) > MAX_TOKEN_CHARS:
        return _malformed(f"longer than {MAX_TOKEN_CHARS} characters")
    parts = raw.split(".")
    if len(parts) != 3:
        return _malformed(f"{len(parts)} parts between dots, not 3")
    header = _read_header(parts[0])
    if isinstance(header, Rejected):
        return header
    # What honours `b64` reads another payload, even if `crit` does not name it as it must (RFC 7797 section 6).
    if "crit" in header or header.get("b64", True) is not True:
        named = "crit" if "crit" in header else "b64"
        return Rejected(Reason.TOKEN_CRITICAL_HEADER, f"`{named}` is in the header")
    algorithm, kind, kid = header.get("alg"), header.get("typ", ""), header.get("kid", "")
    if not isinstance(algorithm, str) or not isinstance(kind, str):
        return _malformed("`alg` or `typ` in the header is not a string")
    # An empty `kid` must not pass for none.
    if not isinstance(kid, str) or header.get("kid") == "":
        return Rejected(Reason.TOKEN_KEY_UNKNOWN, "`kid` in the header is empty or not a string")
    signature = _decode_part(parts[2]) if len(parts[2]) <= _MAX_SIGNATURE_CHARS else None
    if signature is None:
        return _malformed("the signature is not canonical base64url")
    return UnverifiedToken(
        kid=kid,
        algorithm=algorithm,
        # RFC 7515 section 4.1.9: case-insensitive, and "application/" may be left out.
        type=spell_type(kind) or "absent",
        encoded_claims=parts[1],
        signing_input=raw.rpartition(".")[0].encode("ascii", "replace"),
        signature=signature,
    )


def _malformed(detail: str) -> Rejected:
    return Rejected(Reason.TOKEN_MALFORMED, detail)


def _read_header(part: str) -> dict[str, Json] | Rejected:
    decoded = _decode_part(part) if len(part) <= _MAX_HEADER_CHARS else None
    if decoded is None:
        return _malformed(f"the header is not canonical base64url of at most {_MAX_HEADER_CHARS} characters")
    if decoded.count(b",") + decoded.count(b"[") + decoded.count(b"{") > _MAX_HEADER_VALUES:
        return _malformed(f"the header has more than {_MAX_HEADER_VALUES} values")
    return _read_object(decoded, _MAX_HEADER_DEPTH, "the header is")


def _read_object(decoded: bytes, max_depth: int, name: str) -> dict[str, Json] | Rejected:
    value = parse_json(decoded, max_depth)
    if isinstance(value, Malformed):
        return _malformed(f"{name} not strict JSON: {value.reason}")
    return value if isinstance(value, dict) else _malformed(f"{name} not a JSON object")


def _decode_part(part: str) -> bytes | None:
    if not _PART.fullmatch(part):
        return None
    try:
        decoded = urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except binascii.Error:
        return None
    # Spare bits that are not zero would give one token many spellings.
    return decoded if urlsafe_b64encode(decoded).rstrip(b"=") == part.encode("ascii") else None


def verify_signature(token: UnverifiedToken, key: PublicKey, provider: Provider) -> Rejected | None:
    """Verify the signature with one published key; None means that the key vouches for the token."""
    if token.kid != key.kid:
        return Rejected(Reason.TOKEN_KEY_UNKNOWN, f"unverified kid {quote(token.kid)}; key {quote(key.kid)}")
    if token.algorithm not in provider.algorithms or token.algorithm not in key.algorithms:
        allowed = provider.algorithms & key.algorithms
        detail = f"unverified alg {quote(token.algorithm)}; key {quote(key.kid)} of {quote(provider.name)} accepts "
        return Rejected(Reason.TOKEN_ALGORITHM, detail + quote_all(allowed))
    algorithm = jwt.get_algorithm_by_name(_LIBRARY_NAMES.get(token.algorithm, token.algorithm))
    if not algorithm.verify(token.signing_input, key.verifier, token.signature):
        return Rejected(Reason.TOKEN_SIGNATURE)
    return None


def read_claims(token: UnverifiedToken) -> dict[str, Json] | Rejected:
    """Read the claims strictly; call it only after `verify_signature`, or a stranger's bytes are parsed."""
    decoded = _decode_part(token.encoded_claims)
    if decoded is None:
        return _malformed("the claims are not canonical base64url")
    return _read_object(decoded, _MAX_CLAIMS_DEPTH, "the claims are")


def guess_issuers(token: UnverifiedToken) -> tuple[str, ...]:
    """Guess what an unverified token gives as `iss`: at most four texts, in order; nothing is parsed.

    The text is searched, so a nested `iss` counts as well: good enough to choose whom to ask for a key, and to be
    shown as unverified, and nothing else.
    """
    try:
        decoded = urlsafe_b64decode(token.encoded_claims + "==")
    except (binascii.Error, ValueError):
        return ()
    return tuple(filter(None, (_unquote(match[1]) for match in islice(_ISSUER.finditer(decoded), _MAX_GUESSES))))


def _unquote(literal: bytes) -> str:
    try:
        return str(json.loads(literal))
    except ValueError:
        return ""


def describe_unverified(token: UnverifiedToken, issuers: tuple[str, ...]) -> str:
    """Show what selected the key of a token whose signature was not verified, marked as unverified and bounded.

    Args:
        issuers: from `guess_issuers`.
    """
    kid = quote(token.kid) if token.kid else "none"
    issuer = next(map(quote, issuers), "none")
    return f"unverified kid {kid}, alg {quote(token.algorithm)}, iss {issuer}"
