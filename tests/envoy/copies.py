"""One Envoy with the rendered listener, and copies of it that each lack one protection: what a removal lets in."""

import socket
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import yaml
from envoy_data_plane.envoy.service.auth.v3 import CheckRequest

from agen_authz.envoy.binary import find_binary
from agen_authz.envoy.model import EnvoyLimits, EnvoyRoute, Gateway, TcpAddress, UnixAddress, Unusable, Upstream
from agen_authz.envoy.render import render_sidecar
from agen_authz.envoy.run import Launch, run_envoy
from tests.envoy.stand import OFF_WORD, TIMEOUT_S, Asked, Backend, Check, Stand, crm, serve_backend
from tests.stage.port import HOST, reserve_port

Tree = dict[str, Any]
Change = Callable[[Tree], None]

GONE_HOST = "gone.example.com"
# The host of the resource that `tests.builders` describes, for a separate Check.
OUR_HOST = "mcp.example.com"
LIMITS = EnvoyLimits(request_bytes=1 << 16)


# ---- changes of a rendered listener ------------------------------------------------------------------


def manager(listener: Tree) -> Tree:
    """Get the settings of the HTTP connection manager."""
    settings: Tree = listener["filter_chains"][0]["filters"][0]["typed_config"]
    return settings


def http_filter(listener: Tree, name: str) -> Tree:
    """Get the settings of one HTTP filter."""
    named: dict[str, Tree] = {each["name"]: each["typed_config"] for each in manager(listener)["http_filters"]}
    return named[f"envoy.filters.http.{name}"]


def virtual_hosts(listener: Tree) -> list[Tree]:
    """Get the hosts; the first is the one of `crm`."""
    hosts: list[Tree] = manager(listener)["route_config"]["virtual_hosts"]
    return hosts


def crm_routes(listener: Tree) -> list[Tree]:
    """Get the routes of `crm`: forwarded, without a token, metadata twice, nowhere."""
    routes: list[Tree] = virtual_hosts(listener)[0]["routes"]
    return routes


def drop(find: Callable[[Tree], Tree], key: str) -> Change:
    """Take one setting out."""

    def change(listener: Tree) -> None:
        del find(listener)[key]

    return change


def put(find: Callable[[Tree], Tree], key: str, value: Any) -> Change:
    """Write one setting."""

    def change(listener: Tree) -> None:
        find(listener)[key] = value

    return change


def both(first: Change, second: Change) -> Change:
    """Make two changes."""

    def change(listener: Tree) -> None:
        first(listener)
        second(listener)

    return change


authz = partial(http_filter, name="ext_authz")
router = partial(http_filter, name="router")
mutation = partial(http_filter, name="header_mutation")


def as_rendered(_: Tree) -> None:
    """Change nothing."""


# ---- a Check that reads every form of a request -------------------------------------------------------


def read_any(raw: bytes) -> Asked:
    """Read a CheckRequest whatever the filter was told about headers and bodies."""
    attributes = CheckRequest.parse(raw).attributes
    assert attributes is not None and attributes.request is not None
    http = attributes.request.http
    assert http is not None
    headers = [(name, value.encode()) for name, value in http.headers.items()]
    if http.header_map is not None:
        headers = [(header.key, header.raw_value or header.value.encode()) for header in http.header_map.headers]
    return Asked(http.method, http.host, http.path, headers, http.raw_body or http.body.encode())


@dataclass
class AnyCheck(Check):
    """Answers as told; an answer that raises is a Check that fails."""

    def check(self, raw: bytes, _context: grpc.ServicerContext) -> bytes:
        asked = read_any(raw)
        self.asked.append(asked)
        return self.render(asked)


# ---- all of it -----------------------------------------------------------------------------------------


