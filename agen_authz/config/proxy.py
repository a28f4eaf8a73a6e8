"""Proxies as the environment names them: `HTTPS_PROXY` and `NO_PROXY`, in capitals or not."""

from collections.abc import Mapping
from urllib.request import getproxies_environment


def read_proxies() -> Mapping[str, str]:
    """Read the proxy of each scheme, and under `no` the hosts that are asked without one."""
    return getproxies_environment()
