"""Every kind of finding, its risk and its cure; docs/envoy-check.md shows this table."""

from agen_authz.envoy.check.defect_response import RESPONSE_ROWS
from agen_authz.envoy.check.report import Defect, Severity

_OPEN, _WEAK, _NOTE, _HINT = Severity.OPEN, Severity.WEAK, Severity.NOTE, Severity.HINT

_REACH = (
    (
        "unread",
        _OPEN,
        "a part of the file could not be read, so nothing is known about it",
        "write it plainly, or check Envoy's own `/config_dump`",
    ),
    (
        "nothing-checked",
        _OPEN,
        "nothing in this file says how Envoy asks Check",
        "give a bootstrap, a `/config_dump`, a listener, or manifests of Istio or Envoy Gateway",
    ),
    (
        "unread-listeners",
        _WEAK,
        "listeners come from elsewhere and were not checked",
        "check `/config_dump` of the running Envoy",
    ),
    (
        "unread-routes",
        _WEAK,
        "routes come from elsewhere or from a matcher tree: some may switch Check off",
        "check `/config_dump`, and write routes as a list",
    ),
    (
        "unread-filter",
        _WEAK,
        "a filter's settings come from elsewhere: it may write metadata or alter requests",
        "write the filter's `typed_config` in place",
    ),
    (
        "unread-patch",
        _WEAK,
        "this manifest patches Envoy's configuration, or runs code in it, in a way not checked",
        "check `/config_dump` of the Envoy that it is applied to",
    ),
    (
        "unchecked",
        _OPEN,
        "this carries traffic, or changes how Envoy does, in a way that is not checked here",
        "check `/config_dump` of the Envoy that it becomes",
    ),
    (
        "unread-cluster",
        _NOTE,
        "the cluster of Check or Process is not in this file: whether it is reached safely is not known",
        "check the whole bootstrap, or `/config_dump`",
    ),
    (
        "authz-missing",
        _OPEN,
        "no filter asks Check, and requests are routed to a cluster",
        "put `envoy.filters.http.ext_authz` before the router",
    ),
    (
        "bypass-listener",
        _OPEN,
        "a cluster behind Check is reached through this listener without Check",
        "remove the listener's way there, or put ext_authz into its chain",
    ),
    (
        "unguarded-listener",
        _WEAK,
        "this listener routes to a cluster without Check",
        "make sure that no MCP server is behind that cluster",
    ),
    (
        "route-disabled",
        _OPEN,
        "Check is not asked on this way to a cluster",
        "remove `disabled` here; only routes that lead nowhere may have it",
    ),
    (
        "filter-disabled",
        _OPEN,
        "ext_authz is off unless a route switches it on, and this way to a cluster does not",
        "remove `disabled: true` from the filter",
    ),
    ("authz-removed", _OPEN, "the patch takes ext_authz out of the chain", "remove the patch"),
    (
        "authz-skippable",
        _OPEN,
        "a matcher around ext_authz can skip it",
        "put ext_authz into the chain without a matcher",
    ),
    ("fraction", _OPEN, "only a share of the requests is checked", "remove `filter_enabled`"),
    (
        "fraction-runtime",
        _WEAK,
        "a runtime key can lower the share of requests that is checked",
        "remove `filter_enabled`",
    ),
    (
        "fraction-denied",
        _NOTE,
        "a share of the requests is denied without Check being asked",
        "remove `filter_enabled` and `deny_at_disable`",
    ),
    (
        "enabled-by-metadata",
        _OPEN,
        "Check is asked only where metadata says so, and not all requests are seen to have it",
        "remove `filter_enabled_metadata`; with Istio, use `rules: [{}]`",
    ),
    ("shadow-mode", _OPEN, "denials are counted, not enforced", "remove `shadow_mode`"),
    (
        "istio-rules",
        _OPEN,
        "only requests that match these rules are checked, every other one passes",
        "write `rules: [{}]`; agen-authz decides on paths itself",
    ),
    (
        "istio-provider",
        _OPEN,
        "the policy names no extension provider that asks for authorization: Check is not asked",
        "name one of the mesh's `extensionProviders`",
    ),
    (
        "unread-provider",
        _WEAK,
        "the mesh's `extensionProviders` are not in this file: whom the policy asks, and how, is not known",
        "check them together, or `/config_dump`",
    ),
    (
        "unguarded-route",
        _OPEN,
        "no policy in this file asks Check about what is forwarded here",
        "let a policy with `extAuth` target the route or its gateway, in the namespace of its target",
    ),
    (
        "policy-overrides",
        _OPEN,
        "a SecurityPolicy without `extAuth` replaces a wider one that has it",
        "repeat `extAuth` in it, or set `mergeType`",
    ),
)

