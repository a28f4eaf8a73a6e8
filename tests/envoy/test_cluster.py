"""The clusters of Check and Process: what one connection carries, which bounds what a storm of resets can break."""

from typing import Any

import pytest
import yaml

from agen_authz.envoy.model import Address, ClientTls, EnvoyRoute, Gateway, TcpAddress, UnixAddress, Upstream
from agen_authz.envoy.render import render_sidecar

OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
# h2, which the native engine is built on, takes as many resets before it ends a connection.
RESETS_TAKEN = 20


def settings_of(name: str, authz: Upstream, *more: Address) -> dict[str, Any]:
    route = EnvoyRoute("crm", frozenset({"crm"}), "/", upstream=Upstream(TcpAddress("crm", 80)), upstream_path="/")
    listener = TcpAddress("127.0.0.1", 10000)
    sidecar = Gateway(listener, (route,), authz, authz, check_timeout_s=1.0, off_word="off", more_proc=more)
    clusters = yaml.safe_load(render_sidecar(sidecar))["static_resources"]["clusters"]
    (cluster,) = (each for each in clusters if each["name"] == name)
    found: dict[str, Any] = cluster
    return found


def checks_per_connection(authz: Upstream, name: str = "agen-authz") -> int:
    options = settings_of(name, authz)["typed_extension_protocol_options"][OPTIONS]
    count: int = options["common_http_protocol_options"]["max_requests_per_connection"]
    return count


@pytest.mark.parametrize(
    ("authz", "expected"),
    [
        pytest.param(Upstream(UnixAddress("/run/agen/authz.sock")), 10, id="socket"),
        pytest.param(Upstream(TcpAddress("127.0.0.1", 9191)), 10, id="loopback"),
        pytest.param(Upstream(TcpAddress("10.0.0.7", 9191), ClientTls("10.0.0.7")), 50, id="TLS, which is grpcio"),
    ],
)
def test_a_connection_carries_a_bounded_number_of_checks(authz: Upstream, expected: int) -> None:
    counts = (checks_per_connection(authz), checks_per_connection(authz, "agen-proc"))
    assert counts == (expected, expected)


def test_no_connection_without_tls_carries_enough_calls_for_the_native_engine_to_end_it() -> None:
    assert checks_per_connection(Upstream(UnixAddress("/run/agen/authz.sock"))) <= RESETS_TAKEN // 2


def test_more_responses_may_be_inspected_at_once_than_envoy_allows_by_default() -> None:
    (thresholds,) = settings_of("agen-proc", Upstream(UnixAddress("/p")))["circuit_breakers"]["thresholds"]
    assert thresholds == {"max_connections": 10_000, "max_pending_requests": 10_000, "max_requests": 10_000}


def test_what_process_sends_ahead_is_bounded() -> None:
    cluster = settings_of("agen-proc", Upstream(UnixAddress("/p")))
    options = cluster["typed_extension_protocol_options"][OPTIONS]["explicit_http_config"]["http2_protocol_options"]
    assert options == {"initial_stream_window_size": 1 << 16, "initial_connection_window_size": 1 << 20}


def test_every_process_is_an_endpoint_and_is_left_out_while_it_does_not_serve() -> None:
    cluster = settings_of("agen-proc", Upstream(UnixAddress("/p.sock")), UnixAddress("/p-2.sock"))
    (locality,) = cluster["load_assignment"]["endpoints"]
    paths = [each["endpoint"]["address"]["pipe"]["path"] for each in locality["lb_endpoints"]]
    (check,) = cluster["health_checks"]
    assert paths == ["/p.sock", "/p-2.sock"]
    assert check["grpc_health_check"] == {"service_name": "envoy.service.ext_proc.v3.ExternalProcessor"}
    assert cluster["common_lb_config"] == {"healthy_panic_threshold": {"value": 1}}
    # A worker that is not used is asked as often: Envoy's own default is once a minute.
    assert check["no_traffic_interval"] == check["interval"] == "1s"


def test_an_only_process_and_check_have_no_health_check() -> None:
    only = Upstream(UnixAddress("/p.sock"))
    assert ["health_checks" in settings_of(name, only) for name in ("agen-proc", "agen-authz")] == [False, False]
