"""Reload: a changed configuration takes effect whole, or not at all.

A file that cannot be used leaves the last good set in place and shows in log, metric and `/readyz`. What cannot
change under a running server is refused with the word restart. Calls under way finish by the set they began with.
"""

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from agen_authz.config import Config, Loaded, list_secret_files, load, unbuilt
from agen_authz.core.errors import ConfigError, Problem

_LOG = logging.getLogger(__name__)
_POLL_S = 1.0
_CURE = "restart to let it take effect, or put the old value back"


class Reloadable(Protocol):
    """What can take another configuration."""

    async def apply(self, loaded: Loaded) -> None:
        """Let a checked configuration take effect."""

    def note_reload(self, outcome: str) -> None:
        """Count a reload, and remember how it went for operators."""


@dataclass(frozen=True, slots=True)
class _Stamp:
    """What tells that a file was written or replaced."""

    inode: int
    size: int
    changed_ns: int


class Watch:
    """Reloads when a file changes, or when told to."""

    def __init__(self, loaded: Loaded, target: Reloadable) -> None:
        self._loaded = loaded
        self._target = target
        self._stamps = _stamp_all(loaded)
        self._asked = asyncio.Event()

    def ask(self) -> None:
        """Reload now (SIGHUP)."""
        self._asked.set()

    async def run(self) -> None:
        """Watch until cancelled; a defect is logged, and watching goes on."""
        while True:
            try:
                await self._wait()
                await self.reload()
            except Exception:  # noqa: BLE001 the top of a background task: it is logged, counted, and goes on
                _LOG.exception("reload failed")
                self._target.note_reload("failed")

    async def _wait(self) -> None:
        while True:
            try:
                async with asyncio.timeout(_POLL_S):
                    await self._asked.wait()
            except TimeoutError:
                if _stamp_all(self._loaded) == self._stamps:
                    continue
            self._asked.clear()
            return

    async def reload(self) -> None:
        """Load the file again and apply it, or keep what is there."""
        # Taken first: a file that changes while it is read is read again.
        self._stamps = before = _stamp_all(self._loaded)
        try:
            fresh = load(self._loaded.file)
            problems = [*unbuilt(fresh), *find_restarts(self._loaded, fresh)]
            if problems:
                raise ConfigError(tuple(problems))
            await self._target.apply(fresh)
        except ConfigError as exc:
            for problem in exc.problems:
                _LOG.error("configuration not reloaded", extra={"problem": str(problem)})
            self._target.note_reload("failed")
            return
        self._loaded = fresh
        # A file that is named for the first time has no stamp from before, and is looked at once more.
        self._stamps = {name: before.get(name) for name in _stamp_all(fresh)}
        self._target.note_reload("ok")
        _LOG.info("configuration reloaded", extra={"policy_set": fresh.version})


def find_restarts(old: Loaded, new: Loaded) -> list[Problem]:
    """List what the new configuration changes and a running server cannot."""
    return [
        Problem(str(new.file), new.line_of(*path.split(".")), path, "cannot change under a running server", _CURE)
        for path, before, after in _fixed_values(old.config, new.config)
        if before != after
    ]


def _fixed_values(old: Config, new: Config) -> Iterator[tuple[str, object, object]]:
    for key in type(old.server).model_fields:
        if key != "metadata_key_file":
            yield f"server.{key}", getattr(old.server, key), getattr(new.server, key)
    yield "store.url", old.store.url, new.store.url
    yield "access.mapping", old.access.mapping, new.access.mapping
    yield "limits.sessions", old.limits.sessions, new.limits.sessions


def _stamp_all(loaded: Loaded) -> dict[str, _Stamp | None]:
    return {name: _stamp(Path(name)) for name in (str(loaded.file), *list_secret_files(loaded.config))}


def _stamp(path: Path) -> _Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return _Stamp(found.st_ino, found.st_size, found.st_mtime_ns)
