"""The kinds of findings that are about responses: ext_proc and what surrounds it."""

from agen_authz.envoy.check.report import Severity

_OPEN, _WEAK, _NOTE, _HINT = Severity.OPEN, Severity.WEAK, Severity.NOTE, Severity.HINT

RESPONSE_ROWS = (
    (
        "proc-failure-mode-allow",
        _OPEN,
        "responses pass unmasked while Process is down or late",
        "set `failure_mode_allow: false`",
    ),
    ("proc-disabled", _OPEN, "responses of this way are not inspected", "remove `disabled` here"),
    ("proc-observing", _OPEN, "Process sees responses, and cannot change them", "remove `observability_mode`"),
    ("proc-partial", _OPEN, "what is beyond the buffer passes uninspected", "set `response_body_mode: STREAMED`"),
    (
        "proc-grpc-mode",
        _OPEN,
        "`GRPC` is accepted and not implemented: bodies pass uninspected",
        "set `response_body_mode: STREAMED`",
    ),
    ("proc-no-body", _WEAK, "response bodies are not inspected", "set `response_body_mode: STREAMED`"),
    (
        "proc-buffered",
        _NOTE,
        "an event stream is held until it ends, and more than 1 MiB is 500",
        "set `response_body_mode: STREAMED`",
    ),
    (
        "proc-request-headers",
        _WEAK,
        "a filter may write request headers after the decision",
        "set `request_header_mode: SKIP`",
    ),
    (
        "proc-request-body",
        _OPEN,
        "a filter may write the request's body after the decision",
        "set `request_body_mode: NONE`",
    ),
    ("proc-timeout", _WEAK, "the deadline of Process is Envoy's 200 ms, or none", "set `message_timeout: 0.5s`"),
    ("proc-status", _NOTE, "a failure of Process is not answered with 502", "set `status_on_error` to 502"),
    (
        "proc-content-length",
        _WEAK,
        "a body that Process changed is sent under the length that it had",
        "remove `allow_content_length_header`",
    ),
    (
        "proc-trailers",
        _WEAK,
        "trailers of responses reach HTTP/2 clients uninspected",
        "set `response_trailer_mode: SEND`, or speak HTTP/1.1 to the backend",
    ),
    (
        "proc-breakers",
        _HINT,
        "1,024 responses may be open at once, event streams included; more fail",
        "raise `max_requests` of the cluster's circuit breakers",
    ),
    (
        "proc-metadata",
        _WEAK,
        "Process does not get what Check said, and inspects with every preset",
        "forward `envoy.filters.http.ext_authz` in `metadata_options.forwarding_namespaces.untyped`",
    ),
    (
        "proc-decompressor",
        _WEAK,
        "a decompressor listed after ext_proc makes compressed responses hang",
        "list it before ext_proc, or remove it",
    ),
    (
        "proc-compressor",
        _WEAK,
        "a compressor listed after ext_proc compresses before Process can read",
        "list it before ext_proc",
    ),
    (
        "proc-skip-plain",
        _WEAK,
        "the word that skips inspection is plain `off`, which any filter can write",
        "set `metadata_key_file`, and use the word that `envoy-config` prints",
    ),
    (
        "proc-skip-other",
        _OPEN,
        "inspection is skipped on something else than what Check said",
        "match `agen.inspect` of `envoy.filters.http.ext_authz` only",
    ),
    (
        "proc-order",
        _WEAK,
        "ext_proc comes before ext_authz: denials are not seen to be ours, and metadata comes late",
        "list ext_proc after ext_authz",
    ),
    (
        "backend-headers",
        _NOTE,
        "the backend's `server`, `www-authenticate`, `location` or `set-cookie` reach clients",
        "list them in `response_headers_to_remove`",
    ),
    (
        "backend-envoy-headers",
        _NOTE,
        "`x-envoy-*` headers of responses reach clients",
        "put a `header_mutation` with `remove_on_match` of the prefix `x-envoy-` first",
    ),
)
