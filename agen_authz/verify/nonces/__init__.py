"""Nonces that were seen: a signature is good once."""

from agen_authz.verify.nonces.memory import MemoryNonces, NonceStore
from agen_authz.verify.nonces.redis import RedisNonces
from agen_authz.verify.nonces.sql import PostgresqlNonces, SqliteNonces

__all__ = ["MemoryNonces", "NonceStore", "PostgresqlNonces", "RedisNonces", "SqliteNonces"]
