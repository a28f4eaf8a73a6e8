"""What survives a restart: in an SQLite file, or in a PostgreSQL database that replicas share."""

from agen_authz.adapters.store.approvals import SqlApprovals
from agen_authz.adapters.store.catalogue import SqlCatalogue
from agen_authz.adapters.store.kept import KeptCipher
from agen_authz.adapters.store.opening import find_obstacle, list_drivers, migrate, open_store, peek, peek_catalogue
from agen_authz.adapters.store.outbox import SqlOutbox
from agen_authz.adapters.store.sessions import SqlSessions
from agen_authz.adapters.store.sql import SqlStore
from agen_authz.adapters.store.tasks import SqlTasks

__all__ = [
    "KeptCipher", "SqlApprovals", "SqlCatalogue", "SqlOutbox", "SqlSessions", "SqlStore", "SqlTasks",
    "find_obstacle", "list_drivers", "migrate", "open_store", "peek",
    "peek_catalogue",
]  # fmt: skip
