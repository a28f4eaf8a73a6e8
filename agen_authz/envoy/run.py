"""Runs one Envoy as a child process, on a configuration file, until it is stopped."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from agen_authz.envoy.model import TcpAddress

_POLL_S = 0.05
_STOP_S = 5.0
_LOG_TAIL = 5


class LaunchError(Exception):
    """Envoy did not start; the message is one line for a person."""


@dataclass(frozen=True, slots=True)
class Launch:
    """What to start: a binary, its configuration, where it will listen, and where its log goes."""

    binary: Path
    config_file: Path
    listener: TcpAddress
    log_file: Path
    workers: int = 1
    start_timeout_s: float = 10.0


@contextmanager
def run_envoy(launch: Launch) -> Iterator[subprocess.Popen[bytes]]:
    """Run Envoy: listening on entry, ended on exit.

    Raises:
        LaunchError: if the address is taken, or Envoy cannot run, ends, or does not listen in time.
    """
    process = start_envoy(launch)
    try:
        yield process
    finally:
        stop_envoy(process)


def start_envoy(launch: Launch) -> subprocess.Popen[bytes]:
    """Start Envoy and wait until it listens; the caller ends it with `stop_envoy`.

    Raises:
        LaunchError: if the address is taken, or Envoy cannot run, ends, or does not listen in time.
    """
    if _is_taken(launch.listener):
        raise LaunchError(f"`{launch.listener.host}:{launch.listener.port}` is in use")
    process = _spawn(launch)
    try:
        _await_listening(process, launch)
    except BaseException:
        # An interrupt while waiting must not leave an Envoy behind.
        stop_envoy(process)
        raise
    return process


def stop_envoy(process: subprocess.Popen[bytes]) -> None:
    """End Envoy: politely, then at once; safe to repeat."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _spawn(launch: Launch) -> subprocess.Popen[bytes]:
    with launch.log_file.open("wb") as log:
        try:
            return subprocess.Popen(  # noqa: S603  our own arguments, no shell
                _arguments(launch), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
        except OSError as exc:
            raise LaunchError(f"cannot run `{launch.binary}`: {exc.strerror}") from exc


def _arguments(launch: Launch) -> list[str]:
    return [
        str(launch.binary),
        "--config-path",
        str(launch.config_file),
        # Two Envoys on one machine would otherwise meet in one shared memory region.
        "--disable-hot-restart",
        "--concurrency",
        str(launch.workers),
        "--log-level",
        "warning",
        # Nothing in flight is worth waiting for when we end.
        "--drain-time-s",
        "1",
    ]


def _await_listening(process: subprocess.Popen[bytes], launch: Launch) -> None:
    deadline = time.monotonic() + launch.start_timeout_s
    while process.poll() is None:
        if _is_taken(launch.listener):
            return
        if time.monotonic() > deadline:
            raise LaunchError(f"Envoy does not listen after {launch.start_timeout_s:g} s{_tail(launch)}")
        time.sleep(_POLL_S)
    raise LaunchError(f"Envoy ended with code {process.returncode}{_tail(launch)}")


def _is_taken(address: TcpAddress) -> bool:
    try:
        with socket.create_connection((address.host, address.port), timeout=1.0):
            return True
    except OSError:
        return False


def _tail(launch: Launch) -> str:
    lines = launch.log_file.read_text(encoding="utf-8", errors="replace").splitlines()
    worst = [line for line in lines if "[critical]" in line or "[error]" in line] or lines
    return ": " + " | ".join(worst[-_LOG_TAIL:]) if worst else ""
