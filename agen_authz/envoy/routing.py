"""Envoy's routes: each resource by its exact authority and path, its metadata, and nothing else.

Check decides on authority, path and query again; these routes only keep everything else from being forwarded.
A route has no retries, hedging, mirroring, upgrades or internal redirects because it names none of them.
"""

from collections.abc import Iterable
from datetime import timedelta

from envoy_data_plane.envoy.config.route import v3 as route_v3
from envoy_data_plane.envoy.extensions.filters.http.ext_authz.v3 import CheckSettings, ExtAuthzPerRoute
from envoy_data_plane.envoy.extensions.filters.http.ext_proc.v3 import ExtProcPerRoute
from envoy_data_plane.google.protobuf import Any

from agen_authz.core.http.route import WELL_KNOWN, metadata_path
from agen_authz.envoy.cluster import resource_cluster
from agen_authz.envoy.model import EnvoyRoute

EXT_AUTHZ = "envoy.filters.http.ext_authz"
EXT_PROC = "envoy.filters.http.ext_proc"
# What a backend says here is about itself, its redirects and its own sessions. A denial of Check is no
# upstream's answer: its `www-authenticate` survives.
REMOVED = ("server", "www-authenticate", "location", "set-cookie")
_NO_TIMEOUT = timedelta(0)


def build_routes(resources: Iterable[EnvoyRoute]) -> route_v3.RouteConfiguration:
    """Build the route table: a virtual host per set of resources that share an authority, 404 elsewhere."""
    hosts = [_virtual_host(domains, routes) for domains, routes in _group_by_authority(resources)]
    nowhere = route_v3.VirtualHost(name="*", domains=["*"], routes=[_not_found()])
    return route_v3.RouteConfiguration(
        name="resources", virtual_hosts=[*hosts, nowhere], response_headers_to_remove=list(REMOVED)
    )


def _group_by_authority(resources: Iterable[EnvoyRoute]) -> list[tuple[list[str], tuple[EnvoyRoute, ...]]]:
    by_authority: dict[str, list[EnvoyRoute]] = {}
    for route in resources:
        for authority in sorted(route.authorities):
            by_authority.setdefault(authority, []).append(route)
    groups: dict[tuple[EnvoyRoute, ...], list[str]] = {}
    for authority, routes in by_authority.items():
        groups.setdefault(tuple(routes), []).append(authority)
    return [(authorities, routes) for routes, authorities in groups.items()]


def _virtual_host(authorities: list[str], resources: tuple[EnvoyRoute, ...]) -> route_v3.VirtualHost:
    metadata_paths = [metadata_path(resource.path) for resource in resources]
    if len(resources) == 1 and WELL_KNOWN not in metadata_paths:
        metadata_paths.append(WELL_KNOWN)
    routes = [
        *(built for resource in resources for built in _resource_routes(resource)),
        *(_answered_by_check(path, status=404) for path in metadata_paths),
        _not_found(),
    ]
    return route_v3.VirtualHost(name=authorities[0], domains=list(authorities), routes=routes)


def _resource_routes(resource: EnvoyRoute) -> tuple[route_v3.Route, route_v3.Route]:
    known = route_v3.HeaderMatcher(name="authorization", present_match=True)
    forwarded = route_v3.Route(
        name=resource.name,
        match=route_v3.RouteMatch(path=resource.path, headers=[known]),
        route=route_v3.RouteAction(
            cluster=resource_cluster(resource.name),
            timeout=_NO_TIMEOUT,
            prefix_rewrite="" if resource.upstream_path == resource.path else resource.upstream_path,
        ),
    )
    return forwarded, _answered_by_check(resource.path, status=401)


def _answered_by_check(path: str, *, status: int) -> route_v3.Route:
    """Build a route that leads nowhere: Check answers first, from a request whose body was not read."""
    unread = ExtAuthzPerRoute(check_settings=CheckSettings(disable_request_body_buffering=True))
    return route_v3.Route(
        match=route_v3.RouteMatch(path=path),
        direct_response=route_v3.DirectResponseAction(status=status),
        typed_per_filter_config={EXT_AUTHZ: Any.pack(unread), EXT_PROC: _uninspected()},
    )


def _not_found() -> route_v3.Route:
    unasked = ExtAuthzPerRoute(disabled=True)
    return route_v3.Route(
        match=route_v3.RouteMatch(prefix="/"),
        direct_response=route_v3.DirectResponseAction(status=404),
        typed_per_filter_config={EXT_AUTHZ: Any.pack(unasked), EXT_PROC: _uninspected()},
    )


def _uninspected() -> Any:
    # No backend answers here, and each answer of Envoy's own would open a stream to Process.
    return Any.pack(ExtProcPerRoute(disabled=True))
