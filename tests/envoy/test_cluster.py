"""The cluster of Check: how many Checks one connection carries, which bounds what a storm of resets can break."""

import pytest
import yaml

from agen_authz.envoy.model import ClientTls, EnvoyRoute, Gateway, TcpAddress, UnixAddress, Upstream
from agen_authz.envoy.render import render_sidecar

OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
# h2, which the native engine is built on, takes as many resets before it ends a connection.
RESETS_TAKEN = 20


def checks_per_connection(authz: Upstream) -> int:
    route = EnvoyRoute("crm", frozenset({"crm"}), "/", upstream=Upstream(TcpAddress("crm", 80)), upstream_path="/")
    sidecar = Gateway(TcpAddress("127.0.0.1", 10000), (route,), authz, check_timeout_s=1.0, off_word="off")
    clusters = yaml.safe_load(render_sidecar(sidecar))["static_resources"]["clusters"]
    (options,) = (
        each["typed_extension_protocol_options"][OPTIONS] for each in clusters if each["name"] == "agen-authz"
    )
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
    assert checks_per_connection(authz) == expected


def test_no_connection_without_tls_carries_enough_calls_for_the_native_engine_to_end_it() -> None:
    assert checks_per_connection(Upstream(UnixAddress("/run/agen/authz.sock"))) <= RESETS_TAKEN // 2
