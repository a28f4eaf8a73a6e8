"""What Check tells Process through Envoy's dynamic metadata (`agen.proc`): sealed, so that only Process can read it.

It holds who calls. So it is encrypted as well as authenticated (AES-256-GCM, NIST SP 800-38D): Envoy's access log may
show metadata, and another filter could write it.
"""

import dataclasses
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any, get_type_hints

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from agen_authz.core.mac import authenticate
from agen_authz.core.memory import remember
from agen_authz.core.model import Inspection, Principal

PROC_KEY = "agen.proc"
NONCE_BYTES = 12
_LABEL = b"agen.proc"
# The fields of a Principal, of types that the library can read: it does not know recursive ones, such as `Json`.
_FIELDS = get_type_hints(Principal) | {"claims": dict[str, Any] | None}
_Principal: Any = msgspec.defstruct(
    "_Principal", [(each.name, _FIELDS[each.name]) for each in dataclasses.fields(Principal)]
)
_HINTS = get_type_hints(Inspection) | {"principal": _Principal}
_Inspection: Any = msgspec.defstruct("_Inspection", [(name, _HINTS[name]) for name in Inspection.__struct_fields__])
_ENCODER, _DECODER = msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder(_Inspection)


def seal_inspection(inspection: Inspection, metadata_key: bytes, nonce: bytes) -> str:
    """Seal an inspection; text that Envoy's metadata can hold.

    Args:
        nonce: 12 random bytes, new each time.
    """
    return urlsafe_b64encode(nonce + _cipher(metadata_key).encrypt(nonce, _ENCODER.encode(inspection), _LABEL)).decode(
        "ascii"
    )


def open_inspection(sealed: str, metadata_key: bytes) -> Inspection | None:
    """Open what was sealed; None if it was not sealed with this key, or by a version of us that we cannot read."""
    try:
        raw = urlsafe_b64decode(sealed.encode("ascii"))
        opened = _DECODER.decode(_cipher(metadata_key).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], _LABEL))
    except (ValueError, InvalidTag, msgspec.DecodeError):
        return None
    fields = {name: getattr(opened, name) for name in Inspection.__struct_fields__}
    held = {each.name: getattr(opened.principal, each.name) for each in dataclasses.fields(Principal)}
    return Inspection(**(fields | {"principal": Principal(**held)}))


@remember(4)
def _cipher(metadata_key: bytes) -> AESGCM:
    return AESGCM(authenticate(_LABEL, metadata_key))
