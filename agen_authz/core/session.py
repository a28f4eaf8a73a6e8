"""Sessions of the legacy era: the id that a client gets proves whose session it is, and nothing is remembered.

    client's id  =  MAC (22 characters), what the client declared (1 character), the backend's id

The MAC is over resource, issuer, subject, what the client declared, and the backend's id (16 bytes of HMAC-SHA256,
base64url). So every replica agrees, a restart loses nothing, and an id that another caller got, that belongs to another
resource, or that the backend gave out past us is the id of no session (MCP 2025-11-25, Session management: 404).
"""

import hmac
import re
from base64 import urlsafe_b64encode

from agen_authz.core.mac import authenticate
from agen_authz.core.model import Owner, Session, SessionId

_LABEL = b"agen.session"
_MAC_BYTES, _MAC_CHARS = 16, 22
_DECLARED = {"u": True, "-": False}
_FLAG = {declares: flag for flag, declares in _DECLARED.items()}
# Visible ASCII (MCP 2025-11-25); the whole id has at most 1024 characters, as a client may send.
_BACKEND_ID = re.compile(r"[\x21-\x7e]{1,1000}")


def derive_session_key(root: bytes) -> bytes:
    """Derive the key of sessions from the key that the store keeps."""
    return authenticate(_LABEL, root)


def sign_session(backend_id: str, server: str, owner: Owner, key: bytes, *, declares_url: bool) -> SessionId | None:
    """Make the id that a client gets; None if the backend's id is not one that MCP allows, or is too long."""
    if _BACKEND_ID.fullmatch(backend_id) is None:
        return None
    flag = _FLAG[declares_url]
    return SessionId(f"{_mac(backend_id, flag, server, owner, key)}{flag}{backend_id}")


def open_session(presented: SessionId, server: str, owner: Owner, key: bytes) -> Session | None:
    """Check the id that a client sent; None if it was not given to this caller for this resource."""
    mac, flag, backend_id = presented[:_MAC_CHARS], presented[_MAC_CHARS : _MAC_CHARS + 1], presented[_MAC_CHARS + 1 :]
    if flag not in _DECLARED or not backend_id or not presented.isascii():
        return None
    if not hmac.compare_digest(mac, _mac(backend_id, flag, server, owner, key)):
        return None
    return Session(SessionId(backend_id), declares_url=_DECLARED[flag])


def _mac(backend_id: str, flag: str, server: str, owner: Owner, key: bytes) -> str:
    # Each part with its length before it: no two different lists of parts are the same bytes.
    parts = [part.encode("utf-8") for part in (server, owner.issuer, owner.subject, flag, backend_id)]
    framed = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return urlsafe_b64encode(authenticate(framed, key)[:_MAC_BYTES]).decode("ascii").rstrip("=")
