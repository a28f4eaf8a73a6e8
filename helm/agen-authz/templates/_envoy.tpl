{{/* Parts of Envoy's own configuration, as `agen-authz envoy-config` renders them; a test compares the two. */}}

{{- define "agen.breaker" -}}
maxConnections: 10000
maxPendingRequests: 10000
maxParallelRequests: 10000
{{- end -}}

{{- define "agen.headerRules" -}}
allow_all_routing: false
allow_envoy: true
disallow_system: true
disallow_expression: {regex: (host|content-length|transfer-encoding)}
disallow_is_error: true
{{- end -}}

{{- define "agen.headerRemover" -}}
name: envoy.filters.http.header_mutation
typed_config:
  "@type": type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation
  mutations:
    request_mutations: [{remove_on_match: {key_matcher: {prefix: x-envoy-}}}]
    response_mutations: [{remove_on_match: {key_matcher: {prefix: x-envoy-}}}]
{{- end -}}

{{- define "agen.removedHeaders" -}}
[server, www-authenticate, location, set-cookie]
{{- end -}}

{{- define "agen.skip" -}}
on_match:
  action:
    name: skip
    typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.common.matcher.action.v3.SkipFilter}
{{- end -}}

{{/* ext_proc in the matcher that skips it: takes `cluster`, Envoy's name for Process, and `word`. */}}
{{- define "agen.process" -}}
"@type": type.googleapis.com/envoy.extensions.common.matching.v3.ExtensionWithMatcher
xds_matcher:
  matcher_list:
    matchers:
      {{- if .word }}
      - predicate:
          single_predicate:
            input:
              name: agen.inspect
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.matching.common_inputs.network.v3.DynamicMetadataInput
                filter: envoy.filters.http.ext_authz
                path: [{key: agen.inspect}]
            custom_match:
              name: "off"
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.matching.input_matchers.metadata.v3.Metadata
                value: {string_match: {exact: {{ .word | quote }}}}
        {{- include "agen.skip" . | nindent 8 }}
      {{- end }}
      - predicate:
          single_predicate:
            input:
              name: local_reply
              typed_config:
                "@type": type.googleapis.com/envoy.type.matcher.v3.HttpResponseLocalReplyMatchInput
            value_match: {exact: "true"}
        {{- include "agen.skip" . | nindent 8 }}
extension_config:
  name: envoy.filters.http.ext_proc
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor
    grpc_service: {envoy_grpc: {cluster_name: {{ .cluster | quote }}}}
    processing_mode:
      request_header_mode: SKIP
      response_header_mode: SEND
      response_body_mode: STREAMED
      request_trailer_mode: SKIP
      response_trailer_mode: SEND
    message_timeout: 5s
    stat_prefix: agen
    mutation_rules: {allow_envoy: true, disallow_is_error: true}
    metadata_options: {forwarding_namespaces: {untyped: [envoy.filters.http.ext_authz]}}
    route_cache_action: RETAIN
    allow_content_length_header: true
    status_on_error: {code: BadGateway}
{{- end -}}
