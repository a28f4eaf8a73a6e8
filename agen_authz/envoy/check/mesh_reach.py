"""What Istio's policies with the CUSTOM action reach: gateways, and the workloads behind a route."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from agen_authz.envoy.check.label import matches
from agen_authz.envoy.check.manifest_name import GATEWAY_API, Name, group_of, name_of
from agen_authz.envoy.check.spot import Spot

ISTIO_SECURITY = "security.istio.io"
# Policies of this namespace are the whole mesh's; a mesh that names another one is not followed.
ROOT = "istio-system"
# Istio gives this label to what runs for a gateway.
_GATEWAY_LABEL = "gateway.networking.k8s.io/gateway-name"


def is_custom(manifest: Spot) -> bool:
    """True if a manifest is Istio's policy that asks an extension provider."""
    is_policy = manifest.at("kind").text == "AuthorizationPolicy" and group_of(manifest) in ("", ISTIO_SECURITY)
    return is_policy and manifest.at("spec", "action").text == "CUSTOM"


@dataclass(slots=True)
class MeshPolicies:
    """The policies of a file, and the services that say which workloads they lead to."""

    manifests: list[Spot]
    policies: list[Spot] = field(init=False)
    services: dict[Name, Spot] = field(init=False)

    def __post_init__(self) -> None:
        self.policies = [each for each in self.manifests if is_custom(each)]
        self.services = {name_of(each): each for each in self.manifests if each.at("kind").text == "Service"}

    def reach_gateway(self, gateway: Name, class_name: str) -> bool:
        """True if a policy is about all that a gateway forwards."""
        return any(_is_about_gateway(policy, gateway, class_name) for policy in self.policies)

    def reach_backends(self, route: Spot, rule: Spot) -> bool:
        """True if every workload that a rule leads to is behind a policy."""
        here = name_of(route).namespace
        backends = [
            Name(ref.at("kind").text or "Service", ref.at("namespace").text or here, ref.at("name").text)
            for ref in rule.at("backend_refs").items()
        ]
        return self.reach_all(backends)

    def reach_all(self, backends: list[Name]) -> bool:
        """True if the workloads of every service are behind a policy; of none, they are not."""
        return bool(backends) and all(
            any(self._is_about_backend(policy, backend) for policy in self.policies) for backend in backends
        )

    def _is_about_backend(self, policy: Spot, backend: Name) -> bool:
        namespace = name_of(policy).namespace
        if has_references(policy) or backend.kind != "Service" or namespace not in (ROOT, backend.namespace):
            return False
        selector = policy.at("spec", "selector")
        service = self.services.get(backend)
        if not selector.members():
            return True
        return service is not None and matches(selector, service.at("spec", "selector"))


def has_references(policy: Spot) -> bool:
    """True if a policy names what it is about, instead of selecting workloads."""
    return any(True for _ in _references(policy))


def _is_about_gateway(policy: Spot, gateway: Name, class_name: str) -> bool:
    namespace, selector = name_of(policy).namespace, policy.at("spec", "selector")
    references = list(_references(policy))
    if references:
        return any(_names(ref, gateway, class_name, namespace) for ref in references)
    if namespace not in (ROOT, gateway.namespace):
        return False
    labels = selector.at("match_labels")
    is_its_own = labels.at(_GATEWAY_LABEL).text == gateway.name and len(labels.members()) == 1
    return not selector.members() or (is_its_own and len(selector.members()) == 1)


def _references(policy: Spot) -> Iterator[Spot]:
    spec = policy.at("spec")
    yield from (*spec.at("target_refs").items(), *spec.at("target_ref").items())


def _names(ref: Spot, gateway: Name, class_name: str, namespace: str) -> bool:
    if ref.at("group").text != GATEWAY_API:
        return False
    kind, name = ref.at("kind").text, ref.at("name").text
    if kind == "GatewayClass":
        return namespace == ROOT and bool(class_name) and name == class_name
    return kind == gateway.kind == "Gateway" and name == gateway.name and namespace == gateway.namespace
