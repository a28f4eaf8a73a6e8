"""How Envoy reaches Check and Process: on this machine, or with TLS that verifies."""

from agen_authz.core.http.loopback import is_loopback
from agen_authz.envoy.check.endpoint import find_addresses, is_near
from agen_authz.envoy.check.sheet import Sheet
from agen_authz.envoy.check.spot import Spot, typed

_VERIFIED_BY = ("validation_context", "combined_validation_context", "validation_context_sds_secret_config")


def check_transport(sheet: Sheet, service: Spot, kind: str) -> Spot | None:
    """Check how a gRPC service is reached, and return its cluster; `kind` begins the ids of the findings.

    None: it is not in this file, or reached without a cluster.
    """
    google = service.at("google_grpc")
    if google.is_written:
        _check_google(sheet, google, kind)
        return None
    name = service.at("envoy_grpc", "cluster_name")
    cluster = sheet.clusters.get(name.text)
    if cluster is None:
        sheet.add("unread-cluster", name)
        return None
    _check_cluster(sheet, cluster, kind)
    return cluster


def _check_google(sheet: Sheet, google: Spot, kind: str) -> None:
    target = google.at("target_uri")
    host = target.text.rpartition(":")[0].strip("[]")
    is_here = target.text.startswith("unix:") or is_loopback(host)
    secured = google.at("channel_credentials", "ssl_credentials").is_written
    sheet.want(f"{kind}-plaintext", target, is_good=is_here or secured)


def _check_cluster(sheet: Sheet, cluster: Spot, kind: str) -> None:
    addresses = find_addresses(sheet, cluster)
    if addresses and all(is_near(address) for address in addresses):
        return
    name, tls = typed(cluster.at("transport_socket", "typed_config"))
    if not name.endswith(".UpstreamTlsContext"):
        if not cluster.at("transport_socket_matches").is_written:
            sheet.add(f"{kind}-plaintext", cluster)
        return
    settings = tls.at("common_tls_context")
    written = [settings.at(key) for key in _VERIFIED_BY if settings.at(key).is_written]
    plain = settings.at("validation_context")
    is_empty = plain.is_written and not (plain.at("trusted_ca").is_written or plain.at("system_root_certs").is_written)
    if not written or is_empty:
        sheet.add(f"{kind}-unverified", cluster)
