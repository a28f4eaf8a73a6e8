"""What the console keeps for a while, encrypted: in the store under the SHA-256 of a secret, or in a browser's cookie.

A reader of the store holds no session, and cannot see who is signed in. A writer cannot make a session, nor give one
the name or the kind of another: name and kind are authenticated. What people who are not signed in begin is kept by
their own browser, so they write nothing to the store.
"""

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from enum import StrEnum
from typing import TypeVar

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct

from agen_authz.core.mac import authenticate
from agen_authz.ports import Clock, Entropy
from agen_authz.ports.approval import SessionStore, StoredSession

_LABEL = b"agen.console.session\n"
_NONCE_BYTES = 12
_SECRET_BYTES = 32
_MAX_SECRET_CHARS = 256

_MAX_SEALED_CHARS = 4096

_Kept = TypeVar("_Kept", bound=Struct)


class SecretKind(StrEnum):
    """What is kept; one is never taken for another."""

    SIGN_IN = "sign_in"
    BROWSER = "browser"
    PRESENCE = "presence"
    TERMINAL = "terminal"
    TERMINAL_CODE = "terminal_code"


class Vault:
    """Keeps values under secrets that only a browser or a terminal holds. Raises Unavailable if the store is down."""

    def __init__(self, sessions: SessionStore, clock: Clock, entropy: Entropy, key: bytes) -> None:
        self._sessions, self._clock, self._entropy = sessions, clock, entropy
        self._cipher = AESGCM(authenticate(_LABEL, key))

    def draw(self) -> str:
        """Draw a secret: 43 letters of base64url."""
        return urlsafe_b64encode(self._entropy.draw(_SECRET_BYTES)).rstrip(b"=").decode("ascii")

    async def put(self, kind: SecretKind, secret: str, value: Struct, ends_at: float) -> None:
        """Keep a value until then."""
        name = _name(kind, secret)
        await self._sessions.put(name, StoredSession(self._close(name, value), ends_at))

    async def get(self, kind: SecretKind, secret: str, shape: type[_Kept]) -> _Kept | None:
        """Read a value that has not ended."""
        if not 0 < len(secret) <= _MAX_SECRET_CHARS:
            return None
        name = _name(kind, secret)
        stored = await self._sessions.get(name, self._clock.now())
        return self._open(name, None if stored is None else stored.sealed, shape)

    async def take(self, kind: SecretKind, secret: str, shape: type[_Kept]) -> _Kept | None:
        """Read a value and remove it in one step."""
        if not 0 < len(secret) <= _MAX_SECRET_CHARS:
            return None
        name = _name(kind, secret)
        stored = await self._sessions.take(name, self._clock.now())
        return self._open(name, None if stored is None else stored.sealed, shape)

    async def remove(self, kind: SecretKind, secret: str) -> None:
        """Forget a value."""
        await self._sessions.remove(_name(kind, secret))

    def seal(self, kind: SecretKind, name: str, value: Struct) -> str:
        """Seal a value for a browser, which keeps it under this name; how long it is good for is a part of it."""
        return urlsafe_b64encode(self._close(_name(kind, name), value)).rstrip(b"=").decode("ascii")

    def unseal(self, kind: SecretKind, name: str, text: str, shape: type[_Kept]) -> _Kept | None:
        """Read what a browser kept under this name; None if it is not ours, or of another name or kind."""
        if not 0 < len(text) <= _MAX_SEALED_CHARS or not text.isascii():
            return None
        try:
            raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except ValueError:
            return None
        return self._open(_name(kind, name), raw, shape)

    def _close(self, name: str, value: Struct) -> bytes:
        nonce = self._entropy.draw(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, msgspec.msgpack.encode(value), name.encode("ascii"))

    def _open(self, name: str, raw: bytes | None, shape: type[_Kept]) -> _Kept | None:
        if raw is None:
            return None
        nonce, sealed = raw[:_NONCE_BYTES], raw[_NONCE_BYTES:]
        try:
            return msgspec.msgpack.decode(self._cipher.decrypt(nonce, sealed, name.encode("ascii")), type=shape)
        except (InvalidTag, ValueError, msgspec.DecodeError):
            # Another key, another kind, or not ours: it is as if it were not there.
            return None


def _name(kind: SecretKind, secret: str) -> str:
    return hashlib.sha256(f"{kind}\n{secret}".encode("utf-8", "surrogatepass")).hexdigest()
