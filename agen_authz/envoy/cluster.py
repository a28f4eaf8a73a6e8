"""Envoy's clusters: the MCP servers, and the sidecar that answers Check and Process."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from envoy_data_plane.envoy.config.cluster.v3 import (
    CircuitBreakers,
    CircuitBreakersThresholds,
    Cluster,
    ClusterCommonLbConfig,
    ClusterDiscoveryType,
)
from envoy_data_plane.envoy.config.core import v3 as core
from envoy_data_plane.envoy.config.endpoint.v3 import (
    ClusterLoadAssignment,
    Endpoint,
    LbEndpoint,
    LocalityLbEndpoints,
)
from envoy_data_plane.envoy.extensions.transport_sockets.tls import v3 as tls
from envoy_data_plane.envoy.extensions.upstreams.http.v3 import (
    HttpProtocolOptions,
    HttpProtocolOptionsExplicitHttpConfig,
)
from envoy_data_plane.envoy.type.matcher.v3 import StringMatcher
from envoy_data_plane.envoy.type.v3 import Percent
from envoy_data_plane.google.protobuf import Any

from agen_authz.envoy.address import parse_ip
from agen_authz.envoy.model import (
    Address,
    ClientCertificate,
    ClientTls,
    EnvoyLimits,
    EnvoyRoute,
    TcpAddress,
    UnixAddress,
    Upstream,
)
from agen_authz.servers.engine import PROCESS_SERVICE

AUTHZ_CLUSTER = "agen-authz"
PROC_CLUSTER = "agen-proc"
_RESOURCE_PREFIX = "resource-"
_HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_SIDECAR_CONNECT_TIMEOUT = timedelta(milliseconds=500)
_RESOURCE_CONNECT_TIMEOUT = timedelta(seconds=2)
# uvicorn and Node close a connection after five idle seconds; a request that meets such a close is lost,
# because nothing is retried.
_RESOURCE_IDLE_TIMEOUT = timedelta(seconds=4)
# A client that aborts resets its Check. The native engine ends a connection that more than 20 resets reached
# before it took their calls, and every other Check on it fails: no connection ever carries so many
# (docs/adr/0008-storms-of-resets.md).
_CHECKS_PER_CONNECTION = 10
# With TLS it is grpcio, which ends none, and a handshake costs more than a Check.
_CHECKS_PER_TLS_CONNECTION = 50
# What Process may send ahead of Envoy, for one response and for all on a connection.
_STREAM_WINDOW, _CONNECTION_WINDOW = 1 << 16, 1 << 20

# A worker that ends is back within seconds (docs/processes.md): it is asked each second, used or not.
_HEALTH_INTERVAL, _HEALTH_TIMEOUT = timedelta(seconds=1), timedelta(seconds=1)
_PROC_HEALTH = core.HealthCheck(
    interval=_HEALTH_INTERVAL,
    no_traffic_interval=_HEALTH_INTERVAL,
    timeout=_HEALTH_TIMEOUT,
    unhealthy_threshold=1,
    healthy_threshold=1,
    grpc_health_check=core.HealthCheckGrpcHealthCheck(service_name=PROCESS_SERVICE),
)

# Envoy asks all, whether they serve or not, only if none does; its own default is less than half of them.
_ONE_IS_ENOUGH = ClusterCommonLbConfig(healthy_panic_threshold=Percent(value=1.0))


def resource_cluster(name: str) -> str:
    """Name the cluster of a resource, so that no resource can be called like the sidecar's own cluster."""
    return _RESOURCE_PREFIX + name


def build_resource_cluster(route: EnvoyRoute, limits: EnvoyLimits) -> Cluster:
    """Build the cluster of one MCP server: HTTP/1.1, without health checks, outlier detection or retries."""
    options = HttpProtocolOptions(
        common_http_protocol_options=core.HttpProtocolOptions(idle_timeout=_RESOURCE_IDLE_TIMEOUT),
        explicit_http_config=HttpProtocolOptionsExplicitHttpConfig(http_protocol_options=core.Http1ProtocolOptions()),
    )
    spoken = _Protocol("http/1.1", options, _RESOURCE_CONNECT_TIMEOUT)
    return _build_cluster(resource_cluster(route.name), route.upstream, spoken, limits)


def build_authz_cluster(authz: Upstream, limits: EnvoyLimits) -> Cluster:
    """Build the cluster of Check: HTTP/2, no keep-alive pings (grpcio counts them as abuse)."""
    checks = _CHECKS_PER_CONNECTION if authz.tls is None else _CHECKS_PER_TLS_CONNECTION
    options = HttpProtocolOptions(
        common_http_protocol_options=core.HttpProtocolOptions(max_requests_per_connection=checks),
        explicit_http_config=HttpProtocolOptionsExplicitHttpConfig(http2_protocol_options=core.Http2ProtocolOptions()),
    )
    spoken = _Protocol("h2", options, _SIDECAR_CONNECT_TIMEOUT)
    return _build_cluster(AUTHZ_CLUSTER, authz, spoken, limits)