_AUTHZ = (
    (
        "failure-mode-allow",
        _OPEN,
        "requests pass unseen while Check is down or late",
        "set `failure_mode_allow: false`",
    ),
    (
        "http-authz",
        _OPEN,
        "Check is asked over HTTP: any 200 allows, and no metadata or removals come back",
        "use `grpc_service`",
    ),
    (
        "service-per-route",
        _OPEN,
        "another server than the filter's decides on this way",
        "remove `grpc_service` from the route",
    ),
    ("no-body", _OPEN, "Check does not see the call", "set `with_request_body`"),
    (
        "partial-body",
        _OPEN,
        "Check sees the beginning of a larger body, the backend all of it",
        "set `allow_partial_message: false`",
    ),
    (
        "headers-hidden",
        _OPEN,
        "headers that Check is not shown reach the backend unseen",
        "remove `allowed_headers` and `disallowed_headers`",
    ),
    (
        "header-rules-deny",
        _OPEN,
        "Envoy ignores headers that Check sets or removes: a client's own `agen-*` would pass",
        "allow `agen-*`, `signature`, `signature-input`, `content-digest` and removals in the rules",
    ),
    (
        "header-rules-envoy",
        _WEAK,
        "removals of `x-envoy-*` are silently ignored",
        "set `allow_envoy: true` in these rules",
    ),
    (
        "header-rules-missing",
        _NOTE,
        "an answer of Check may replace even `host`",
        "set `decoder_header_mutation_rules`",
    ),
    (
        "body-as-text",
        _WEAK,
        "bytes that are not UTF-8 are replaced for Check and kept for the backend",
        "set `pack_as_bytes: true`",
    ),
    (
        "body-limit-small",
        _NOTE,
        "good calls beyond this size are 413",
        "raise `max_request_bytes` to `limits.request_bytes`",
    ),
    (
        "body-limit-large",
        _WEAK,
        "Envoy buffers more for strangers than Check reads",
        "lower `max_request_bytes` to `limits.request_bytes`",
    ),
    (
        "timeout-missing",
        _WEAK,
        "the deadline is the platform's: 200 ms in Envoy, 10 s in Envoy Gateway, 600 s in Istio",
        "set a timeout of about a second",
    ),
    ("timeout-long", _WEAK, "requests wait this long for a Check that hangs", "set a timeout of about a second"),
    (
        "status-on-error",
        _WEAK,
        "while Check is down clients get 403 and authorize again, or another misleading status",
        "set `status_on_error` to 503",
    ),
    (
        "mutations-unvalidated",
        _WEAK,
        "a header that cannot be sent ends in an answer that names it",
        "set `validate_mutations: true`",
    ),
    (
        "headers-joined",
        _WEAK,
        "repeated headers are joined and bytes replaced before Check sees them",
        "set `encode_raw_headers: true`",
    ),
    (
        "metadata-off",
        _WEAK,
        "what Check says about the response is thrown away",
        "remove `enable_dynamic_metadata_ingestion: false`",
    ),
    (
        "clear-route-cache",
        _WEAK,
        "the route is chosen again after the decision, perhaps one with other settings",
        "remove `clear_route_cache`",
    ),
    (
        "second-authz",
        _WEAK,
        "two ext_authz filters write one metadata namespace, the later one wins",
        "keep one, or let Check's be the last",
    ),
    (
        "authz-plaintext",
        _OPEN,
        "Check is asked in plain text beyond this machine: anybody on the way can answer",
        "use a Unix socket or loopback, or TLS with `trusted_ca`",
    ),
    ("authz-unverified", _OPEN, "TLS to Check verifies no certificate", "set `validation_context` with `trusted_ca`"),
    (
        "authz-resets",
        _HINT,
        "calls that clients abort can end a connection to Check, and with it other callers' Checks",
        "set `max_requests_per_connection: 10`; 50 with TLS",
    ),
)

