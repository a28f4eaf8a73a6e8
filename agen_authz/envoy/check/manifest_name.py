"""What a manifest of Kubernetes is called, and of which kind it is."""

from dataclasses import dataclass

from agen_authz.envoy.check.spot import Spot

GATEWAY_API = "gateway.networking.k8s.io"
# Kinds without a namespace: one that is written there anyway is ignored.
_OF_THE_CLUSTER = ("GatewayClass",)


@dataclass(frozen=True, slots=True)
class Name:
    """A kind, a namespace, which is empty if none is written, and a name in it."""

    kind: str
    namespace: str
    name: str


def name_of(manifest: Spot) -> Name:
    """Read what a manifest is called.

    Manifests without a namespace share one that the file does not name: it is another than `default`, if that is
    written.
    """
    kind, metadata = manifest.at("kind").text, manifest.at("metadata")
    namespace = "" if kind in _OF_THE_CLUSTER else metadata.at("namespace").text
    return Name(kind, namespace, metadata.at("name").text)


def group_of(manifest: Spot) -> str:
    """Read the API group of a manifest; empty for the core group, and if no version is written."""
    group, slash, _ = manifest.at("api_version").text.rpartition("/")
    return group if slash else ""