def build_proc_cluster(proc: Upstream, more: tuple[Address, ...], limits: EnvoyLimits) -> Cluster:
    """Build the cluster of Process: each response that is inspected holds one request of it until it ends.

    With one Process there is no health check: Envoy asks the only one even if it is unhealthy. With several, one that
    does not serve is left out until it does.

    Args:
        more: where the second Process and those after it are.
    """
    streams = _CHECKS_PER_CONNECTION if proc.tls is None else _CHECKS_PER_TLS_CONNECTION
    windows = core.Http2ProtocolOptions(
        initial_stream_window_size=_STREAM_WINDOW, initial_connection_window_size=_CONNECTION_WINDOW
    )
    options = HttpProtocolOptions(
        common_http_protocol_options=core.HttpProtocolOptions(max_requests_per_connection=streams),
        explicit_http_config=HttpProtocolOptionsExplicitHttpConfig(http2_protocol_options=windows),
    )
    spoken = _Protocol("h2", options, _SIDECAR_CONNECT_TIMEOUT)
    checks = [_PROC_HEALTH] if more else []
    return _build_cluster(PROC_CLUSTER, proc, spoken, limits, more=more, health_checks=checks)


@dataclass(frozen=True, slots=True)
class _Protocol:
    alpn: str
    options: HttpProtocolOptions
    connect_timeout: timedelta


def _build_cluster(
    name: str,
    upstream: Upstream,
    spoken: _Protocol,
    limits: EnvoyLimits,
    *,
    more: tuple[Address, ...] = (),
    health_checks: Sequence[core.HealthCheck] = (),
) -> Cluster:
    return Cluster(
        name=name,
        type=_discovery(upstream.address),
        health_checks=list(health_checks),
        common_lb_config=_ONE_IS_ENOUGH if health_checks else None,
        connect_timeout=spoken.connect_timeout,
        circuit_breakers=_circuit_breakers(limits),
        typed_extension_protocol_options={_HTTP_OPTIONS: Any.pack(spoken.options)},
        load_assignment=_assignment(name, (upstream.address, *more)),
        transport_socket=None if upstream.tls is None else _tls_socket(upstream.tls, spoken.alpn),
    )


def _discovery(address: Address) -> ClusterDiscoveryType:
    if isinstance(address, UnixAddress) or parse_ip(address.host) is not None:
        return ClusterDiscoveryType.STATIC
    return ClusterDiscoveryType.STRICT_DNS


def _circuit_breakers(limits: EnvoyLimits) -> CircuitBreakers:
    # Envoy's own 1024 would be used up by as many open event streams.
    thresholds = CircuitBreakersThresholds(
        max_connections=limits.requests,
        max_pending_requests=limits.requests,
        max_requests=limits.requests,
    )
    return CircuitBreakers(thresholds=[thresholds])


def _assignment(name: str, addresses: Sequence[Address]) -> ClusterLoadAssignment:
    endpoints = [LbEndpoint(endpoint=Endpoint(address=build_address(address))) for address in addresses]
    return ClusterLoadAssignment(cluster_name=name, endpoints=[LocalityLbEndpoints(lb_endpoints=endpoints)])


def build_address(address: Address) -> core.Address:
    """Build Envoy's form of an address."""
    if isinstance(address, TcpAddress):
        return core.Address(socket_address=core.SocketAddress(address=address.host, port_value=address.port))
    return core.Address(pipe=core.Pipe(path=address.path))


def _tls_socket(client: ClientTls, alpn: str) -> core.TransportSocket:
    context = tls.UpstreamTlsContext(
        # An IP address is not a server name (RFC 6066 section 3).
        sni=client.server_name if parse_ip(client.server_name) is None else "",
        common_tls_context=tls.CommonTlsContext(
            tls_params=tls.TlsParameters(tls_minimum_protocol_version=tls.TlsParametersTlsProtocol.TLSv1_2),
            tls_certificates=[] if client.certificate is None else [_certificate(client.certificate)],
            validation_context=_validation(client),
            alpn_protocols=[alpn],
        ),
    )
    return core.TransportSocket(name="envoy.transport_sockets.tls", typed_config=Any.pack(context))


def _certificate(certificate: ClientCertificate) -> tls.TlsCertificate:
    return tls.TlsCertificate(
        certificate_chain=core.DataSource(filename=certificate.cert_file),
        private_key=core.DataSource(filename=certificate.key_file),
    )


def _validation(client: ClientTls) -> tls.CertificateValidationContext:
    kinds = tls.SubjectAltNameMatcherSanType
    name = tls.SubjectAltNameMatcher(
        san_type=kinds.DNS if parse_ip(client.server_name) is None else kinds.IP_ADDRESS,
        matcher=StringMatcher(exact=client.server_name),
    )
    return tls.CertificateValidationContext(
        trusted_ca=core.DataSource(filename=client.ca_file), match_typed_subject_alt_names=[name]
    )