_CONNECTION = (
    (
        "underscores",
        _WEAK,
        "`agen_subject` passes next to `agen-subject`, and frameworks read both as one",
        "set `headers_with_underscores_action: DROP_HEADER`",
    ),
    (
        "normalize-path",
        _WEAK,
        "`/a/../b` is decided on as it came, and read differently behind Envoy",
        "set `normalize_path: true`",
    ),
    (
        "merge-slashes",
        _WEAK,
        "`//` is decided on as it came, and read differently behind Envoy",
        "set `merge_slashes: true`",
    ),
    (
        "escaped-slashes",
        _WEAK,
        "`%2F` means different things to different servers",
        "set `path_with_escaped_slashes_action: REJECT_REQUEST`",
    ),
    (
        "remote-address",
        _WEAK,
        "a stranger's `x-envoy-*` and `x-forwarded-for` are trusted",
        "set `use_remote_address: true`",
    ),
    (
        "internal-clients",
        _NOTE,
        "clients of the networks named here, or of private ones, keep their `x-envoy-*` headers, which control retries",
        "set `internal_address_config` to 255.255.255.255/32, or remove `x-envoy-*` before ext_authz",
    ),
    ("upgrade", _OPEN, "an upgrade opens a tunnel whose content is not inspected", "remove `upgrade_configs`"),
    ("proxy-100", _WEAK, "1xx answers carry headers past every filter", "remove `proxy_100_continue`"),
    ("stream-duration", _WEAK, "a stream outlives its token without end", "set a finite `max_stream_duration`"),
    (
        "admin-exposed",
        _OPEN,
        "Envoy's admin interface, which can stop Envoy and shows its secrets, is open to the network",
        "bind `admin.address` to loopback",
    ),
)

_ROUTE = (
    (
        "mirror",
        _OPEN,
        "a copy of each call, its token removed or not, goes to another cluster",
        "remove `request_mirror_policies`",
    ),
    ("retry", _WEAK, "one decision is used for several calls", "remove `retry_policy`"),
    ("hedge", _WEAK, "one decision is used for several calls", "remove `hedge_policy`"),
    (
        "internal-redirect",
        _WEAK,
        "a backend's redirect makes Envoy send the call elsewhere",
        "remove `internal_redirect_policy`",
    ),
    (
        "cluster-by-request",
        _OPEN,
        "the request says which cluster it goes to, or which host",
        "name the `cluster`, and in it the addresses",
    ),
    (
        "broad-match",
        _NOTE,
        "paths without a resource reach Check; only Check keeps them from the backend",
        "match each resource by `path`",
    ),
    (
        "headers-after",
        _OPEN,
        "after the decision, a header that the backend trusts is written or removed",
        "leave `agen-*`, `mcp-*`, `authorization`, `last-event-id`, `signature`, `signature-input` and `content-digest`"
        " alone",
    ),
    (
        "unknown-after",
        _WEAK,
        "a filter that is not known here acts after the decision",
        "put it before ext_authz, or remove it",
    ),
    ("altered-after", _OPEN, "a filter alters requests after the decision", "put it before ext_authz, or remove it"),
    (
        "script-after",
        _OPEN,
        "code that runs after the decision may alter the call, its route or our metadata",
        "put it before ext_authz, or remove it",
    ),
    (
        "script-before",
        _NOTE,
        "code that runs before ext_authz acts on responses after it",
        "make sure that it does not alter responses",
    ),
    (
        "mcp-filter",
        _NOTE,
        "Envoy's MCP filter is outside of Envoy's own threat model, and passes what it cannot read",
        "remove it: Check reads the body itself",
    ),
    (
        "metadata-after",
        _OPEN,
        "a filter after ext_authz writes the namespace `envoy.filters.http.ext_authz`",
        "write another namespace",
    ),
    (
        "metadata-before",
        _WEAK,
        "a filter before ext_authz writes the namespace `envoy.filters.http.ext_authz`",
        "write another namespace",
    ),
    ("cache", _OPEN, "answers to one caller are stored, and given to others", "remove the cache filter"),
)


def load_defects() -> dict[str, Defect]:
    """Build the table, by id."""
    rows = (*_REACH, *_AUTHZ, *_CONNECTION, *_ROUTE, *RESPONSE_ROWS)
    return {defect_id: Defect(severity, risk, cure) for defect_id, severity, risk, cure in rows}
