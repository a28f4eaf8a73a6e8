"""Reload: a changed configuration takes effect whole, or not at all.

A file that cannot be used leaves the last good set in place and shows in log, metric and `/readyz`. What cannot
change under a running server is refused with the word restart. Calls under way finish by the set they began with.
"""

import asyncio
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from agen_authz.app.assemble import build_tls_files
from agen_authz.config import Config, Loaded, list_secret_files, load, unbuilt
from agen_authz.core.errors import ConfigError, Problem
from agen_authz.servers.certificate import read_certificates

_LOG = logging.getLogger(__name__)
_POLL_S = 1.0
# The listener and the store are built with these.
FIXED_LIMITS = ("request_bytes", "in_flight", "sessions", "store_timeout")
_CURE = "restart to let it take effect, or put the old value back"


class Reloadable(Protocol):
    """What can take another configuration."""

    async def apply(self, loaded: Loaded) -> None:
        """Let a checked configuration take effect."""

    def note_reload(self, outcome: str, kept: str = ...) -> None:
        """Count a reload, and remember for operators how it went and, where it failed, what stays in use."""


@dataclass(frozen=True, slots=True)
class _Stamp:
    """What tells that a file was written or replaced."""

    inode: int
    size: int
    changed_ns: int


class Watch:
    """Reloads when a file has changed since this was made, or when told to."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self._stamps = _stamp_all(_list_files(loaded))
        self._asked = asyncio.Event()

    def ask(self) -> None:
        """Reload now (SIGHUP)."""
        self._asked.set()

    async def run(self, target: Reloadable) -> None:
        """Watch until cancelled; a defect is logged, and watching goes on."""
        while True:
            try:
                await self._wait()
                await self.reload(target)
            except Exception:  # noqa: BLE001 the top of a background task: it is logged, counted, and goes on
                _LOG.exception("reload failed")
                target.note_reload("failed")

    async def _wait(self) -> None:
        while True:
            try:
                async with asyncio.timeout(_POLL_S):
                    await self._asked.wait()
            except TimeoutError:
                if _stamp_all(self._stamps) == self._stamps:
                    continue
            self._asked.clear()
            return

    async def reload(self, target: Reloadable) -> None:
        """Load the file again and apply it, or keep what is there."""
        # Taken first: a file that changes while it is read is read again.
        self._stamps = _stamp_all(self._stamps)
        try:
            # Thousands of rules take seconds, and grpcio answers calls on this event loop.
            fresh = await asyncio.to_thread(load, self._loaded.file)
            problems = [*unbuilt(fresh), *find_restarts(self._loaded, fresh)]
            if problems:
                raise ConfigError(tuple(problems))
            await target.apply(fresh)
        except ConfigError as exc:
            # A file that it names for the first time may be what is missing, and come later.
            self._watch(*_list_files(self._loaded), *_list_wanted(self._loaded.file))
            _log_all("configuration not reloaded", exc.problems)
            target.note_reload("failed")
            return
        self._loaded = fresh
        self._watch(*_list_files(fresh))
        _LOG.info("configuration reloaded", extra={"policy_set": fresh.version})
        unusable = _check_certificates(fresh.config)
        if unusable:
            _log_all("certificates not reloaded", unusable)
            target.note_reload("failed", "certificates serve")
            return
        target.note_reload("ok")

    def _watch(self, *files: str) -> None:
        # A file that is named for the first time has no stamp from before, and is looked at once more.
        self._stamps = {name: self._stamps.get(name) for name in files}


def _check_certificates(config: Config) -> tuple[Problem, ...]:
    """List what keeps the listener from taking the certificates as they are now; it goes on with the last good ones."""
    files = build_tls_files(config.server)
    if files is not None:
        try:
            read_certificates(files)
        except ConfigError as exc:
            return exc.problems
    return ()


def _log_all(event: str, problems: Iterable[Problem]) -> None:
    for problem in problems:
        _LOG.error(event, extra={"problem": str(problem)})


def find_restarts(old: Loaded, new: Loaded) -> list[Problem]:
    """List what the new configuration changes and a running server cannot."""
    return [
        Problem(str(new.file), new.line_of(*path.split(".")), path, "cannot change under a running server", _CURE)
        for path, before, after in _fixed_values(old, new)
        if before != after
    ]


def _fixed_values(old: Loaded, new: Loaded) -> Iterator[tuple[str, object, object]]:
    before, after = old.config, new.config
    for key in type(before.server).model_fields:
        if key != "metadata_key_file":
            yield f"server.{key}", getattr(before.server, key), getattr(after.server, key)
    for key in type(before.store).model_fields:
        yield f"store.{key}", getattr(before.store, key), getattr(after.store, key)
    # The bytes: every digest in the audit trail is keyed by them.
    yield "store.encryption_key_file", old.secrets.store_key, new.secrets.store_key
    yield "access.mapping", before.access.mapping, after.access.mapping
    for key in FIXED_LIMITS:
        yield f"limits.{key}", getattr(before.limits, key), getattr(after.limits, key)


def _list_files(loaded: Loaded) -> tuple[str, ...]:
    files = build_tls_files(loaded.config.server)
    certificates = () if files is None else (files.cert_file, files.key_file, files.client_ca_file)
    return (str(loaded.file), *list_secret_files(loaded.config), *map(str, certificates))


def _list_wanted(file: Path) -> tuple[str, ...]:
    """List the files that a configuration names whose secrets cannot be used; none where nobody can tell."""
    try:
        return _list_files(load(file, secrets=False))
    except ConfigError:
        return ()


def _stamp_all(files: Iterable[str]) -> dict[str, _Stamp | None]:
    return {name: _stamp(Path(name)) for name in files}


def _stamp(path: Path) -> _Stamp | None:
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return _Stamp(found.st_ino, found.st_size, found.st_mtime_ns)
