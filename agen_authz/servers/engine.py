"""The gRPC servers that answer Check, and where they listen; both engines serve the same function of bytes.

Process has its own (`process_engine.py`): it answers streams, and only grpcio serves those.

`native` (pygrpc-native, HTTP/2 in Rust) serves loopback and Unix sockets without TLS; `grpcio` serves every
address, with mutual TLS where it is configured. docs/adr/0004-two-engines.md says why there are two.
"""

import os
import socket
import stat
from collections.abc import Coroutine, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from agen_authz.core.errors import ConfigError, Problem
from agen_authz.core.http.loopback import is_loopback_address
from agen_authz.core.reason import Reason

CHECK_METHOD = "/envoy.service.auth.v3.Authorization/Check"
CHECK_SERVICE = "envoy.service.auth.v3.Authorization"
PROCESS_SERVICE = "envoy.service.ext_proc.v3.ExternalProcessor"
HEALTH_SERVICE = "grpc.health.v1.Health"
_SOCKET_UMASK = 0o117
# Room for the headers and the framing around the largest body.
_ENVELOPE_BYTES = 256 * 1024


class Decider(Protocol):
    """What an engine hands calls to."""

    def find_caller(self, raw: bytes) -> Hashable:
        """Find the caller without reading the call, to share time and places fairly; None if it is not known."""

    def check(self, raw: bytes, remaining_s: float | None) -> Coroutine[Any, Any, bytes]:
        """Decide a call; if no time is left, refuse it without reading it."""

    def refuse(self, reason: Reason) -> Coroutine[Any, Any, bytes]:
        """Refuse a call without reading it."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files of a listener that asks every client for a certificate."""

    cert_file: Path
    key_file: Path
    client_ca_file: Path


@dataclass(frozen=True, slots=True)
class Listener:
    """Where Check or Process listens (`host:port` or `unix:///path`) and what it takes.

    Args:
        body_bytes: the largest body that is read.
        in_flight: how many calls may wait to be decided; that many are also the most that one connection carries.
        setting: the key of the configuration that names the address.
    """

    address: str
    body_bytes: int
    in_flight: int
    tls: TlsFiles | None = None
    setting: str = "server.authz"

    @property
    def message_bytes(self) -> int:
        """The largest message that is read; a larger one is refused by the engine."""
        return self.body_bytes + _ENVELOPE_BYTES

    @property
    def socket_path(self) -> Path | None:
        """The file of a Unix socket; None for TCP."""
        return Path(self.address.removeprefix("unix://")) if self.address.startswith("unix:") else None


class Engine(Protocol):
    """A gRPC server with Check and grpc.health.v1 on one socket."""

    async def start(self) -> None:
        """Listen, and answer NOT_SERVING until `set_serving`.

        Raises:
            ConfigError: the address cannot be listened on.
        """

    async def set_serving(self, is_serving: bool) -> None:
        """Set what grpc.health.v1 reports to its callers and watchers: whether new calls are accepted."""

    def count_in_flight(self) -> int:
        """Count the calls that have begun and wait for something."""

    async def stop(self, grace_s: float) -> None:
        """Take no new calls, wait for those in flight at most `grace_s` seconds, close the socket."""


def is_local(address: str) -> bool:
    """True if only this machine can reach an address: a Unix socket, or an IP address on loopback."""
    if address.startswith("unix:"):
        return True
    return is_loopback_address(address.rpartition(":")[0].strip("[]"))


def refuse_address(listener: Listener, why: str) -> ConfigError:
    """Build the error for an address that cannot be listened on."""
    message = f"cannot listen on `{listener.address}`: {why}"
    cure = f"end the other process, or choose another address under `{listener.setting}`"
    return ConfigError((Problem("server", None, listener.setting, message, cure),))


@contextmanager
def claimed(listener: Listener) -> Iterator[str]:
    """Make an address ready to be bound, and yield it as gRPC spells it.

    A Unix socket without a listener is removed; a socket that is bound inside the block gets mode 0660.
    """
    path = listener.socket_path
    if path is None:
        _refuse_taken_port(listener)
        yield listener.address
        return
    _remove_stale_socket(path, listener)
    before = os.umask(_SOCKET_UMASK)
    try:
        yield f"unix:{path}"
    finally:
        os.umask(before)


def _refuse_taken_port(listener: Listener) -> None:
    # Engines may share a port (SO_REUSEPORT): two sidecars would then answer in turn with two configurations.
    host, _, port = listener.address.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host.strip("[]"), int(port)))
        except OSError as exc:
            raise refuse_address(listener, exc.strerror or "not available") from exc


def _remove_stale_socket(path: Path, listener: Listener) -> None:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return
    except OSError as exc:
        raise refuse_address(listener, exc.strerror or "not available") from exc
    if not stat.S_ISSOCK(mode):
        raise refuse_address(listener, "the path is not a socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return
        except OSError as exc:
            raise refuse_address(listener, exc.strerror or "not available") from exc
    raise refuse_address(listener, "another process listens there")
