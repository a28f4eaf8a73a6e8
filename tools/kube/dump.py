"""What must be in the configuration that a control plane gave Envoy, read in its /config_dump."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx

_TYPES = "type.googleapis.com/envoy.extensions"
_MANAGER = f"{_TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager"
_AUTHZ = f"{_TYPES}.filters.http.ext_authz.v3.ExtAuthz"
_PROC = f"{_TYPES}.filters.http.ext_proc.v3.ExternalProcessor"
_MATCHER = f"{_TYPES}.common.matching.v3.ExtensionWithMatcher"
_REMOVER = f"{_TYPES}.filters.http.header_mutation.v3.HeaderMutation"
_ROUTES = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"
_CLUSTER = "type.googleapis.com/envoy.config.cluster.v3.Cluster"
_LISTENER = "type.googleapis.com/envoy.config.listener.v3.Listener"
# As Istio writes a rule that names nothing.
_EVERY = {
    "permissions": [{"and_rules": {"rules": [{"any": True}]}}],
    "principals": [{"and_ids": {"ids": [{"any": True}]}}],
}
_LAST = "envoy.filters.http.router"
_COMPRESSOR = "envoy.filters.http.compressor"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the filters must be, besides what every configuration must have."""

    authz_cluster: str
    process: Json
    request_bytes: int
    # True if the filters are off until a route switches them on.
    by_route: bool


def fetch_dump(admin: str) -> Json:
    """Fetch the whole configuration from Envoy's admin interface."""
    dump: Json = httpx.get(f"http://{admin}/config_dump?include_eds", trust_env=False).raise_for_status().json()
    return dump


def find_all(value: object, kind: str) -> Iterator[Json]:
    """Find every message of a type, at any depth."""
    if isinstance(value, dict):
        if value.get("@type") == kind:
            yield value
        for each in value.values():
            yield from find_all(each, kind)
    elif isinstance(value, list):
        for each in value:
            yield from find_all(each, kind)


def find_listener(dump: Json, name: str) -> Json:
    """Find a listener by its name; an empty one if there is none."""
    return next((each for each in find_all(dump, _LISTENER) if each["name"] == name), {})


def list_problems(dump: Json, listener: Json, wanted: Wanted) -> list[str]:
    """List what is not as it must be in a listener; nothing if all is."""
    managers = list(find_all(listener, _MANAGER))
    if not managers:
        return [f"the listener `{listener.get('name')}` has no HTTP connection manager"]
    clusters = {each["name"] for each in find_all(dump, _CLUSTER)}
    problems = [f"no cluster `{each}`" for each in _asked(wanted) if each not in clusters]
    for manager in managers:
        filters = manager["http_filters"]
        problems += [*_of_order(filters), *_of_authz(filters, wanted), *_of_process(filters, wanted)]
        problems += _of_routes(dump, manager, filters) if wanted.by_route else _of_switches(filters)
    return problems


def list_unasked(listener: Json) -> list[str]:
    """List what keeps Istio from asking ext_authz, which is asked only if a rule matches: one must match everything."""
    problems: list[str] = []
    for manager in find_all(listener, _MANAGER):
        for each in (each["typed_config"] for each in manager["http_filters"]):
            if each["@type"] == _AUTHZ and "filter_enabled_metadata" in each:
                problems += [] if _EVERY in _shadow_rules(manager) else [f"rules: {_shadow_rules(manager)}"]
    return problems


def _shadow_rules(manager: Json) -> list[Json]:
    rules = [each["typed_config"].get("shadow_rules", {}) for each in manager["http_filters"]]
    return [policy for each in rules for policy in each.get("policies", {}).values()]


def _asked(wanted: Wanted) -> list[str]:
    process = wanted.process["extension_config"]["typed_config"]["grpc_service"]["envoy_grpc"]["cluster_name"]
    return [wanted.authz_cluster, process]


def _of_order(filters: list[Json]) -> list[str]:
    kinds = [each["typed_config"]["@type"] for each in filters]
    if sorted(kinds.count(each) for each in (_AUTHZ, _MATCHER, _REMOVER)) != [1, 1, 1]:
        return [f"not one each of ext_authz, ext_proc in a matcher and the header remover: {_names(filters)}"]
    authz, process = kinds.index(_AUTHZ), kinds.index(_MATCHER)
    compressors = [at for at, each in enumerate(filters) if each["name"].startswith(_COMPRESSOR)]
    is_good = kinds[0] == _REMOVER and authz < process and filters[-1]["name"] == _LAST
    if is_good and all(at < process for at in compressors):
        return []
    return [f"the filters are in another order: {_names(filters)}"]


