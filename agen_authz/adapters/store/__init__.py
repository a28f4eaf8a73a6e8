"""What survives a restart, in a database: SQLite for now."""

from agen_authz.adapters.store.catalogue import SqlCatalogue
from agen_authz.adapters.store.sql import SqlStore
from agen_authz.adapters.store.sqlite import find_obstacle, migrate, open_store, peek, peek_catalogue
from agen_authz.adapters.store.tasks import SqlTasks

__all__ = ["SqlCatalogue", "SqlStore", "SqlTasks", "find_obstacle", "migrate", "open_store", "peek", "peek_catalogue"]
