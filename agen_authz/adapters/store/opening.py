"""Stores are opened, looked at and brought to this version, wherever they are: a table from schemes to places."""

from collections.abc import Callable, Mapping
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from agen_authz.adapters.store.catalogue import list_tools_if_any
from agen_authz.adapters.store.place import StorePlace, refuse
from agen_authz.adapters.store.postgresql import read_database
from agen_authz.adapters.store.revision import UnknownRevisionError
from agen_authz.adapters.store.sql import SqlStore, list_kept_if_any, upgrade
from agen_authz.adapters.store.sqlite import read_file
from agen_authz.core.errors import ConfigError, Problem
from agen_authz.core.pinning.record import Listing

T = TypeVar("T")

_PLACES: Mapping[str, Callable[[str], StorePlace]] = {"sqlite": read_file, "postgresql": read_database}


def open_store(url: str, timeout_s: float) -> SqlStore:
    """Open a store whose migrations are done; every statement takes `timeout_s` at most.

    Raises:
        ConfigError: the URL names no store, or the driver is not installed.
    """
    place = _find_place(url)
    return SqlStore(place.build_engine(timeout_s), timeout_s, place.reads_with)


async def peek(url: str, prefix: str, *, wait_s: float | None = None) -> Mapping[str, str]:
    """Read what is kept under names that begin with `prefix`; nothing is made, migrated or written.

    Raises:
        ConfigError: the store cannot be read.
    """
    place = _find_place(url)
    kept = await _look(place, list_kept_if_any, wait_s) if place.is_there() else {}
    return {name: value for name, value in kept.items() if name.startswith(prefix)}


async def peek_catalogue(url: str, *, wait_s: float | None = None) -> Listing:
    """Read what is kept of tools; nothing is made, migrated or written.

    Raises:
        ConfigError: there is no such store, it cannot be read, or it is from a version without a catalogue.
    """
    place = _find_place(url)
    if not place.is_there():
        raise refuse(place, "there is no store", "start `agen-authz serve` with this configuration first")
    kept = await _look(place, list_tools_if_any, wait_s)
    if kept is None:
        raise refuse(place, "the store is from a version that keeps no tools", "run `agen-authz migrate` first")
    return kept


async def migrate(url: str, *, wait_s: float | None = None) -> list[str]:
    """Bring a store to this version, making an SQLite file if there is none; return the steps that were taken.

    Args:
        wait_s: how long another process that migrates the same store is waited for.

    Raises:
        ConfigError: the store cannot be used, is locked, or is from a newer version.
    """
    place = _find_place(url)
    place.prepare()
    wait_s = place.migration_wait_s if wait_s is None else wait_s
    engine = place.build_migrator(wait_s)

    def take(connection: sa.Connection) -> list[str]:
        # Several may start on one store: the second waits here, and finds the work done.
        place.lock(connection, wait_s)
        return upgrade(connection)

    try:
        async with engine.begin() as connection:
            return await connection.run_sync(take)
    except UnknownRevisionError as exc:
        cure = f"run that version, or name a new {place.another}"
        raise refuse(place, "the store was made by a newer version", cure) from exc
    except (SQLAlchemyError, OSError) as exc:
        raise refuse(place, *place.explain(exc)) from exc
    finally:
        await engine.dispose()


def find_obstacle(url: str) -> Problem | None:
    """Describe what would prevent `migrate` from opening or making the store; nothing is made, nothing is asked."""
    try:
        return _find_place(url).find_obstacle()
    except ConfigError as exc:
        return exc.problems[0]


def list_drivers(url: str) -> tuple[str, ...]:
    """List the modules that are loaded when the store is first used; none if it cannot be used."""
    return () if find_obstacle(url) is not None else _find_place(url).drivers


async def _look(place: StorePlace, ask: Callable[[sa.Connection], T], wait_s: float | None) -> T:
    engine = place.build_reader(place.migration_wait_s if wait_s is None else wait_s)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(ask)
    except (SQLAlchemyError, OSError) as exc:
        raise refuse(place, *place.explain(exc)) from exc
    finally:
        await engine.dispose()


def _find_place(url: str) -> StorePlace:
    read = _PLACES.get(url.partition(":")[0])
    if read is None:
        # It may hold a password: it is not shown.
        cure = "use sqlite:////path or postgresql://user@host/database"
        raise ConfigError((Problem("store", None, "store.url", "not the URL of a store", cure),))
    return read(url)