def describe(backend_port: int, check_socket: Path, limits: EnvoyLimits = LIMITS) -> Gateway:
    """Describe three resources: one for a Check as told, one for ours, one whose server is gone."""
    upstream, nothing = Upstream(TcpAddress(HOST, backend_port)), Upstream(TcpAddress(HOST, reserve_port()))
    ours = EnvoyRoute("ours", frozenset({OUR_HOST}), "/crm/mcp", upstream=upstream, upstream_path="/mcp")
    gone = EnvoyRoute("gone", frozenset({GONE_HOST}), "/mcp", upstream=nothing, upstream_path="/mcp")
    return Gateway(
        listener=TcpAddress(HOST, reserve_port()),
        resources=(crm(backend_port), ours, gone),
        authz=Upstream(UnixAddress(str(check_socket))),
        proc=Upstream(UnixAddress(str(check_socket.with_name("proc.sock")))),
        check_timeout_s=TIMEOUT_S,
        off_word=OFF_WORD,
        limits=limits,
    )


def read_rendered(sidecar: Gateway) -> Tree:
    """Render, and read what was rendered."""
    bootstrap: Tree = yaml.safe_load(render_sidecar(sidecar))
    return bootstrap


@contextmanager
def run_copies(
    folder: Path, check: Check, changes: Mapping[str, Change], limits: EnvoyLimits = LIMITS
) -> Iterator[dict[str, Stand]]:
    """Run one Envoy that has a listener for each change, over one Check and one backend."""
    binary = find_binary()
    assert not isinstance(binary, Unusable)
    backend, check_socket = Backend(), folder / "check.sock"
    with ExitStack() as stack:
        backend_port = stack.enter_context(serve_backend(backend))
        stack.enter_context(_serve_check(check, check_socket))
        bootstrap = read_rendered(describe(backend_port, check_socket, limits))
        _ask_once(bootstrap)
        (rendered,) = bootstrap["static_resources"]["listeners"]
        ports = {name: _hold_port(stack) for name in changes}
        listeners = [_copy(rendered, name, ports[name], change) for name, change in changes.items()]
        bootstrap["static_resources"]["listeners"] = listeners
        file = folder / "envoy.yaml"
        file.write_text(yaml.safe_dump(bootstrap), encoding="utf-8")
        # Envoy opens its listeners in their order: the last one stands for all.
        last = TcpAddress(HOST, ports[list(changes)[-1]])
        stack.enter_context(run_envoy(Launch(binary, file, last, folder / "envoy.log", start_timeout_s=30)))
        yield {name: Stand(port, check, backend) for name, port in ports.items()}


@contextmanager
def _serve_check(check: Check, path: Path) -> Iterator[None]:
    # A separate socket: gRPC servers share a port without a word.
    server = grpc.server(ThreadPoolExecutor(4))
    method: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(check.check)
    service = grpc.method_handlers_generic_handler("envoy.service.auth.v3.Authorization", {"Check": method})
    server.add_generic_rpc_handlers((service,))
    assert server.add_insecure_port(f"unix:{path}")
    server.start()
    try:
        yield
    finally:
        server.stop(None).wait()


def _ask_once(bootstrap: Tree) -> None:
    """Have no connection used twice: the backend closes each, and what meets its end is lost."""
    for cluster in bootstrap["static_resources"]["clusters"]:
        for options in cluster["typed_extension_protocol_options"].values():
            if "http_protocol_options" in options["explicit_http_config"]:
                options["common_http_protocol_options"]["max_requests_per_connection"] = 1


def _hold_port(stack: ExitStack) -> int:
    """Take a port that Envoy may share and nobody else gets; a socket that does not listen is sent nothing."""
    holder = stack.enter_context(socket.socket())
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    holder.bind((HOST, 0))
    port: int = holder.getsockname()[1]
    return port


def _copy(rendered: Tree, name: str, port: int, change: Change) -> Tree:
    listener = deepcopy(rendered)
    listener["name"] = name
    listener["enable_reuse_port"] = True
    listener["address"]["socket_address"]["port_value"] = port
    change(listener)
    return listener
