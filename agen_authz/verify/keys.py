"""Keys by their id: a mapping, or a directory of files that is read again when an unknown id comes."""

import re
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

MIN_BYTES = 32
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_AGAIN_S = 1.0


class Keys(Protocol):
    """Where a verifier finds its keys; a `dict` is one."""

    def get(self, key_id: str, /) -> bytes | None:
        """Return a key's bytes, or None where there is no such key."""
        ...


class KeyDirectory:
    """A directory in which each file is a key and its name the key's id, as a mounted Kubernetes Secret has it.

    A new key may be put there before the gateway signs with it, and an old one taken out after: no restart is
    needed. The directory is read again when its time stamp has changed, which is looked at once a second and whenever
    an unknown id comes. A new key gets a new id, its file is moved into place whole and is not written over.

    Args:
        elapsed: seconds that only ever grow.

    Raises:
        ValueError: there is no key, or one is shorter than 32 bytes.
        OSError: the directory cannot be read.
    """

    def __init__(self, directory: str | Path, *, elapsed: Callable[[], float] = time.monotonic) -> None:
        self._elapsed = elapsed
        self._directory = Path(directory)
        self._lock = threading.Lock()
        self._stamp = self._directory.stat().st_mtime_ns
        self._keys = read_keys(self._directory)
        self._looked = elapsed()
        if not self._keys:
            raise ValueError(f"there is no key in {self._directory}; put one there, named by its id")

    def get(self, key_id: str, /) -> bytes | None:
        """Return a key's bytes, or None where the directory holds no such key."""
        now = self._elapsed()
        is_due = now - self._looked >= _AGAIN_S
        if is_due:
            self._looked = now
        if is_due or key_id not in self._keys:
            self._look_again(is_thorough=is_due and key_id not in self._keys)
        return self._keys.get(key_id)

    def _look_again(self, *, is_thorough: bool) -> None:
        # A look at the time stamp costs what a stranger's request costs anyway; reading all files does not, and is
        # done without a new stamp only for file systems that write it coarsely.
        with self._lock:
            try:
                stamp = self._directory.stat().st_mtime_ns
                if is_thorough or stamp != self._stamp:
                    self._keys, self._stamp = read_keys(self._directory), stamp
            except (OSError, ValueError):
                # Half a change: what was good before stays good, and the next look may find the whole.
                return


def read_keys(directory: Path) -> dict[str, bytes]:
    """Read every key of a directory.

    Raises:
        ValueError: a key is shorter than 32 bytes.
        OSError: a file cannot be read.
    """
    return {file.name: read_key(file) for file in directory.iterdir() if _ID.fullmatch(file.name) and file.is_file()}


def read_key(file: Path) -> bytes:
    """Read a key file: its bytes less one trailing newline, undecoded, as the gateway reads it.

    Raises:
        ValueError: it is shorter than 32 bytes.
        OSError: it cannot be read.
    """
    secret = file.read_bytes()
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
