"""A stand for one Envoy: a Check that records and answers as told, a backend likewise, and a raw client."""

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any

import grpc
from envoy_data_plane.envoy.config.core.v3 import (
    HeaderValue,
    HeaderValueOption,
    HeaderValueOptionHeaderAppendAction,
)
from envoy_data_plane.envoy.service.auth.v3 import (
    CheckRequest,
    CheckResponse,
    DeniedHttpResponse,
    OkHttpResponse,
)
from envoy_data_plane.envoy.type.v3 import HttpStatus, StatusCode
from envoy_data_plane.google.protobuf import Struct
from envoy_data_plane.google.rpc import Status

from agen_authz.envoy.model import Address, EnvoyLimits, EnvoyRoute, Gateway, TcpAddress, Upstream
from agen_authz.envoy.run import run_envoy
from tests.stage.envoy import launch_envoy
from tests.stage.port import HOST, reserve_port

CRM_HOST = "crm.example.com"
TIMEOUT_S = 10
OFF_WORD = "off-0123456789abcdef"
DEFAULT_LIMITS = EnvoyLimits()
# It says that it closes: a request on a connection that was closed without a word would be lost with it.
PLAIN_ANSWER = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok"


# ---- Check -------------------------------------------------------------------------------------------


def allow(**fields: Any) -> CheckResponse:
    """Say yes; the fields are those of OkHttpResponse."""
    return CheckResponse(status=Status(code=0), ok_response=OkHttpResponse(**fields))


def deny(status: StatusCode, headers: dict[str, str], body: str = "") -> CheckResponse:
    """Say no."""
    options = [HeaderValueOption(header=HeaderValue(key=key, value=value)) for key, value in headers.items()]
    denied = DeniedHttpResponse(status=HttpStatus(code=status), headers=options, body=body)
    return CheckResponse(status=Status(code=7), denied_response=denied)


def overwrite(name: str, value: str) -> HeaderValueOption:
    """Set a header, whoever sent one of that name."""
    action = HeaderValueOptionHeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD
    return HeaderValueOption(header=HeaderValue(key=name, value=value), append_action=action)


@dataclass(frozen=True)
class Asked:
    """What Check was asked."""

    method: str
    host: str
    path: str
    headers: list[tuple[str, bytes]]
    body: bytes

    def values(self, name: str) -> list[bytes]:
        return [value for key, value in self.headers if key == name]


def read_asked(raw: bytes) -> Asked:
    attributes = CheckRequest.parse(raw).attributes
    assert attributes is not None and attributes.request is not None
    http = attributes.request.http
    assert http is not None and http.header_map is not None
    headers = [(header.key, header.raw_value or header.value.encode()) for header in http.header_map.headers]
    assert not http.body
    return Asked(http.method, http.host, http.path, headers, http.raw_body)


@dataclass
class Check:
    """Answers as told, and remembers what it was asked."""

    answer: Callable[[Asked], CheckResponse] = lambda _: allow()
    asked: list[Asked] = field(default_factory=list)
    inspect: str | None = OFF_WORD

    def check(self, raw: bytes, _context: grpc.ServicerContext) -> bytes:
        asked = read_asked(raw)
        self.asked.append(asked)
        return self.render(asked)

    def render(self, asked: Asked) -> bytes:
        """Answer, and say in metadata that no inspection is needed."""
        response = self.answer(asked)
        if self.inspect is not None and response.dynamic_metadata is None:
            response = replace(response, dynamic_metadata=Struct.from_dict({"agen.inspect": self.inspect}))
        return bytes(response)


@contextmanager
def serve_check(check: Check, port: int, credentials: grpc.ServerCredentials | None = None) -> Iterator[None]:
    """Serve Check on loopback."""
    server = grpc.server(ThreadPoolExecutor(4), options=[("grpc.max_receive_message_length", 4 << 20)])
    method: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(check.check)
    service = grpc.method_handlers_generic_handler("envoy.service.auth.v3.Authorization", {"Check": method})
    server.add_generic_rpc_handlers((service,))
    if credentials is None:
        assert server.add_insecure_port(f"{HOST}:{port}") == port
    else:
        assert server.add_secure_port(f"{HOST}:{port}", credentials) == port
    server.start()
    try:
        yield
    finally:
        server.stop(None).wait()


# ---- the backend -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Arrived:
    """What the backend got."""

    line: str
    headers: list[tuple[str, str]]
    body: bytes

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]


@dataclass
class Backend:
    """Answers raw bytes, one piece after the other, and remembers what arrived."""

    pieces: Callable[[], Iterator[bytes]] = lambda: iter([PLAIN_ANSWER])
    arrived: list[Arrived] = field(default_factory=list)

    def serve_one(self, stream: StreamRequestHandler) -> None:
        line = stream.rfile.readline().decode().strip()
        headers = []
        while row := stream.rfile.readline().decode("latin-1").strip():
            name, _, value = row.partition(":")
            headers.append((name.lower(), value.strip()))
        arrived = Arrived(line, headers, _read_body(stream, dict(headers)))
        if line:
            self.arrived.append(arrived)
            for piece in self.pieces():
                stream.wfile.write(piece)


def _read_body(stream: StreamRequestHandler, headers: dict[str, str]) -> bytes:
    if "chunked" not in headers.get("transfer-encoding", ""):
        return stream.rfile.read(int(headers.get("content-length", "0")))
    body = b""
    while size := int(stream.rfile.readline(), 16):
        body += stream.rfile.read(size)
        stream.rfile.readline()
    while trailer := stream.rfile.readline().strip():
        body += b"TRAILER " + trailer
    return body


