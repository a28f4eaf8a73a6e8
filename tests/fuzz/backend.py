"""A backend that believes nothing but the signature: it builds what was signed from the request that reaches it."""

import hashlib
import hmac
import re
from base64 import b64encode
from collections.abc import Mapping

_INPUT = re.compile(r'agen=(\((?P<covered>[^()]*)\);created=\d+;expires=\d+;nonce="\w+";keyid="[\w-]+".*)')


def is_vouched_for(request: Mapping[str, str], body: bytes, secret: bytes) -> bool:
    """True if the signature of a request is over all of it (RFC 9421 section 3.2).

    Args:
        request: its headers and derived components, as the backend gets them.
    """
    found = _INPUT.fullmatch(request["signature-input"])
    if found is None:
        return False
    names = [name.strip('"') for name in found["covered"].split(" ")]
    lines = [f'"{name}": {request[name]}' for name in names] + [f'"@signature-params": {found[1]}']
    expected = hmac.digest(secret, "\n".join(lines).encode("latin-1"), hashlib.sha256)
    digest = f"sha-256=:{b64encode(hashlib.sha256(body).digest()).decode()}:"
    needed = {"@method", "@path", "@query", "content-digest", "agen-subject", "agen-issuer"}
    needed |= {name for name in request if name.startswith("mcp-") or name in ("content-type", "content-encoding")}
    is_whole = needed <= set(names)
    return (
        is_whole
        and request["content-digest"] == digest
        and hmac.compare_digest(request["signature"], f"agen=:{b64encode(expected).decode()}:")
    )
