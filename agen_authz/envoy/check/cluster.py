"""Clusters: how they are spoken to, and how much one connection carries."""

from agen_authz.envoy.check.sheet import Sheet
from agen_authz.envoy.check.source import canonical
from agen_authz.envoy.check.spot import Spot, typed

_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_WITH_TRAILERS = ("http2_protocol_options", "http3_protocol_options")
_NEGOTIATED = ("auto_config", "use_downstream_protocol_config")
# Measured in docs/adr/0008-storms-of-resets.md: more on one connection, and aborted calls cost others theirs.
_MAX_CHECKS, _MAX_CHECKS_TLS = 20.0, 50.0
# What Envoy allows if nothing is written; each open response holds one request to Process.
_ENVOYS_REQUESTS = 1024.0


def read_options(cluster: Spot) -> Spot:
    """Read what a cluster says about HTTP."""
    return typed(cluster.at("typed_extension_protocol_options", canonical(_OPTIONS)))[1]


def has_trailers(cluster: Spot) -> bool:
    """True if responses of a cluster may have trailers that Envoy passes on."""
    options = read_options(cluster)
    explicit = options.at("explicit_http_config")
    written = [*(explicit.at(key) for key in _WITH_TRAILERS), *(options.at(key) for key in _NEGOTIATED)]
    return (
        any(spot.is_written for spot in (*written, cluster.at("http2_protocol_options")))
        or explicit.at("http_protocol_options", "enable_trailers").is_on
    )


def check_resets(sheet: Sheet, cluster: Spot) -> None:
    """Check how many Checks one connection carries: those that are aborted can end it, with everybody else's."""
    options = read_options(cluster).at("common_http_protocol_options")
    older = cluster.at("max_requests_per_connection")
    checks = older if older.is_written else options.at("max_requests_per_connection")
    most = _MAX_CHECKS_TLS if cluster.at("transport_socket").is_written else _MAX_CHECKS
    sheet.want("authz-resets", checks, is_good=0 < (checks.number or 0.0) <= most)


def check_breakers(sheet: Sheet, cluster: Spot) -> None:
    """Check how many responses may be open at once."""
    thresholds = cluster.at("circuit_breakers", "thresholds")
    requests = [entry.at("max_requests").number or 0.0 for entry in thresholds.items()]
    sheet.want("proc-breakers", thresholds, is_good=any(most > _ENVOYS_REQUESTS for most in requests))
