"""A real Envoy on a configuration of ours."""

from collections.abc import Callable
from pathlib import Path

from agen_authz.config import load
from agen_authz.envoy.binary import find_binary
from agen_authz.envoy.model import Gateway, TcpAddress
from agen_authz.envoy.render import render_sidecar
from agen_authz.envoy.run import Launch
from agen_authz.envoy.settings import Placement, from_config
from tests.stage.process import START_S


def sidecar_of(config_file: Path, placement: Placement) -> Gateway:
    """Read what Envoy has to know from the sidecar's configuration."""
    sidecar = from_config(load(config_file, environ={}).config, None, placement)
    assert isinstance(sidecar, Gateway), sidecar
    return sidecar


def launch_envoy(
    folder: Path,
    sidecar: Gateway,
    *,
    changed: Callable[[str], str] = str,
    listener: TcpAddress | None = None,
    name: str = "envoy",
) -> Launch:
    """Write Envoy's configuration, ready to be run by `run_envoy`, whose errors show the last lines of its log.

    Args:
        changed: changes the rendered configuration.
        listener: which of its listeners is waited for, if it is not the sidecar's.
        name: of the configuration and of the log in `folder`.
    """
    binary = find_binary()
    assert isinstance(binary, Path), binary
    config_file = folder / f"{name}.yaml"
    config_file.write_text(changed(render_sidecar(sidecar)), "utf-8")
    return Launch(binary, config_file, listener or sidecar.listener, folder / f"{name}.log", start_timeout_s=START_S)
