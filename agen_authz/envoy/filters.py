"""Envoy's HTTP filters, in their order: ext_authz is the last that can write its own metadata namespace."""

from datetime import timedelta

from envoy_data_plane.envoy.config.common.mutation_rules import v3 as rules
from envoy_data_plane.envoy.config.core.v3 import GrpcService, GrpcServiceEnvoyGrpc
from envoy_data_plane.envoy.extensions.filters.http.ext_authz.v3 import BufferSettings, ExtAuthz
from envoy_data_plane.envoy.extensions.filters.http.header_mutation.v3 import HeaderMutation, Mutations
from envoy_data_plane.envoy.extensions.filters.http.router.v3 import Router
from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager.v3 import HttpFilter
from envoy_data_plane.envoy.type.matcher.v3 import RegexMatcher, StringMatcher
from envoy_data_plane.envoy.type.v3 import HttpStatus, StatusCode
from envoy_data_plane.google.protobuf import Any

from agen_authz.envoy.cluster import AUTHZ_CLUSTER
from agen_authz.envoy.model import Gateway
from agen_authz.envoy.process import build_process
from agen_authz.envoy.routing import EXT_AUTHZ

_DENIED_BODY_BYTES = 65536


def build_filters(sidecar: Gateway) -> list[HttpFilter]:
    """Build the chain; responses pass it from the end to the start."""
    return [
        build_header_remover(),
        build_authz(sidecar),
        build_process(sidecar),
        _router(),
    ]


def build_header_remover() -> HttpFilter:
    """Build the filter that takes `x-envoy-*` out of requests and responses."""
    prefix = StringMatcher(prefix="x-envoy-")
    removal = rules.HeaderMutation(remove_on_match=rules.HeaderMutationRemoveOnMatch(key_matcher=prefix))
    mutations = Mutations(request_mutations=[removal], response_mutations=[removal])
    mutation = HeaderMutation(mutations=mutations)
    return HttpFilter(name="envoy.filters.http.header_mutation", typed_config=Any.pack(mutation))


def build_authz(sidecar: Gateway) -> HttpFilter:
    """Build the filter that asks Check."""
    settings = ExtAuthz(
        grpc_service=GrpcService(
            envoy_grpc=GrpcServiceEnvoyGrpc(cluster_name=AUTHZ_CLUSTER),
            timeout=timedelta(seconds=sidecar.check_timeout_s),
        ),
        failure_mode_allow=False,
        status_on_error=HttpStatus(code=StatusCode.ServiceUnavailable),
        validate_mutations=True,
        encode_raw_headers=True,
        with_request_body=BufferSettings(
            max_request_bytes=sidecar.limits.request_bytes, allow_partial_message=False, pack_as_bytes=True
        ),
        decoder_header_mutation_rules=_mutation_rules(),
        max_denied_response_body_bytes=_DENIED_BODY_BYTES,
        stat_prefix="agen",
    )
    return HttpFilter(name=EXT_AUTHZ, typed_config=Any.pack(settings))


def _mutation_rules() -> rules.HeaderMutationRules:
    return rules.HeaderMutationRules(
        allow_all_routing=False,
        allow_envoy=True,
        disallow_system=True,
        disallow_expression=RegexMatcher(regex="(host|content-length|transfer-encoding)"),
        disallow_is_error=True,
    )


def _router() -> HttpFilter:
    router = Router(suppress_envoy_headers=True)
    return HttpFilter(name="envoy.filters.http.router", typed_config=Any.pack(router))
