"""What of Istio's VirtualServices is checked: on the gateways that they are bound to, or at what they lead to.

A VirtualService that is bound to no gateway says what workloads send; where that is received, Check is asked by
policies about the receiver.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from agen_authz.envoy.check.filter_chain import read_filter
from agen_authz.envoy.check.label import matches
from agen_authz.envoy.check.manifest_name import Name, group_of, name_of
from agen_authz.envoy.check.mesh_reach import ROOT, MeshPolicies, has_references, is_custom
from agen_authz.envoy.check.sheet import Sheet
from agen_authz.envoy.check.source import Node
from agen_authz.envoy.check.spot import Spot

_NETWORKING = "networking.istio.io"
_MESH = "mesh"
_WORKLOADS = ("Deployment", "DaemonSet", "StatefulSet")
_SERVICE_PARTS = 2
_NOTHING = Spot(None, (), 0)


@dataclass(frozen=True, slots=True)
class _Guard:
    """What asks Check on workloads of a namespace, those with all labels of the selector."""

    namespace: str
    selector: Spot


def check_virtual_reach(sheet: Sheet, manifests: list[Spot]) -> None:
    """Check what VirtualServices forward from gateways: Check must be asked on each, or behind."""
    mesh, guards = MeshPolicies(manifests), [guard for each in manifests for guard in _guards_of(each)]
    gateways = {
        name_of(each): each
        for each in manifests
        if each.at("kind").text == "Gateway" and group_of(each) in ("", _NETWORKING)
    }
    labels = [
        (name_of(each).namespace, each.at("spec", "template", "metadata", "labels"))
        for each in manifests
        if each.at("kind").text in _WORKLOADS
    ]
    for service in manifests:
        if service.at("kind").text != "VirtualService" or group_of(service) not in ("", _NETWORKING):
            continue
        bound = [gateways.get(name, _NOTHING) for name in _gateways_of(service)]
        if all(_is_guarded(gateway, guards, labels) for gateway in bound):
            continue
        for route in service.at("spec", "http").items():
            if route.at("route").items() and not mesh.reach_all(list(_destinations(service, route))):
                sheet.add("unguarded-route", route)


def _gateways_of(service: Spot) -> Iterator[Name]:
    here = name_of(service).namespace
    for written in service.at("spec", "gateways").words:
        if written != _MESH:
            namespace, slash, name = written.rpartition("/")
            yield Name("Gateway", namespace if slash else here, name)


def _destinations(service: Spot, route: Spot) -> Iterator[Name]:
    """Yield the services that a route leads to; short names are of the VirtualService's own namespace."""
    for entry in route.at("route").items():
        name, _, rest = entry.at("destination", "host").text.partition(".")
        parts = rest.split(".", _SERVICE_PARTS - 1)
        is_service = not rest or len(parts) == 1 or parts[1].startswith("svc")
        namespace = parts[0] if rest else name_of(service).namespace
        yield Name("Service" if is_service else "host", namespace, name)


def _guards_of(manifest: Spot) -> Iterator[_Guard]:
    namespace = name_of(manifest).namespace
    if is_custom(manifest) and not has_references(manifest):
        yield _Guard(namespace, manifest.at("spec", "selector"))
    if manifest.at("kind").text == "EnvoyFilter":
        labels = manifest.at("spec", "workload_selector", "labels")
        if any(_inserts_authz(patch) for patch in manifest.at("spec", "config_patches").items()):
            members = {} if labels.node is None else {"match_labels": labels.node}
            yield _Guard(namespace, Spot(Node(members, labels.line), labels.path, labels.line))


def _inserts_authz(patch: Spot) -> bool:
    change = patch.at("patch")
    is_new = change.at("operation").text.startswith(("INSERT", "ADD"))
    is_there = patch.at("match", "context").text in ("", "ANY", "GATEWAY")
    return (
        is_new
        and is_there
        and patch.at("apply_to").text == "HTTP_FILTER"
        and read_filter(change.at("value")).family == "ext_authz"
    )


def _is_guarded(gateway: Spot, guards: list[_Guard], workloads: list[tuple[str, Spot]]) -> bool:
    """True if what runs for a gateway is behind a guard: the whole mesh's, or one that selects all that it selects."""
    own = gateway.at("spec", "selector")
    here = name_of(gateway).namespace
    for guard in guards:
        if not guard.selector.members():
            if guard.namespace == ROOT or (gateway.is_written and guard.namespace == here):
                return True
            continue
        if not own.members() or not matches(guard.selector, own):
            continue
        # The workload may be elsewhere than its Gateway: then the file must show it in the guard's namespace.
        if guard.namespace in (here, ROOT) or any(
            namespace == guard.namespace and _has(labels, own) for namespace, labels in workloads
        ):
            return True
    return False


def _has(labels: Spot, wanted: Spot) -> bool:
    return all(labels.at(key).text == value.text for key, value in wanted.members())
