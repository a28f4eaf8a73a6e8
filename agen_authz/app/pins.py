"""The catalogue as operators' commands reach it: read as it is, or opened for one change."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from agen_authz.adapters.store import SqlCatalogue, migrate, open_store, peek_catalogue
from agen_authz.app.place import read_url
from agen_authz.config import Config
from agen_authz.core.errors import ConfigError, Problem, Unavailable
from agen_authz.core.pinning.record import Listing
from agen_authz.ports import CatalogueStore

T = TypeVar("T")
# A person waits.
_TIMEOUT_S = 10.0


async def read_listing(config: Config) -> Listing:
    """Read all that the store keeps of tools; nothing is made or written.

    Raises:
        ConfigError: there is no such store, or it cannot be read.
    """
    return await peek_catalogue(read_url(config))


async def change_pins(config: Config, act: Callable[[CatalogueStore], Awaitable[T]]) -> T:
    """Do something in an existing store, brought to this version first.

    Raises:
        ConfigError: there is no such store, or it cannot be written.
    """
    url = read_url(config)
    # It refuses what is not a store yet; `migrate` would make one.
    await peek_catalogue(url)
    await migrate(url)
    store = open_store(url, _TIMEOUT_S)
    try:
        return await act(SqlCatalogue(store))
    except Unavailable as exc:
        message = f"the store does not answer within {_TIMEOUT_S:g} seconds"
        cure = "see that it can be reached and written"
        raise ConfigError((Problem("store", None, "store.url", message, cure),)) from exc
    finally:
        await store.close()
