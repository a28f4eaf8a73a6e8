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
    ("proc-no-body", _OPEN, "response bodies are not inspected", "set `response_body_mode: STREAMED`"),
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
    (
        "proc-missing",
        _WEAK,
        "no filter asks Process: lists show every tool, and responses pass uninspected",
        "put ext_proc after ext_authz, as `envoy-config` renders it",
    ),
    (
        "proc-response-headers",
        _OPEN,
        "Process does not see the headers of responses: their type, encoding and session",
        "set `response_header_mode: SEND`",
    ),
    (
        "proc-headers-hidden",
        _OPEN,
        "headers of responses that Process is not shown reach clients uninspected",
        "remove `forward_rules`",
    ),
    (
        "proc-header-rules",
        _OPEN,
        "Envoy refuses changes of headers that Process makes",
        "allow all headers in `mutation_rules`",
    ),
    (
        "proc-header-ignored",
        _NOTE,
        "a change of headers that Envoy does not allow Process is ignored without an error",
        "set `disallow_is_error: true` in `mutation_rules`",
    ),
    (
        "proc-mode-override",
        _NOTE,
        "an answer may choose what of a response is inspected; Process never does",
        "remove `allow_mode_override`",
    ),
    (
        "proc-answer-refused",
        _NOTE,
        "Process cannot replace an error page or a redirect: clients get 502 without a reason",
        "remove `disable_immediate_response`",
    ),
    (
        "proc-altered",
        _WEAK,
        "an extension changes what Process is sent, or what its answers do",
        "remove `processing_request_modifier` and `on_processing_response`",
    ),
    (
        "proc-http",
        _OPEN,
        "Process is asked over HTTP, which carries no bodies of responses",
        "use `grpc_service`",
    ),
    (
        "proc-service-per-route",
        _OPEN,
        "another server than the filter's inspects the responses of this way",
        "remove `grpc_service` from the route",
    ),
    (
        "proc-timeout-long",
        _WEAK,
        "responses wait this long for a Process that hangs",
        "set a `message_timeout` of some seconds",
    ),
    (
        "proc-plaintext",
        _OPEN,
        "Process is asked in plain text beyond this machine: anybody on the way can read and answer",
        "use a Unix socket or loopback, or TLS with `trusted_ca`",
    ),
    (
        "proc-unverified",
        _OPEN,
        "TLS to Process verifies no certificate",
        "set `validation_context` with `trusted_ca`",
    ),
    (
        "proc-skip-word",
        _NOTE,
        "the word that skips inspection is not the one of this configuration: it never skips, or its key is an old one",
        "use the word that `envoy-config` prints",
    ),
    (
        "second-proc",
        _WEAK,
        "two ext_proc filters: the one that is listed first changes responses after the other inspected them",
        "keep one, or let the one that asks Process be listed first",
    ),
    (
        "response-altered",
        _WEAK,
        "responses are changed or replaced after Process inspected them",
        "list the filter after ext_proc, or remove it",
    ),
    (
        "local-reply",
        _NOTE,
        "a local reply may take the place of what Check or Process answers",
        "limit the mapper to flags or details of Envoy's own errors",
    ),
    (
        "filter-optional",
        _OPEN,
        "an Envoy that does not know this filter leaves it out without an error",
        "remove `is_optional`",
    ),
    (
        "early-data",
        _WEAK,
        "a request in TLS early data can be replayed by anybody who recorded it",
        "remove `early_data_policy`",
    ),
    (
        "runtime-guard",
        _OPEN,
        "a runtime key switches off a fix of ext_authz or ext_proc",
        "remove the key",
    ),
    (
        "version-proc",
        _WEAK,
        "this Envoy passes responses uninspected if it cannot create its client of Process (issue 45220); before"
        " 1.38.3, 1.37.5, 1.36.9 and 1.35.13 a wrong answer of Process ends it (CVE-2026-47207)",
        "run Envoy 1.39 or later",
    ),
    (
        "version-authz",
        _WEAK,
        "a request can end this Envoy: CONNECT without a path (CVE-2026-73547), a denial of ext_authz over HTTP"
        " (CVE-2026-50572); before 1.38.3, 1.37.5 and 1.36.9 one that ends while a route's own service is asked"
        " (CVE-2026-47205)",
        "run Envoy 1.40 or later, or 1.39.1, 1.38.4, 1.37.6 or 1.36.10",
    ),
)
