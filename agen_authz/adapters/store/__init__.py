"""What survives a restart, in a database: SQLite for now."""

from agen_authz.adapters.store.sqlite import SqliteStore, migrate, open_store

__all__ = ["SqliteStore", "migrate", "open_store"]
