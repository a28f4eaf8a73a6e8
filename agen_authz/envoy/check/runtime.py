"""Runtime keys of a bootstrap that switch off what Envoy fixed in ext_authz or ext_proc."""

from collections.abc import Iterator

from agen_authz.envoy.check.sheet import Sheet
from agen_authz.envoy.check.spot import Spot

_GUARDS = "envoy.reloadable_features."
_OURS = ("ext_proc", "ext_authz")
_MAX_DEPTH = 10


def check_runtime(sheet: Sheet, bootstrap: Spot) -> None:
    """Check the layers that are in the file; those from elsewhere are not read."""
    layers = [layer.at("static_layer") for layer in bootstrap.at("layered_runtime", "layers").items()]
    for layer in (*layers, bootstrap.at("runtime", "base")):
        for name, value in _flatten(layer, "", 0):
            if name.startswith(_GUARDS) and any(word in name for word in _OURS) and not value.is_on:
                sheet.add("runtime-guard", value)


def _flatten(spot: Spot, prefix: str, depth: int) -> Iterator[tuple[str, Spot]]:
    for key, member in spot.members():
        name = f"{prefix}.{key}" if prefix else key
        if member.is_mapping and depth < _MAX_DEPTH:
            yield from _flatten(member, name, depth + 1)
        else:
            yield name, member
