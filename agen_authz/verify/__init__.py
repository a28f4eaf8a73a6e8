"""What a backend imports to know that a request came through the gateway, and from whom.

    from agen_authz.verify import ASGIVerifier, BackendVerifier, KeyDirectory

    verifier = BackendVerifier(KeyDirectory("/etc/agen/keys"), resource="crm")
    app = ASGIVerifier(app, verifier)

`pip install agen-authz` brings all of it: the standard library and `http-sfv`, nothing else.
"""

from agen_authz.verify.asgi import ASGIVerifier
from agen_authz.verify.identity import Identity
from agen_authz.verify.keys import KeyDirectory, Keys, read_key
from agen_authz.verify.nonces import MemoryNonces, NonceStore, PostgresqlNonces, RedisNonces, SqliteNonces
from agen_authz.verify.refusal import Check, NotVerified
from agen_authz.verify.request import Received, read_headers
from agen_authz.verify.verifier import BackendVerifier
from agen_authz.verify.wsgi import WSGIVerifier

__all__ = [
    "ASGIVerifier",
    "BackendVerifier",
    "Check",
    "Identity",
    "KeyDirectory",
    "Keys",
    "MemoryNonces",
    "NonceStore",
    "NotVerified",
    "PostgresqlNonces",
    "Received",
    "RedisNonces",
    "SqliteNonces",
    "WSGIVerifier",
    "read_headers",
    "read_key",
]
