"""What else a token calls its subject: to refuse with, and for nothing else, since not all of it is verified.

Providers may give each client another `sub` for one person (pairwise subjects, OpenID Connect Core 1.0 section 8.1), so
who asks for something and who approves it are compared by other names, too.
"""

from functools import partial

from agen_authz.core.errors import Rejected
from agen_authz.core.identity.claim import ClaimReader
from agen_authz.core.identity.jws import read_bearer, read_claims, read_token
from agen_authz.core.model import ClaimPaths

_CLAIMS = ("sub", "oid", "uid", "email", "preferred_username", "upn")


def list_aliases(reader: ClaimReader, paths: ClaimPaths) -> frozenset[str]:
    """List the names of a token's subject, case-folded; a claim that cannot be read gives none."""
    candidates = (paths.subject, paths.email, *(((name,),) for name in _CLAIMS))
    texts = (reader.if_readable(partial(ClaimReader.text, candidates=each)) for each in candidates)
    return frozenset(text.casefold() for text in texts if text)


def read_aliases(credential: str, paths: ClaimPaths) -> frozenset[str]:
    """List the names of the caller whose token was verified.

    Args:
        credential: the value of `authorization`.
    """
    raw = read_bearer(credential)
    token = raw if isinstance(raw, Rejected) else read_token(raw)
    claims = token if isinstance(token, Rejected) else read_claims(token)
    if isinstance(claims, Rejected):
        # INVARIANT: the same bytes were verified.
        raise TypeError("a caller without a token")
    return list_aliases(ClaimReader(claims), paths)
