"""Reload: a changed configuration takes effect whole, or not at all.

A file that is open for writing, or has changed since the last look, is not read yet. A file that cannot be used
leaves the last good set in place and shows in log, metric and `/readyz`. What cannot change under a running server is
refused with the word restart. Calls under way finish by the set they began with.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

from agen_authz.app.cut import refuse_cut
from agen_authz.app.listening import build_tls_files
from agen_authz.config import Config, Loaded, has_console, list_secret_files, load, read_version, unbuilt
from agen_authz.core.errors import ConfigError, Problem, Unavailable
from agen_authz.servers.certificate import read_certificates
from agen_authz.whole_file import Settling, Stamp, is_open_for_writing, stamp

_LOG = logging.getLogger(__name__)
# How often files are looked at, and how long one that has changed must stay as it is before it is read.
_POLL_S = 1.0
# How often a file that is still being written is looked at before the log reports it.
_PATIENCE = 30
# The listener and the store are built with these.
FIXED_LIMITS = ("request_bytes", "in_flight", "sessions", "store_timeout")
_CURE = "restart to let it take effect, or put the old value back"


class Reloadable(Protocol):
    """What can take another configuration."""

    async def apply(self, loaded: Loaded) -> None:
        """Let a checked configuration take effect.

        Raises:
            ConfigError: it cannot take effect.
            Unavailable: not now, and nothing has changed.
        """

    def let_go(self) -> None:
        """Free what is left of the configuration before."""

    def note_reload(self, outcome: str, kept: str = ...) -> None:
        """Count a reload, and remember for operators how it went and, where it failed, what stays in use."""


class Watch:
    """Reloads when a file has changed since this was made, or when told to."""

    def __init__(
        self,
        loaded: Loaded,
        *,
        poll_s: float = _POLL_S,
        read: Callable[[Path], Loaded] = load,
        ask: Callable[[Path], bool | None] = is_open_for_writing,
    ) -> None:
        self._loaded = loaded
        self._read = read
        self._ask = ask
        self._poll_s = poll_s
        self._stamps = _stamp_all(_list_files(loaded))
        if _has_changed(loaded):
            # Between the reading and the first look: it has to look changed to the next one.
            self._stamps[str(loaded.file)] = None
        self._asked = asyncio.Event()

    def ask(self) -> None:
        """Reload as soon as every file is whole (SIGHUP)."""
        self._asked.set()

    async def run(self, target: Reloadable) -> None:
        """Watch until cancelled; a defect is logged, and does not end the watch."""
        while True:
            try:
                await self._wait()
                await self.reload(target)
            except Exception:  # noqa: BLE001 the top of a background task: it is logged, counted, and the task continues
                _LOG.exception("a defect ended a reload; the next change of a file is read again")
                target.note_reload("failed")

    async def _wait(self) -> None:
        """Return when a reload is due: it was asked for, or files have changed, and all of them are whole."""
        await self._pause()
        settling, looks = Settling(self._ask), 0
        while changed := self._list_changed(look := _stamp_all(self._stamps)):
            if settling.is_whole(look, changed):
                break
            looks += 1
            _tell_of_busy(settling.busy, looks)
            # However often a reload is asked for: two looks at once would find no change between them.
            await asyncio.sleep(self._poll_s)
        self._asked.clear()

    async def _pause(self) -> None:
        """Wait until a reload was asked for or a file has changed."""
        while not self._list_changed(_stamp_all(self._stamps)):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._poll_s):
                    await self._asked.wait()
                    return

    def _list_changed(self, look: Mapping[str, Stamp | None]) -> list[str]:
        return [name for name, seen in self._stamps.items() if look[name] != seen]

    async def reload(self, target: Reloadable) -> None:
        """Load the file again and apply it, or keep what is there."""
        # Taken first: a file that changes from here on is looked at again.
        self._stamps = _stamp_all(self._stamps)
        try:
            # Thousands of rules take seconds, and grpcio answers calls on this event loop.
            fresh = await asyncio.to_thread(self._read, self._loaded.file)
            problems = [*find_cut(self._loaded, fresh), *unbuilt(fresh), *find_restarts(self._loaded, fresh)]
            if problems:
                raise ConfigError(tuple(problems))
            if _stamp_all(self._stamps) != self._stamps:
                # It changed while it was read, so part of it may be old and part new; the next look finds the change.
                return
            await target.apply(fresh)
        except ConfigError as exc:
            # A file that it names for the first time may be what is missing, and come later.
            self._watch(*_list_files(self._loaded), *_list_wanted(self._loaded.file))
            _log_all("the new configuration is refused; the last good one stays in use", exc.problems)
            target.note_reload("failed")
            return
        except Unavailable as exc:
            # Nothing is wrong with the file. It has to look changed, so that it is read again when the store answers.
            self._stamps[str(self._loaded.file)] = None
            problem = {"problem": str(exc)}
            _LOG.error("the new configuration is not in use yet; it waits for the store", extra=problem)
            target.note_reload("failed")
            return
        self._loaded = fresh
        target.let_go()
        self._watch(*_list_files(fresh))
        _LOG.info("the new configuration is in use", extra={"policy_set": fresh.version})
        unusable = check_certificates(fresh.config)
        if unusable:
            _log_all("the new certificates are refused; the last good ones stay in use", unusable)
            target.note_reload("failed", "certificates serve")
            return
        target.note_reload("ok")

    def _watch(self, *files: str) -> None:
        # A file that is named for the first time has no stamp from before, and is looked at once more.
        self._stamps = {name: self._stamps.get(name) for name in files}


def refuse_unfinished(loaded: Loaded) -> None:
    """Refuse to start from a file that is still being written.

    Raises:
        ConfigError: with every file that is open for writing.
    """
    busy = [name for name in _list_files(loaded) if is_open_for_writing(Path(name))]
    if busy:
        cure = "start again after the program that writes it has closed it"
        raise ConfigError(tuple(Problem(name, None, "", "is open for writing", cure) for name in busy))


def _has_changed(loaded: Loaded) -> bool:
    try:
        return read_version(loaded.file) != loaded.version
    except ConfigError:
        return True


def check_certificates(config: Config) -> tuple[Problem, ...]:
    """List why the listener cannot use the certificates as they are now; it keeps the last good ones."""
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


def find_cut(old: Loaded, new: Loaded) -> list[Problem]:
    """Refuse a file without the last line `end: true` that it had before: it may be cut short."""
    if not old.config.end or new.config.end:
        return []
    return [refuse_cut(new)]


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
    # The worker of the console is started once, and so is its server.
    yield "approvals", has_console(before), has_console(after)
    yield "console", before.console is None, after.console is None
    for key in FIXED_LIMITS:
        yield f"limits.{key}", getattr(before.limits, key), getattr(after.limits, key)


def _list_files(loaded: Loaded) -> tuple[str, ...]:
    files = build_tls_files(loaded.config.server)
    certificates = () if files is None else (files.cert_file, files.key_file, files.client_ca_file)
    return (str(loaded.file), *list_secret_files(loaded.config), *map(str, certificates))


def _list_wanted(file: Path) -> tuple[str, ...]:
    """List the files that a configuration names whose secrets cannot be used; none if that is not known."""
    try:
        return _list_files(load(file, secrets=False))
    except ConfigError:
        return ()


def _stamp_all(files: Iterable[str]) -> dict[str, Stamp | None]:
    return {name: stamp(Path(name)) for name in files}


def _tell_of_busy(busy: tuple[str, ...], looks: int) -> None:
    if busy and looks % _PATIENCE == 0:
        _LOG.warning("a file changed, and is not read while it is open for writing", extra={"files": list(busy)})