def _of_authz(filters: list[Json], wanted: Wanted) -> list[str]:
    problems: list[str] = []
    for authz in (each["typed_config"] for each in filters if each["typed_config"]["@type"] == _AUTHZ):
        body = authz.get("with_request_body", {})
        seen = {
            "body as bytes": body.get("pack_as_bytes", False),
            "body up to": body.get("max_request_bytes"),
            "part of a body": body.get("allow_partial_message", False),
            "open if Check fails": authz.get("failure_mode_allow", False),
            "status if Check fails": authz.get("status_on_error", {}).get("code"),
            "mutations validated": authz.get("validate_mutations", False),
            "repeated headers apart": authz.get("encode_raw_headers", False),
            "header rules": sorted(authz.get("decoder_header_mutation_rules", {})),
            "asks": authz.get("grpc_service", {}).get("envoy_grpc", {}).get("cluster_name"),
        }
        must = {
            "body as bytes": True,
            "body up to": wanted.request_bytes,
            "part of a body": False,
            "open if Check fails": False,
            "status if Check fails": "ServiceUnavailable",
            "mutations validated": True,
            "repeated headers apart": True,
            "asks": wanted.authz_cluster,
        }
        problems += [
            f"ext_authz: {each}: {seen[each]}, not {value}" for each, value in must.items() if seen[each] != value
        ]
        if "disallow_expression" not in seen["header rules"]:
            problems.append(f"ext_authz: the header rules are {seen['header rules']}")
    return problems


def _of_process(filters: list[Json], wanted: Wanted) -> list[str]:
    wrapped = [each["typed_config"] for each in filters if each["typed_config"]["@type"] == _MATCHER]
    problems = [
        f"ext_proc: not as it was rendered: {each}"
        for each in wrapped
        if _without_defaults(each) != _without_defaults(wanted.process)
    ]
    bare = [each["name"] for each in filters if each["typed_config"]["@type"] == _PROC]
    return problems + [f"ext_proc without its matcher: {name}" for name in bare]


def _of_switches(filters: list[Json]) -> list[str]:
    return [f"`{each['name']}` is switched off" for each in _ours(filters) if each.get("disabled")]


def _of_routes(dump: Json, manager: Json, filters: list[Json]) -> list[str]:
    """List the routes that lead somewhere without our filters, which are off until a route switches them on."""
    name = manager.get("rds", {}).get("route_config_name")
    routes = [each for each in find_all(dump, _ROUTES) if each["name"] == name]
    ours = [each["name"] for each in _ours(filters)]
    hosts = [host for each in routes for host in each.get("virtual_hosts", [])]
    leading = [route for host in hosts for route in host["routes"] if "route" in route]
    problems = [] if leading else [f"no route leads anywhere in `{name}`"]
    for route in leading:
        missing = [each for each in ours if each not in route.get("typed_per_filter_config", {})]
        problems += [f"the route `{route.get('name')}` does not switch on `{each}`" for each in missing]
    upgrades = [route.get("name") for route in leading if route["route"].get("upgrade_configs")]
    problems += [f"the route `{each}` allows upgrades" for each in upgrades]
    kept = [each["name"] for each in routes if "www-authenticate" not in each.get("response_headers_to_remove", [])]
    return problems + [f"`{each}` keeps response headers of servers" for each in kept]


def _ours(filters: list[Json]) -> list[Json]:
    return [each for each in filters if each["typed_config"]["@type"] in (_AUTHZ, _MATCHER)]


def _names(filters: list[Json]) -> str:
    return ", ".join(f"{each['name']} ({each['typed_config']['@type'].rpartition('.')[2]})" for each in filters)


def _without_defaults(value: object) -> object:
    """Leave out what a dump leaves out: false, zero and empty values."""
    if isinstance(value, dict):
        kept = {key: _without_defaults(each) for key, each in value.items()}
        return {key: each for key, each in kept.items() if each or key == "typed_config"}
    if isinstance(value, list):
        return [_without_defaults(each) for each in value]
    return value
