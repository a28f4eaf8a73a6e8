"""Envoy's ext_proc filter: Process reads every response, except those of which Check says that none is needed."""

from datetime import timedelta

from envoy_data_plane.envoy.config.common.mutation_rules.v3 import HeaderMutationRules
from envoy_data_plane.envoy.config.core.v3 import GrpcService, GrpcServiceEnvoyGrpc, TypedExtensionConfig
from envoy_data_plane.envoy.extensions.common.matching.v3 import ExtensionWithMatcher
from envoy_data_plane.envoy.extensions.filters.common.matcher.action.v3 import SkipFilter
from envoy_data_plane.envoy.extensions.filters.http.ext_proc import v3 as ext_proc
from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager.v3 import HttpFilter
from envoy_data_plane.envoy.extensions.matching.common_inputs.network.v3 import (
    DynamicMetadataInput,
    DynamicMetadataInputPathSegment,
)
from envoy_data_plane.envoy.extensions.matching.input_matchers.metadata.v3 import Metadata
from envoy_data_plane.envoy.type.matcher.v3 import HttpResponseLocalReplyMatchInput, StringMatcher, ValueMatcher
from envoy_data_plane.envoy.type.v3 import HttpStatus, StatusCode
from envoy_data_plane.google.protobuf import Any
from envoy_data_plane.xds.core.v3 import TypedExtensionConfig as XdsExtension
from envoy_data_plane.xds.type.matcher import v3 as matcher

from agen_authz.envoy.cluster import PROC_CLUSTER
from agen_authz.envoy.model import Gateway
from agen_authz.envoy.routing import EXT_AUTHZ, EXT_PROC

INSPECT_KEY = "agen.inspect"


def build_process(gateway: Gateway, cluster: str = PROC_CLUSTER) -> HttpFilter:
    """Build the filter within the matcher that skips it on the word of Check; without metadata it runs."""
    inner = TypedExtensionConfig(name=EXT_PROC, typed_config=Any.pack(_settings(gateway, cluster)))
    skipped = ExtensionWithMatcher(extension_config=inner, xds_matcher=_skip_on(gateway.off_word))
    return HttpFilter(name=EXT_PROC, typed_config=Any.pack(skipped))


def _settings(gateway: Gateway, cluster: str) -> ext_proc.ExternalProcessor:
    spaces = ext_proc.MetadataOptionsMetadataNamespaces
    return ext_proc.ExternalProcessor(
        grpc_service=GrpcService(envoy_grpc=GrpcServiceEnvoyGrpc(cluster_name=cluster)),
        failure_mode_allow=False,
        status_on_error=HttpStatus(code=StatusCode.BadGateway),
        processing_mode=_mode(),
        message_timeout=timedelta(seconds=gateway.limits.process_timeout_s),
        mutation_rules=_mutation_rules(),
        metadata_options=ext_proc.MetadataOptions(forwarding_namespaces=spaces(untyped=[EXT_AUTHZ])),
        route_cache_action=ext_proc.ExternalProcessorRouteCacheAction.RETAIN,
        # Process removes it from whatever it inspects; what passes as it is (samples, rules in shadow) keeps it.
        allow_content_length_header=True,
        stat_prefix="agen",
    )


def _mode() -> ext_proc.ProcessingMode:
    headers, body = ext_proc.ProcessingModeHeaderSendMode, ext_proc.ProcessingModeBodySendMode
    return ext_proc.ProcessingMode(
        request_header_mode=headers.SKIP,
        response_header_mode=headers.SEND,
        request_body_mode=body.NONE,
        response_body_mode=body.STREAMED,
        request_trailer_mode=headers.SKIP,
        response_trailer_mode=headers.SEND,
    )


def _mutation_rules() -> HeaderMutationRules:
    # A change that Envoy would ignore is an error: a header that Process removes must not reach the client.
    return HeaderMutationRules(allow_envoy=True, disallow_is_error=True)


def _skip_on(word: str) -> matcher.Matcher:
    source = DynamicMetadataInput(filter=EXT_AUTHZ, path=[DynamicMetadataInputPathSegment(key=INSPECT_KEY)])
    is_word = Metadata(value=ValueMatcher(string_match=StringMatcher(exact=word)))
    is_off = matcher.MatcherMatcherListPredicateSinglePredicate(
        input=XdsExtension(name="agen.inspect", typed_config=Any.pack(source)),
        custom_match=XdsExtension(name="off", typed_config=Any.pack(is_word)),
    )
    # What Envoy answers itself has no byte of a backend in it: a denial, 413, a backend that is gone.
    is_local = matcher.MatcherMatcherListPredicateSinglePredicate(
        input=XdsExtension(name="local_reply", typed_config=Any.pack(HttpResponseLocalReplyMatchInput())),
        value_match=matcher.StringMatcher(exact="true"),
    )
    return matcher.Matcher(matcher_list=matcher.MatcherMatcherList(matchers=[_skip_if(is_off), _skip_if(is_local)]))


def _skip_if(predicate: matcher.MatcherMatcherListPredicateSinglePredicate) -> matcher.MatcherMatcherListFieldMatcher:
    skip = XdsExtension(name="skip", typed_config=Any.pack(SkipFilter()))
    return matcher.MatcherMatcherListFieldMatcher(
        predicate=matcher.MatcherMatcherListPredicate(single_predicate=predicate),
        on_match=matcher.MatcherOnMatch(action=skip),
    )