@contextmanager
def serve_backend(backend: Backend) -> Iterator[int]:
    """Serve the backend on loopback, one request on each connection."""

    class Connection(StreamRequestHandler):
        def handle(self) -> None:
            try:
                backend.serve_one(self)
            except ConnectionError:
                pass  # Envoy went away, which is what some tests are about

    with ThreadingTCPServer((HOST, 0), Connection) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


# ---- the client --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Reply:
    """What the client got; `raw` is every byte of it."""

    raw: bytes

    @property
    def status(self) -> int:
        return int(self.raw.split(b" ", 2)[1])

    @property
    def headers(self) -> dict[str, str]:
        rows = self.raw.split(b"\r\n\r\n", 1)[0].decode().split("\r\n")[1:]
        return {name.lower(): value.strip() for name, _, value in (row.partition(":") for row in rows)}

    @property
    def body(self) -> bytes:
        return self.raw.split(b"\r\n\r\n", 1)[1]


def request(
    method: str,
    path: str,
    *,
    host: str = CRM_HOST,
    token: bool = True,
    headers: tuple[str, ...] = (),
    body: bytes = b"",
) -> bytes:
    """Write a request down; the connection ends with it."""
    rows = [f"{method} {path} HTTP/1.1", f"host: {host}", "connection: close", *headers]
    if token:
        rows.append("authorization: Bearer t")
    if body:
        rows.append(f"content-length: {len(body)}")
    return "\r\n".join(rows).encode("latin-1") + b"\r\n\r\n" + body


def chunked(*chunks: bytes, trailer: bytes = b"") -> bytes:
    """Write a chunked body down."""
    rows = [b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks]
    return b"".join(rows) + b"0\r\n" + trailer + b"\r\n"


@dataclass
class Stand:
    """One Envoy and what stands around it."""

    port: int
    check: Check
    backend: Backend

    def reset(self) -> None:
        """Forget what the last test asked and told."""
        self.check.answer = lambda _: allow()
        self.check.inspect = OFF_WORD
        self.backend.pieces = lambda: iter([PLAIN_ANSWER])
        self.check.asked.clear()
        self.backend.arrived.clear()

    def send(self, raw: bytes) -> Reply:
        """Send bytes and read one answer, or until Envoy closes."""
        received = b""
        with self.connect() as connection:
            sender = threading.Thread(target=_send, args=(connection, raw))
            sender.start()
            for piece in read_pieces(connection):
                received += piece
                if _is_complete(received):
                    break
            connection.shutdown(socket.SHUT_RDWR)
            sender.join()
        return Reply(received)

    def connect(self) -> socket.socket:
        return socket.create_connection((HOST, self.port), timeout=TIMEOUT_S)


def _send(connection: socket.socket, raw: bytes) -> None:
    try:
        connection.sendall(raw)
    except ConnectionError:
        pass  # answered before all was read: the answer is what counts


def _is_complete(received: bytes) -> bool:
    """True if the last answer in `received` is whole: Envoy takes its time to close."""
    head, mark, body = received.partition(b"\r\n\r\n")
    if not mark or head.startswith(b"HTTP/1.1 1"):
        return bool(mark) and _is_complete(body)
    if b"transfer-encoding: chunked" in head:
        return body.endswith(b"0\r\n\r\n")
    return len(body) == int(Reply(received).headers.get("content-length", "0"))


def read_pieces(connection: socket.socket) -> Iterator[bytes]:
    """Read what comes, as it comes, until the end."""
    try:
        while piece := connection.recv(1 << 16):
            yield piece
    except ConnectionError:
        return


# ---- all of it ---------------------------------------------------------------------------------------


def crm(backend_port: int) -> EnvoyRoute:
    """Describe a resource alone on its host, rewritten on its way."""
    upstream = Upstream(TcpAddress(HOST, backend_port))
    authorities = frozenset({CRM_HOST, f"{CRM_HOST}:443"})
    return EnvoyRoute("crm", authorities, "/crm/mcp", upstream=upstream, upstream_path="/mcp")


@contextmanager
def run_stand(
    folder: Path,
    *,
    routes: Callable[[int], tuple[EnvoyRoute, ...]] = lambda port: (crm(port),),
    limits: EnvoyLimits = DEFAULT_LIMITS,
    check_timeout_s: float = TIMEOUT_S,
    has_check: bool = True,
    proc: Upstream | None = None,
    more_proc: tuple[Address, ...] = (),
    changed: Callable[[str], str] = str,
) -> Iterator[Stand]:
    """Run Envoy between a Check and a backend; `changed` changes its rendered configuration."""
    check, backend, check_port = Check(), Backend(), reserve_port()
    with ExitStack() as stack:
        backend_port = stack.enter_context(serve_backend(backend))
        if has_check:
            stack.enter_context(serve_check(check, check_port))
        sidecar = Gateway(
            listener=TcpAddress(HOST, reserve_port()),
            resources=routes(backend_port),
            authz=Upstream(TcpAddress(HOST, check_port)),
            proc=proc or Upstream(TcpAddress(HOST, reserve_port())),
            check_timeout_s=check_timeout_s,
            off_word=OFF_WORD,
            limits=limits,
            more_proc=more_proc,
        )
        stack.enter_context(run_envoy(launch_envoy(folder, sidecar, changed=changed)))
        yield Stand(sidecar.listener.port, check, backend)
