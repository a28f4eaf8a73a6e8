"""What is kept of a request's arguments, encrypted: AES-GCM with 256 bits, bound to the request by its id."""

from collections.abc import Callable

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from agen_authz.core.approval.request import KeptCall
from agen_authz.core.errors import Unavailable
from agen_authz.core.mac import authenticate
from agen_authz.core.reason import Reason

_LABEL = b"agen.approval"
_NONCE_BYTES = 12
# Named if what is kept cannot be read, as the cause is there.
_NAME = "store.encryption_key_file"
_ENCODER, _DECODER = msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder(KeptCall)


class KeptCipher:
    """Seals what is kept.

    Args:
        store_key: the store's encryption key; None if there is none, and then nothing is sealed or opened.
        draw: draws so many random bytes.
    """

    def __init__(self, store_key: bytes | None, draw: Callable[[int], bytes]) -> None:
        self._cipher = None if store_key is None else AESGCM(authenticate(_LABEL, store_key))
        self._draw = draw

    def seal(self, id: str, kept: KeptCall) -> bytes:
        """Encrypt what is kept of the request with this id.

        Raises:
            Unavailable: there is no key.
        """
        nonce = self._draw(_NONCE_BYTES)
        return nonce + self._get().encrypt(nonce, _ENCODER.encode(kept), id.encode("utf-8"))

    def open(self, id: str, sealed: bytes) -> KeptCall:
        """Decrypt what is kept of the request with this id.

        Raises:
            Unavailable: there is no key, another one has sealed it, or it was changed.
        """
        nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return _DECODER.decode(self._get().decrypt(nonce, rest, id.encode("utf-8")))
        except (ValueError, InvalidTag, msgspec.DecodeError) as exc:
            raise Unavailable(Reason.STORE_UNAVAILABLE, _NAME) from exc

    def _get(self) -> AESGCM:
        if self._cipher is None:
            raise Unavailable(Reason.STORE_UNAVAILABLE, _NAME)
        return self._cipher
