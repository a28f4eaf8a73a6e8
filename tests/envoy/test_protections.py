"""Every protection in Envoy's configuration stops an attack that gets through without it, on the wire."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from agen_authz.envoy.model import EnvoyLimits
from tests.envoy.copies import (
    AnyCheck,
    Tree,
    as_rendered,
    authz,
    crm_routes,
    describe,
    manager,
    mutation,
    read_rendered,
    router,
    run_copies,
)
from tests.envoy.proc_protections import proc
from tests.envoy.protections import PROTECTIONS, name_changes
from tests.envoy.stand import CRM_HOST, Stand

pytestmark = pytest.mark.envoy

# What is rendered and is no protection of its own, or has its test elsewhere.
PLAIN = {
    *("@type", "name", "stat_prefix", "match", "cluster", "prefix_rewrite", "http_filters", "headers"),
    *("route", "route_config", "virtual_hosts", "common_http_protocol_options"),
    "allow_all_routing",  # false, which is Envoy's default; `decoder_header_mutation_rules` has the attack
    "grpc_service",  # its timeout: test_failures.py
    "http2_protocol_options",  # windows and streams: tests/stress
    "idle_timeout",  # an idle connection holds one place among `connections`
    "max_denied_response_body_bytes",  # our own answers: tests/check/test_answers.py
    "timeout",  # none, for event streams; `max_stream_duration` ends them
    *("proc @type", "proc grpc_service", "proc stat_prefix"),
    # What Process is sent and may change, and in what time: test_process.py
    *("proc processing_mode", "proc message_timeout", "proc mutation_rules", "proc metadata_options"),
    "proc allow_content_length_header",  # for what passes as it is; a length that is not the body's is 502
    "proc route_cache_action",  # nothing is asked before the route is taken: request headers are not sent
    "typed_per_filter_config",  # `disable_request_body_buffering`, `direct_response`
}


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Stand]]:
    """Run the rendered listener, and one without each protection."""
    with run_copies(tmp_path_factory.mktemp("envoy"), AnyCheck(), name_changes()) as stands:
        yield stands


@pytest.mark.parametrize("name", PROTECTIONS)
def test_protection_is_what_stops_the_attack(copies: dict[str, Stand], name: str) -> None:
    protection = PROTECTIONS[name]
    protected = copies.get(f"given {name}", copies["as rendered"])
    outcomes = (protection.attack(protected), protection.attack(copies[f"without {name}"]))
    assert outcomes == (protection.stopped, protection.gets_through)


def _written(listener: Tree) -> Iterator[str]:
    filter_settings = authz(listener)
    yield from manager(listener)
    yield from manager(listener)["common_http_protocol_options"]
    yield from manager(listener)["route_config"]
    yield from filter_settings
    yield from filter_settings["with_request_body"]
    yield from filter_settings["decoder_header_mutation_rules"]
    yield from mutation(listener)["mutations"]
    yield from router(listener)
    yield from (f"proc {key}" for key in proc(listener))
    for route in crm_routes(listener):
        yield from route
        yield from route["match"]
    yield from crm_routes(listener)[0]["route"]


def test_every_setting_that_is_rendered_is_attacked_or_said_to_be_plain() -> None:
    (listener,) = read_rendered(describe(1, Path("check.sock")))["static_resources"]["listeners"]
    assert {key for key in _written(listener) if key not in PROTECTIONS} - {"prefix"} == PLAIN


def _served(folder: Path, *, is_limited: bool) -> int:
    """Count who is served of four clients that stay connected, where two are allowed."""
    folder.mkdir()
    alive = f"GET /crm/mcp HTTP/1.1\r\nhost: {CRM_HOST}\r\nauthorization: Bearer t\r\n\r\n".encode()
    limits = EnvoyLimits(connections=2 if is_limited else 10_000)
    with ExitStack() as stack:
        stands = stack.enter_context(run_copies(folder, AnyCheck(), {"as rendered": as_rendered}, limits))
        served = 0
        for _ in range(4):
            connection = stack.enter_context(stands["as rendered"].connect())
            served += _is_served(connection, alive)
    return served


def _is_served(connection: socket.socket, raw: bytes) -> bool:
    try:
        connection.sendall(raw)
        return connection.recv(1 << 16).startswith(b"HTTP/1.1 200")
    except ConnectionError:
        return False


def test_connections_are_limited(tmp_path: Path) -> None:
    outcomes = (_served(tmp_path / "limited", is_limited=True), _served(tmp_path / "open", is_limited=False))
    assert outcomes == (2, 4)
