"""Clients that abort while Check decides, next to good calls.

`python -m bench.storm` measures them; what came out is in docs/adr/0008-storms-of-resets.md.

Every aborted call resets its stream towards the sidecar. An HTTP/2 server that is sent many resets at once may end
the connection, and with it the Checks of all others.
"""

import json
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path

import yaml

from agen_authz.envoy.model import TcpAddress, Upstream
from agen_authz.envoy.run import run_envoy
from agen_authz.envoy.settings import Placement
from tests.stage.envoy import launch_envoy, sidecar_of
from tests.stage.port import HOST, reserve_port
from tests.stage.setting import Setting, listening, running_issuer, serving, write_call

CALLERS, SECONDS, CALM_S = 4, 4.0, 0.5
# What was begun in the storm has ended so long after it.
SETTLED_S = 0.5
# Calls that are begun and given up at once: several times what a server takes on one connection.
BURST = 64
_TIMEOUT_S = 10.0
_PAUSE_S = 0.001
_OK, _UNAUTHORIZED, _UNAVAILABLE = 200, 401, 503
_CLUSTER, _OPTIONS = "agen-authz", "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_COUNTED = {
    "resets": f"cluster.{_CLUSTER}.upstream_rq_tx_reset",
    "goaways": f"cluster.{_CLUSTER}.upstream_cx_close_notify",
    "broken": f"cluster.{_CLUSTER}.upstream_cx_destroy_with_active_rq",
    "conns": f"cluster.{_CLUSTER}.upstream_cx_total",
    "errors": "http.mcp.ext_authz.agen.error",
    "forwarded": "cluster.resource-crm.upstream_rq_total",
}


@dataclass(frozen=True, slots=True)
class Answered:
    """A call that was waited for: when it ended, with which status (0: none), and how long it took."""

    ended: float
    status: int
    taken_ms: float


@dataclass(frozen=True, slots=True)
class Storm:
    """What became of the calls next to it, how many were aborted, and what Envoy counted.

    Args:
        good: good calls that ended in the storm or within `SETTLED_S`; `lost` of them were not answered 200.
        lost_in_calm: good calls that were lost later.
        let_in: calls without a token that were not turned away, and calls that the backend got beyond the good ones.
    """

    good: int
    lost: int
    lost_in_calm: int
    let_in: int
    p50_ms: float
    worst_ms: float
    counts: dict[str, int]

    @property
    def lost_share(self) -> float:
        """The part of the good calls that was lost."""
        return self.lost / self.good


# ---- the clients that abort ----------------------------------------------------------------------------------


def _open(port: int) -> socket.socket:
    held = socket.create_connection((HOST, port), timeout=_TIMEOUT_S)
    held.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return held


def _close_at_once(port: int, raw: bytes) -> int:
    """Send whole calls on their own connections, and close each before it is answered."""
    for each in [_open(port) for _ in range(BURST)]:
        with each:
            each.sendall(raw)
    return BURST


def _close_later(port: int, raw: bytes) -> int:
    """Send whole calls on their own connections, and reset them when Check has some of them in hand."""
    opened = [_open(port) for _ in range(BURST)]
    for each in opened:
        each.sendall(raw)
    time.sleep(_PAUSE_S)
    for each in opened:
        each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        each.close()
    return BURST


def _reset_streams(port: int, raw: bytes) -> int:
    """Begin and reset streams of one HTTP/2 connection, all in one write."""
    head, _, body = raw.partition(b"\r\n\r\n")
    block = _header_block(head.decode("ascii").split("\r\n"))
    sent = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", _frame(4, 0, 0, b"")]
    for stream in range(1, 2 * BURST, 2):
        sent += [_frame(1, 4, stream, block), _frame(0, 1, stream, body), _frame(3, 0, stream, b"\0\0\0\x08")]
    with _open(port) as held:
        held.sendall(b"".join(sent))
        # Envoy's settings: it has begun to read.
        held.recv(1)
    return BURST


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """Write a frame down (RFC 9113 section 4.1)."""
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


def _header_block(rows: list[str]) -> bytes:
    """Write the rows of an HTTP/1.1 request as literals that no table keeps (RFC 7541 section 6.2.2)."""
    method, path, _ = rows[0].split(" ")
    fields = dict(row.split(": ", 1) for row in rows[1:])
    named = {":method": method, ":scheme": "http", ":authority": fields.pop("host"), ":path": path} | fields
    return b"".join(b"\0" + _literal(name) + _literal(value) for name, value in named.items())


def _literal(text: str) -> bytes:
    """Write a string of less than 255 bytes, not compressed (RFC 7541 sections 5.1 and 5.2)."""
    raw = text.encode("ascii")
    size = len(raw)
    return (bytes((size,)) if size < 0x7F else bytes((0x7F, size - 0x7F))) + raw


KINDS: dict[str, Callable[[int, bytes], int]] = {
    "closed at once": _close_at_once,
    "reset later": _close_later,
    "HTTP/2 resets": _reset_streams,
}


def abort_for(kind: str, port: int, seconds: float) -> int:
    """Abort calls without a token, one burst after the other; how many."""
    raw, ends, aborted = write_call(Setting(Path(), 0, 0, port, ""), None), time.monotonic() + seconds, 0
    while time.monotonic() < ends:
        try:
            aborted += KINDS[kind](port, raw)
        except OSError:
            # Envoy turns a client away that resets too much: the next burst comes on a new connection.
            continue
    return aborted


