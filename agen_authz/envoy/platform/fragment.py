"""Parts of Envoy's own configuration that platforms take only as patches: the same filters as in the bootstrap."""

from typing import Any

from betterproto2 import Casing
from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager.v3 import HttpFilter

from agen_authz.envoy.filters import build_authz, build_header_remover
from agen_authz.envoy.model import Gateway
from agen_authz.envoy.process import build_process
from agen_authz.envoy.routing import REMOVED

# What no platform's own resources can say of ext_authz.
AUTHZ_KEYS = ("validate_mutations", "encode_raw_headers", "decoder_header_mutation_rules")
REMOVED_HEADERS = list(REMOVED)


def authz_settings(gateway: Gateway) -> dict[str, Any]:
    """Write what a patch adds to the ext_authz filter that the platform made."""
    whole = _written(build_authz(gateway))["typed_config"]
    return {key: whole[key] for key in AUTHZ_KEYS}


def header_remover() -> dict[str, Any]:
    """Write the filter that takes `x-envoy-*` out of requests and responses."""
    return _written(build_header_remover())


def process_filter(gateway: Gateway, cluster: str) -> dict[str, Any]:
    """Write the ext_proc filter in its matcher; `cluster` is the platform's name for Process."""
    return _written(build_process(gateway, cluster))


def _written(built: HttpFilter) -> dict[str, Any]:
    return built.to_dict(casing=Casing.SNAKE)
