"""The snapshot of the catalogue in memory: read again when the store has a newer version.

1. Check and Process read `snapshot` synchronously; a call keeps the one that it began with.
2. If the store does not answer, the last snapshot stays, and `describe` reports since when. One that was never read
   refuses calls in `enforce` (core/pinning/catalogue.py).
3. What another process writes is seen within a second. What this process writes is read right after.
4. What calls need of a snapshot, such as compiled schemas, is prepared before any call sees it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from agen_authz.core.arguments.approved import SchemaCompiler
from agen_authz.core.errors import Unavailable
from agen_authz.core.pinning.catalogue import UNREAD, Catalogue, build_catalogue
from agen_authz.core.pinning.record import Listing
from agen_authz.ports import CatalogueStore, Clock

_LOG = logging.getLogger(__name__)
_PERIOD_S = 1.0


class CurrentCatalogue:
    """Holds the newest snapshot; one for each process."""

    __slots__ = ("_clock", "_failing_since", "_prepare", "_reading", "_snapshot", "_store")

    def __init__(
        self, store: CatalogueStore, clock: Clock, prepare: Callable[[Catalogue], None] = lambda _: None
    ) -> None:
        """Hold nothing yet.

        Args:
            prepare: what is done with a snapshot in its thread, before it is held.
        """
        self._store = store
        self._clock = clock
        self._prepare = prepare
        self._snapshot = UNREAD
        self._failing_since: float | None = None
        self._reading = asyncio.Lock()

    @property
    def snapshot(self) -> Catalogue:
        """The newest snapshot; `UNREAD` before the first."""
        return self._snapshot

    async def refresh(self) -> None:
        """Read the store if its version is another one; a failure is logged once and leaves the snapshot as it is."""
        # Two readers could otherwise finish in the wrong order.
        async with self._reading:
            try:
                await self._read()
            except Unavailable:
                if self._failing_since is None:
                    self._failing_since = self._clock.elapsed()
                    _LOG.warning("the store does not answer: the catalogue of tools stays as it is")
                return
            self._failing_since = None

    async def _read(self) -> None:
        held = self._snapshot
        if held.is_read and await self._store.read_version() == held.version:
            return
        known = {
            each.digest: each.definition
            for tool in held.entries.values()
            for each in tool.tool.definitions
            if each.definition is not None
        }
        listing = await self._store.list_tools(known)
        # In a thread: thousands of tools take a tenth of a second, and their schemas take seconds.
        self._snapshot = await asyncio.to_thread(self._build, listing)

    def _build(self, listing: Listing) -> Catalogue:
        built = build_catalogue(listing.version, listing.tools)
        # 4.
        self._prepare(built)
        return built

    async def watch(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Refresh every second until cancelled; a defect is logged, and does not end the watch."""
        while True:
            try:
                await self.refresh()
            except Exception:  # noqa: BLE001 the top of a background task: it is logged, and the task continues
                _LOG.exception("a defect stopped the reading of the catalogue; the next one is in a second")
            await sleep(_PERIOD_S)

    def describe(self) -> str:
        """Report for `/readyz`: how many tools are known, and since when the store does not answer."""
        held = self._snapshot
        said = f"{len(held.entries)} tools" if held.is_read else "not read yet"
        if self._failing_since is None:
            return said
        return f"{said}, the store has not answered for {self._clock.elapsed() - self._failing_since:.0f} s"


def prepare_schemas(schemas: SchemaCompiler, catalogue: Catalogue) -> None:
    """Compile the schemas of all approved definitions of a snapshot."""
    tools = catalogue.entries.values()
    schemas.prepare([(each.digest, each.definition) for each in known.approved] for known in tools)
