"""Keys by their id: a mapping, or a directory of files that is read again and again."""

import logging
import re
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

MIN_BYTES = 32
_MAX_BYTES = 65_536
_MAX_ID = 128
_ID = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{_MAX_ID - 1}}}")
_AGAIN_S = 1.0
_NO_STAMP = -1
_MAX_TOLD = 5
_LOG = logging.getLogger("agen_authz.verify")


class Keys(Protocol):
    """Where a verifier finds its keys; a `dict` is one."""

    def get(self, key_id: str, /) -> bytes | None:
        """Return a key's bytes, or None if there is no such key."""
        ...


class KeyDirectory:
    """A directory in which each file is a key and its name the key's id, as a mounted Kubernetes Secret has it.

    A new key may be put there before the gateway signs with it, and an old one taken out after: no restart is
    needed. The directory is read again once a second, and when an unknown id comes and its time stamp has changed.
    What is good is what is there: a file that is not a key is skipped and costs no other key, and a directory that
    cannot be read holds none. Both are logged once (`agen_authz.verify`). A new key gets a new id, its file is moved
    into place whole and is not written over. Hidden files and folders are not looked at.

    Args:
        elapsed: seconds that only ever grow.

    Raises:
        ValueError: there is no key.
        OSError: the directory cannot be read.
    """

    def __init__(self, directory: str | Path, *, elapsed: Callable[[], float] = time.monotonic) -> None:
        self._elapsed = elapsed
        self._directory = Path(directory)
        self._lock = threading.Lock()
        self._stamp = self._directory.stat().st_mtime_ns
        self._keys, self._flaws = read_keys(self._directory)
        self._looked = elapsed()
        if not self._keys:
            told = "".join(f"; {flaw}" for flaw in self._flaws[:_MAX_TOLD])
            raise ValueError(f"there is no key in {self._directory}; put one there, named by its id{told}")
        self._tell()

    def get(self, key_id: str, /) -> bytes | None:
        """Return a key's bytes, or None if the directory has no such key."""
        now = self._elapsed()
        is_due = now - self._looked >= _AGAIN_S
        if is_due:
            self._looked = now
        if is_due or key_id not in self._keys:
            self._look_again(is_due=is_due)
        return self._keys.get(key_id)

    def _look_again(self, *, is_due: bool) -> None:
        # A look at the time stamp costs what a stranger's request costs anyway; reading all files does not. It is not
        # enough by itself: some file systems write it coarsely, and a key that was taken out must go.
        with self._lock:
            known = self._flaws
            try:
                stamp = self._directory.stat().st_mtime_ns
                if is_due or stamp != self._stamp:
                    (self._keys, self._flaws), self._stamp = read_keys(self._directory), stamp
            except OSError as exc:
                self._keys, self._flaws, self._stamp = {}, (f"cannot be read: {exc.strerror}",), _NO_STAMP
            if self._flaws != known:
                self._tell()

    def _tell(self) -> None:
        if not self._flaws:
            return
        more = f"; and {len(self._flaws) - _MAX_TOLD} more" if len(self._flaws) > _MAX_TOLD else ""
        _LOG.warning("keys in %s were skipped: %s%s", self._directory, "; ".join(self._flaws[:_MAX_TOLD]), more)


def read_keys(directory: Path) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """Read a directory into (its keys by id, what is wrong with files that are not keys).

    Raises:
        OSError: the directory cannot be read.
    """
    keys, flaws = {}, []
    for file in sorted(directory.iterdir()):
        if file.name.startswith("."):
            continue
        try:
            if file.is_file():
                keys[_check_id(file.name)] = read_key(file)
        except ValueError as exc:
            flaws.append(str(exc))
        except OSError as exc:
            flaws.append(f"{_quote(file.name)} cannot be read: {exc.strerror}")
    return keys, tuple(flaws)


def _check_id(name: str) -> str:
    if not _ID.fullmatch(name):
        raise ValueError(f"{_quote(name)} is not named like a key's id")
    return name


def _quote(name: str) -> str:
    return f"`{ascii(name)[1:-1][:_MAX_ID]}`"


def read_key(file: Path) -> bytes:
    """Read a key file: its bytes less one trailing newline, undecoded, as the gateway reads it.

    Raises:
        ValueError: it is shorter than 32 bytes, or longer than 64 KiB.
        OSError: it cannot be read.
    """
    with file.open("rb") as opened:
        secret = opened.read(_MAX_BYTES + 1)
    if len(secret) > _MAX_BYTES:
        raise ValueError(f"the key `{file.name}` is longer than {_MAX_BYTES} bytes")
    return check_key(file.name, secret[:-1] if secret.endswith(b"\n") else secret)


def check_keys(keys: Mapping[str, bytes]) -> dict[str, bytes]:
    """Copy keys that were given as they are, each checked.

    Raises:
        ValueError: there is none, or one is shorter than 32 bytes.
    """
    if not keys:
        raise ValueError("a verifier without a key would refuse everything; give at least one key")
    return {key_id: check_key(key_id, secret) for key_id, secret in keys.items()}


def check_key(key_id: str, secret: bytes) -> bytes:
    """Return a key that is long enough.

    Raises:
        ValueError: it is shorter than 32 bytes.
    """
    if len(secret) < MIN_BYTES:
        raise ValueError(f"the key `{key_id}` is shorter than {MIN_BYTES} bytes")
    return secret