# ---- the clients that wait -----------------------------------------------------------------------------------


def call_until(setting: Setting, token: str | None, ends: float) -> list[Answered]:
    """Make calls on a connection that is kept, until a moment."""
    raw, seen = write_call(setting, token), []
    held = _open(setting.envoy_port)
    while time.monotonic() < ends:
        started = time.perf_counter()
        status = _ask(held, raw)
        seen.append(Answered(time.monotonic(), status, (time.perf_counter() - started) * 1e3))
        if status == 0:
            held.close()
            held = _open(setting.envoy_port)
    held.close()
    return seen


def _ask(held: socket.socket, raw: bytes) -> int:
    try:
        held.sendall(raw)
        response = HTTPResponse(held, method="POST")
        response.begin()
        response.read()
    except (OSError, HTTPException):
        return 0
    return response.status


# ---- all of it -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stage:
    """An Envoy with its admin interface, before a sidecar on a Unix socket."""

    setting: Setting
    admin_port: int

    def read_counts(self) -> dict[str, int]:
        """Read what Envoy counted."""
        connection = HTTPConnection(HOST, self.admin_port, timeout=_TIMEOUT_S)
        connection.request("GET", "/stats?format=json&filter=agen|resource-crm")
        rows = json.loads(connection.getresponse().read())["stats"]
        connection.close()
        counted = {row["name"]: row["value"] for row in rows if "value" in row}
        return {name: counted.get(stat, 0) for name, stat in _COUNTED.items()}


@contextmanager
def staged(
    engine: str,
    changed: Callable[[str], str] = str,
    *,
    configured: Callable[[str, Path], str] = lambda text, _: text,
    events: int = subprocess.DEVNULL,
) -> Iterator[Stage]:
    """Run a sidecar on an engine, and Envoy before it with our configuration, or with that `changed`.

    Args:
        changed: changes Envoy's configuration.
        configured: changes the sidecar's, which is in a folder.
        events: what the sidecar's events are written to.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="agen-bench-")))
        setting = stack.enter_context(running_issuer(folder))
        text = setting.config_file.read_text("utf-8")
        text = text.replace("shutdown_grace: 1s", f"shutdown_grace: 1s, engine: {engine}")
        text = text.replace(f"{HOST}:{setting.authz_port}", f"unix://{folder}/authz.sock")
        setting.config_file.write_text(configured(text, folder), "utf-8")
        backend_port, admin_port = reserve_port(), reserve_port()
        stack.enter_context(listening("tests.stage.backend", str(backend_port)))
        stack.enter_context(serving(setting, events))
        placement = Placement(
            listener=TcpAddress(HOST, setting.envoy_port),
            admin=TcpAddress(HOST, admin_port),
            upstreams={"crm": Upstream(TcpAddress(HOST, backend_port))},
        )
        launch = launch_envoy(folder, sidecar_of(setting.config_file, placement), changed=changed)
        stack.enter_context(run_envoy(launch))
        yield Stage(setting, admin_port)


def unbounded(text: str) -> str:
    """Take out of a rendered configuration how many Checks one connection carries."""
    tree = yaml.safe_load(text)
    (cluster,) = (each for each in tree["static_resources"]["clusters"] if each["name"] == _CLUSTER)
    del cluster["typed_extension_protocol_options"][_OPTIONS]["common_http_protocol_options"]
    return yaml.safe_dump(tree)


def measure(stage: Stage, kind: str, seconds: float = SECONDS) -> Storm:
    """Make good calls, and some without a token, in a storm and in the calm after it.

    Those who abort are a separate process.
    """
    before, setting = stage.read_counts(), stage.setting
    command = [sys.executable, "-m", "tests.stage.storm", kind, str(setting.envoy_port), str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as crowd, ThreadPoolExecutor(CALLERS + 1) as pool:
        assert crowd.stdout is not None and crowd.stdout.readline()
        calm = time.monotonic() + seconds + SETTLED_S
        ends = calm + CALM_S
        parts = [pool.submit(call_until, setting, setting.token, ends) for _ in range(CALLERS)]
        strangers = pool.submit(call_until, setting, None, ends).result()
        good = [each for part in parts for each in part.result()]
        aborted = int(crowd.stdout.readline())
    after = stage.read_counts()
    counts = {name: after[name] - before[name] for name in after} | {"aborted": aborted}
    return sum_up(good, strangers, calm, counts)


def sum_up(good: list[Answered], strangers: list[Answered], calm: float, counts: dict[str, int]) -> Storm:
    """Tell what is lost from what is not; `calm` is when the storm is over."""
    stormy = [each for each in good if each.ended <= calm]
    assert stormy, "no good call ended in the storm"
    lost = [each.ended for each in good if each.status != _OK]
    not_refused = sum(each.status not in (_UNAUTHORIZED, _UNAVAILABLE) for each in strangers)
    times = sorted(each.taken_ms for each in stormy)
    return Storm(
        good=len(stormy),
        lost=sum(ended <= calm for ended in lost),
        lost_in_calm=sum(ended > calm for ended in lost),
        let_in=not_refused + counts["forwarded"] - (len(good) - len(lost)),
        p50_ms=times[len(times) // 2],
        worst_ms=times[-1],
        counts=counts,
    )


def _crowd(kind: str, port: int, seconds: float) -> None:
    """Be those who abort: says when they begin, and how many calls it were."""
    print("begun", flush=True)
    print(abort_for(kind, port, seconds), flush=True)


if __name__ == "__main__":
    _crowd(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
