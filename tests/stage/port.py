"""Ports on loopback for processes that cannot be handed a socket: nobody else is given one in between."""

import socket
from collections import deque

HOST = "127.0.0.1"
# More than any test needs at once, and far fewer than a process may have open.
_KEPT = 200
_held: deque[socket.socket] = deque()


def reserve_port() -> int:
    """Reserve a port: whoever asks the kernel for any port, in any process, is given another one.

    A socket that is bound and does not listen holds it. A server with SO_REUSEADDR, which is each that we start, can
    still bind this very port, end and bind it again; until it does, connections are refused.
    """
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind((HOST, 0))
    _held.append(holder)
    if len(_held) > _KEPT:
        _held.popleft().close()
    return int(holder.getsockname()[1])


def reserve_address() -> str:
    """Reserve a port; host and port as configurations have them."""
    return f"{HOST}:{reserve_port()}"


def is_listening(port: int) -> bool:
    """True if a connection is accepted."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((HOST, port)) == 0
