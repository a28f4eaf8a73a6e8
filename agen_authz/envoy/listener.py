"""Envoy's listener and its HTTP connection manager: what a request must look like before any filter sees it."""

import json
from datetime import timedelta

from envoy_data_plane.envoy.config.accesslog.v3 import (
    AccessLogFilter,
    ExtensionFilter,
    OrFilter,
    ResponseFlagFilter,
)
from envoy_data_plane.envoy.config.core import v3 as core
from envoy_data_plane.envoy.config.listener.v3 import Filter, FilterChain, Listener
from envoy_data_plane.envoy.extensions.access_loggers.filters.cel.v3 import ExpressionFilter
from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager import v3 as hcm
from envoy_data_plane.google.protobuf import Any

from agen_authz.envoy.cluster import build_address
from agen_authz.envoy.filters import build_filters
from agen_authz.envoy.model import EnvoyLimits, Gateway
from agen_authz.envoy.routing import build_routes

_HEADER_KB = 32
# The headers that Check adds count as well: a call with fewer than eighty of its own must still fit.
_HEADER_COUNT = 96
_HEADERS_TIMEOUT = timedelta(seconds=10)
_BODY_TIMEOUT_S = 30
_STREAM_IDLE_TIMEOUT = timedelta(minutes=15)
_CONNECTION_IDLE_TIMEOUT = timedelta(minutes=5)
_MIN_BUFFER_BYTES = 65536
# Envoy takes every connection that waits before it looks at another: a client that connects fast enough keeps it busy.
_ACCEPTED_AT_ONCE = 1
# No host, overflow, no connection, broken connection, reset, not HTTP, late.
_UPSTREAM_FAILURES = ("UH", "UO", "UF", "UC", "UR", "UPE", "UT")
_UNINSPECTED = {"jsonrpc": "2.0", "id": None, "error": {"code": 50200, "message": "The response was not inspected."}}
_UNAVAILABLE = {"jsonrpc": "2.0", "id": None, "error": {"code": 50300, "message": "Unavailable, try again."}}


def build_listener(sidecar: Gateway) -> Listener:
    """Build the only listener."""
    connections = Filter(
        name="envoy.filters.network.http_connection_manager",
        typed_config=Any.pack(_http_connections(sidecar)),
    )
    return Listener(
        name="mcp",
        address=build_address(sidecar.listener),
        enable_reuse_port=False,
        max_connections_to_accept_per_socket_event=_ACCEPTED_AT_ONCE,
        per_connection_buffer_limit_bytes=max(sidecar.limits.request_bytes, _MIN_BUFFER_BYTES),
        filter_chains=[FilterChain(filters=[connections])],
    )


def _http_connections(sidecar: Gateway) -> hcm.HttpConnectionManager:
    escaped = hcm.HttpConnectionManagerPathWithEscapedSlashesAction.REJECT_REQUEST
    return hcm.HttpConnectionManager(
        stat_prefix="mcp",
        use_remote_address=True,
        internal_address_config=_nobody_is_internal(),
        normalize_path=True,
        merge_slashes=True,
        path_with_escaped_slashes_action=escaped,
        common_http_protocol_options=_http_options(sidecar.limits),
        http2_protocol_options=_http2_options(),
        max_request_headers_kb=_HEADER_KB,
        request_headers_timeout=_HEADERS_TIMEOUT,
        request_timeout=timedelta(seconds=_BODY_TIMEOUT_S + sidecar.check_timeout_s),
        stream_idle_timeout=_STREAM_IDLE_TIMEOUT,
        proxy_100_continue=False,
        server_header_transformation=hcm.HttpConnectionManagerServerHeaderTransformation.PASS_THROUGH,
        local_reply_config=_local_replies(),
        route_config=build_routes(sidecar.resources),
        http_filters=build_filters(sidecar),
    )


def _nobody_is_internal() -> hcm.HttpConnectionManagerInternalAddressConfig:
    # An empty list stands for the private networks in Envoy 1.40, whose `x-envoy-*` headers control retries.
    nobody = core.CidrRange(address_prefix="255.255.255.255", prefix_len=32)
    return hcm.HttpConnectionManagerInternalAddressConfig(cidr_ranges=[nobody])


def _http_options(limits: EnvoyLimits) -> core.HttpProtocolOptions:
    return core.HttpProtocolOptions(
        idle_timeout=_CONNECTION_IDLE_TIMEOUT,
        max_headers_count=_HEADER_COUNT,
        max_stream_duration=timedelta(seconds=limits.max_stream_duration_s),
        headers_with_underscores_action=core.HttpProtocolOptionsHeadersWithUnderscoresAction.DROP_HEADER,
    )


def _http2_options() -> core.Http2ProtocolOptions:
    return core.Http2ProtocolOptions(
        max_concurrent_streams=100, initial_stream_window_size=65536, initial_connection_window_size=1 << 20
    )


def _local_replies() -> hcm.LocalReplyConfig:
    """Replace what Envoy says about a server that it cannot reach: its own text tells addresses and errors."""
    later = core.HeaderValueOption(header=core.HeaderValue(key="retry-after", value="1"))
    flags = AccessLogFilter(response_flag_filter=ResponseFlagFilter(flags=list(_UPSTREAM_FAILURES)))
    failed = OrFilter(filters=[flags, _has_details('response.code_details == "ext_authz_error"')])
    unavailable = hcm.ResponseMapper(
        filter=AccessLogFilter(or_filter=failed),
        body_format_override=_json(_UNAVAILABLE),
        headers_to_add=[later],
    )
    # No time to retry: the call was made, and may have changed something.
    uninspected = hcm.ResponseMapper(
        filter=_has_details('response.code_details.startsWith("ext_proc_error")'),
        body_format_override=_json(_UNINSPECTED),
    )
    return hcm.LocalReplyConfig(mappers=[unavailable, uninspected])


def _has_details(expression: str) -> AccessLogFilter:
    extension = ExtensionFilter(
        name="envoy.access_loggers.extension_filters.cel",
        typed_config=Any.pack(ExpressionFilter(expression=expression)),
    )
    return AccessLogFilter(extension_filter=extension)


def _json(answer: object) -> core.SubstitutionFormatString:
    text = core.DataSource(inline_string=json.dumps(answer))
    return core.SubstitutionFormatString(text_format_source=text, content_type="application/json")
