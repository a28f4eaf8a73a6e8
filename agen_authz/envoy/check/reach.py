"""Which routes a policy that asks Check reaches; what is forwarded besides them is the finding.

The rule is Envoy Gateway's: of the policies that target a route's rule, the route, the listener and the gateway, the
first that is there counts alone, unless it says that it is merged. A policy reaches its own namespace only. Two for
one target are a conflict, in which the older one counts: all of them must ask Check. Routes of TCP, TLS and UDP are
never checked, for Check reads HTTP.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from agen_authz.envoy.check.label import matches
from agen_authz.envoy.check.manifest_name import GATEWAY_API, Name, group_of, name_of
from agen_authz.envoy.check.mesh_reach import MeshPolicies
from agen_authz.envoy.check.sheet import Sheet
from agen_authz.envoy.check.spot import Spot

HTTP_ROUTES = ("HTTPRoute", "GRPCRoute")
ROUTES = (*HTTP_ROUTES, "TCPRoute", "TLSRoute", "UDPRoute")
_ENVOY_GATEWAY, _ISTIO = "gateway.envoyproxy.io/", "istio.io/"
_ISTIO_CLASS = "istio"


@dataclass(frozen=True, slots=True)
class _Policy:
    """A SecurityPolicy, and what it says of the routes that it reaches."""

    spec: Spot
    namespace: str

    @property
    def asks_check(self) -> bool:
        auth = self.spec.at("ext_auth")
        return auth.at("grpc").is_written or auth.at("http").is_written

    @property
    def is_merged(self) -> bool:
        return self.spec.at("merge_type").is_written


@dataclass(frozen=True, slots=True)
class _Parent:
    """What a route is attached to: a gateway or a part of it."""

    name: Name
    section: str
    gateway: Spot | None


def check_reach(sheet: Sheet, manifests: list[Spot]) -> None:
    """Check every route of a file: each of its rules must be reached by a policy that asks Check."""
    policies = [
        _Policy(each.at("spec"), name_of(each).namespace)
        for each in manifests
        if each.at("kind").text == "SecurityPolicy"
    ]
    # Istio has a kind Gateway, too; routes are attached to the Gateway API's.
    named = {name_of(each): each for each in manifests if group_of(each) in ("", GATEWAY_API)}
    reach = _Reach(policies, MeshPolicies(manifests), named)
    for route in manifests:
        if route.at("kind").text in ROUTES:
            for rule in route.at("spec", "rules").items():
                if rule.at("backend_refs").items() and not reach.is_guarded(route, rule):
                    sheet.add("unguarded-route", rule)


@dataclass(frozen=True, slots=True)
class _Reach:
    policies: list[_Policy]
    mesh: MeshPolicies
    named: dict[Name, Spot]

    def is_guarded(self, route: Spot, rule: Spot) -> bool:
        """True if Check is asked wherever this rule is attached."""
        if route.at("kind").text not in HTTP_ROUTES:
            return False
        parents = list(self._parents(route))
        if not parents:
            return self._is_reached(route, rule, None)
        return all(self._is_guarded_at(route, rule, parent) for parent in parents)

    def _is_guarded_at(self, route: Spot, rule: Spot, parent: _Parent) -> bool:
        controller = self._controller(parent)
        by_gateway = controller in ("", _ENVOY_GATEWAY) and self._is_reached(route, rule, parent)
        by_mesh = controller in ("", _ISTIO) and (
            self.mesh.reach_gateway(parent.name, self._class_of(parent)) or self.mesh.reach_backends(route, rule)
        )
        return by_gateway or by_mesh

    def _is_reached(self, route: Spot, rule: Spot, parent: _Parent | None) -> bool:
        own = name_of(route)
        section = rule.at("name").text
        near = self._targeting(own, section, route) if section else []
        near = near or self._targeting(own, "", route)
        if near and not all(policy.is_merged for policy in near):
            return all(policy.asks_check for policy in near)
        if near and all(policy.asks_check for policy in near):
            return True
        return parent is not None and self._is_reached_from(parent)

    def _is_reached_from(self, parent: _Parent) -> bool:
        at_listener = self._targeting(parent.name, parent.section, parent.gateway) if parent.section else []
        wide = at_listener or self._targeting(parent.name, "", parent.gateway)
        return bool(wide) and all(policy.asks_check for policy in wide)

    def _targeting(self, target: Name, section: str, manifest: Spot | None) -> list[_Policy]:
        return [
            policy
            for policy in self.policies
            if policy.namespace == target.namespace and _targets(policy.spec, target, section, manifest)
        ]

    def _parents(self, route: Spot) -> Iterator[_Parent]:
        """Yield what a route is attached to, by listener if the gateway is here and the route names none."""
        here = name_of(route).namespace
        for ref in route.at("spec", "parent_refs").items():
            kind = ref.at("kind").text or "Gateway"
            name = Name(kind, ref.at("namespace").text or here, ref.at("name").text)
            gateway = self.named.get(name)
            section = ref.at("section_name").text
            listeners = [] if section or gateway is None else gateway.at("spec", "listeners").items()
            sections = [listener.at("name").text for listener in listeners] or [section]
            yield from (_Parent(name, each, gateway) for each in sections)

    def _class_of(self, parent: _Parent) -> str:
        return parent.gateway.at("spec", "gateway_class_name").text if parent.gateway is not None else ""

    def _controller(self, parent: _Parent) -> str:
        """Say whose gateway it is; empty if the file does not say."""
        name = self._class_of(parent)
        known = self.named.get(Name("GatewayClass", "", name))
        controller = known.at("spec", "controller_name").text if known is not None else ""
        if not controller:
            return _ISTIO if name.startswith(_ISTIO_CLASS) else ""
        return next((ours for ours in (_ENVOY_GATEWAY, _ISTIO) if controller.startswith(ours)), controller)


def _targets(spec: Spot, target: Name, section: str, manifest: Spot | None) -> bool:
    if any(_names(ref, target, section) for ref in _references(spec)):
        return True
    # A selector chooses whole routes and gateways.
    return not section and manifest is not None and _selects(spec, target, manifest)


def _references(spec: Spot) -> tuple[Spot, ...]:
    return (*spec.at("target_refs").items(), *spec.at("target_ref").items())


def _names(ref: Spot, target: Name, section: str) -> bool:
    named = (ref.at("group").text, ref.at("kind").text, ref.at("name").text, ref.at("section_name").text)
    elsewhere = ref.at("namespace").text not in ("", target.namespace)
    return named == (GATEWAY_API, target.kind, target.name, section) and not elsewhere


def _selects(spec: Spot, target: Name, manifest: Spot) -> bool:
    return any(
        selector.at("kind").text == target.kind
        and selector.at("group").text in ("", GATEWAY_API)
        # Other namespaces need a ReferenceGrant, which is not followed; the policy's own one is among "all".
        and selector.at("namespaces", "from").text in ("", "Same", "All")
        and matches(selector, manifest.at("metadata", "labels"))
        for selector in spec.at("target_selectors").items()
    )
