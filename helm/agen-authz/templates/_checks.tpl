{{/* What the template refuses. Each message says what to do. */}}

{{- define "agen.checks" -}}
{{- include "agen.checkConfig" . -}}
{{- include "agen.checkStore" . -}}
{{- include "agen.checkMapping" . -}}
{{- include "agen.checkFiles" . -}}
{{- include "agen.checkConsole" . -}}
{{- if eq .Values.mode "sidecar" }}{{ include "agen.checkSidecar" . }}{{ end -}}
{{- if eq .Values.mode "istio" }}{{ include "agen.checkIstio" . }}{{ end -}}
{{- if eq .Values.mode "envoyGateway" }}{{ include "agen.checkGateway" . }}{{ end -}}
{{- if .Values.tests.enabled }}{{ include "agen.checkTests" . }}{{ end -}}
{{- end -}}

{{- define "agen.checkConfig" -}}
{{- range $key := list "version" "providers" "resources" "access" -}}
{{- if not (hasKey $.Values.config $key) -}}
{{- fail (printf "`config.%s` is missing: put your agen.yaml under `config:` (docs/kubernetes.md)" $key) -}}
{{- end -}}
{{- end -}}
{{- $server := default dict .Values.config.server -}}
{{- range $key := list "authz" "proc" "ops" "console" "tls" "metadata_key_file" -}}
{{- if hasKey $server $key -}}
{{- fail (printf "`config.server.%s` is set by the chart: remove it (`tls.existingSecret` and `metadataKey.existingSecret` bring files)" $key) -}}
{{- end -}}
{{- end -}}
{{- if and (ne .Values.mode "sidecar") (not .Values.tls.existingSecret) (not $server.insecure_plaintext) -}}
{{- fail "Envoy asks over the network here: set `tls.existingSecret`, or `config.server.insecure_plaintext: true` if a mesh encrypts or you accept plain text within the NetworkPolicy" -}}
{{- end -}}
{{- end -}}

{{- define "agen.checkStore" -}}
{{- $most := include "agen.mostReplicas" . | int -}}
{{- if and (gt $most 1) (eq (include "agen.store" .) "sqlite") -}}
{{- fail (printf "%d replicas cannot share an SQLite store: set `replicas: 1` and `autoscaling.enabled: false`, or a store that they share in `config.store`" $most) -}}
{{- end -}}
{{- $url := dig "store" "url" "" .Values.config | default "" -}}
{{- if and (hasPrefix "sqlite:" $url) (not (hasPrefix "sqlite:////var/lib/agen/" $url)) -}}
{{- fail (printf "`config.store.url` is `%s`, a place that cannot be written: put the store into /var/lib/agen, as sqlite:////var/lib/agen/agen.db" $url) -}}
{{- end -}}
{{- if and (gt $most 1) (ne .Values.mode "sidecar") (not .Values.metadataKey.existingSecret) -}}
{{- fail "with more than one replica Check and Process are different pods: set `metadataKey.existingSecret`" -}}
{{- end -}}
{{- end -}}

{{/* The store remembers the first mapping and refuses another one: refused here, before pods start with it. */}}
{{- define "agen.checkMapping" -}}
{{- $old := lookup "v1" "ConfigMap" .Release.Namespace (include "agen.name" .) -}}
{{- if $old -}}
{{- $before := dig "access" "mapping" "" (fromYaml (dig "data" "agen.yaml" "" $old)) -}}
{{- $now := dig "access" "mapping" "" .Values.config -}}
{{- if and $before $now (ne $before $now) -}}
{{- fail (printf "`config.access.mapping` is `%s` in this release and cannot become `%s`: keep it, or review every rule and install a new release with a new store" $before $now) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "agen.checkFiles" -}}
{{- $names := list -}}
{{- range .Values.secrets }}{{ $names = append $names .name }}{{ end -}}
{{- range $file := splitList "\n" (include "agen.files" .Values.config) -}}
{{- $file = trim $file -}}
{{- if hasPrefix "/etc/agen/secrets/" $file -}}
{{- $name := index (splitList "/" $file) 4 -}}
{{- if not (has $name $names) -}}
{{- fail (printf "`config` names `%s`, which nothing mounts: add `{name: %s, existingSecret: ...}` to `secrets`" $file $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "agen.checkConsole" -}}
{{- $ingress := .Values.console.ingress -}}
{{- $host := include "agen.consoleHost" . -}}
{{- if and $ingress.enabled (not .Values.config.console) -}}
{{- fail "`console.ingress` leads to the console, which `config.console` configures: write that section, or set `console.ingress.enabled: false`" -}}
{{- end -}}
{{- if and .Values.config.console (not $host) -}}
{{- fail "`config.approvals.base_url` is missing: the address at which approvers open the console" -}}
{{- end -}}
{{- if and $ingress.enabled $ingress.host (ne $ingress.host $host) -}}
{{- fail (printf "`console.ingress.host` is `%s`, and the console answers only as `%s`, the host of `config.approvals.base_url`: make them the same, or leave `host` out" $ingress.host $host) -}}
{{- end -}}
{{- if and .Values.config.console (eq .Values.mode "sidecar") (regexMatch (printf "port_value: %d\\b" (int .Values.console.port)) .Values.sidecar.envoy.bootstrap) -}}
{{- fail (printf "port %d is the MCP server's or Envoy's (`sidecar.envoy.bootstrap`), and the console is in the same pod: set `console.port` to another one" (int .Values.console.port)) -}}
{{- end -}}
{{- end -}}

{{- define "agen.checkSidecar" -}}
{{- if not (default dict .Values.sidecar.server).image -}}
{{- fail "`sidecar.server` is missing: write the MCP server's container, with its `image`" -}}
{{- end -}}
{{- $text := .Values.sidecar.envoy.bootstrap -}}
{{- if not $text -}}
{{- fail "`sidecar.envoy.bootstrap` is missing: `agen-authz envoy-config` prints it, and `--set-file sidecar.envoy.bootstrap=envoy.yaml` gives it" -}}
{{- end -}}
{{- if not (contains "path: /run/agen/check.sock" $text) -}}
{{- fail "`sidecar.envoy.bootstrap` does not ask at /run/agen/check.sock: render it with `--authz unix:///run/agen/check.sock`" -}}
{{- end -}}
{{- if not (contains "path: /run/agen/process.sock" $text) -}}
{{- fail "`sidecar.envoy.bootstrap` does not ask at /run/agen/process.sock: render it with `--proc unix:///run/agen/process.sock`" -}}
{{- end -}}
{{- if not (contains (printf "port_value: %d" (int .Values.sidecar.envoy.port)) $text) -}}
{{- fail (printf "`sidecar.envoy.bootstrap` does not listen on port %d: render it with `--listen 0.0.0.0:%d`, or set `sidecar.envoy.port`" (int .Values.sidecar.envoy.port) (int .Values.sidecar.envoy.port)) -}}
{{- end -}}
{{- if and .Values.metadataKey.existingSecret (contains "exact: 'off'" $text) -}}
{{- fail "`sidecar.envoy.bootstrap` has the plain word `off` and `metadataKey` is set: render it where the key file is, with `server.metadata_key_file`" -}}
{{- end -}}
{{- end -}}

{{- define "agen.checkIstio" -}}
{{- if not .Values.istio.workloads -}}
{{- fail "`istio.workloads` is missing: name the MCP server's pods, such as `[{name: crm, labels: {app: crm}}]`" -}}
{{- end -}}
{{- if gt (include "agen.workers" . | int) 1 -}}
{{- fail "Istio sends every response to one Process: set `config.server.filter_workers: 1`" -}}
{{- end -}}
{{- end -}}

{{- define "agen.checkGateway" -}}
{{- $known := list -}}
{{- range .Values.config.resources }}{{ $known = append $known .name }}{{ end -}}
{{- range $name, $_ := .Values.envoyGateway.upstreams -}}
{{- if not (has $name $known) -}}
{{- fail (printf "`envoyGateway.upstreams.%s` is not one of `config.resources`: use a resource's name" $name) -}}
{{- end -}}
{{- end -}}
{{- with .Values.envoyGateway.gateway -}}
{{- if and .create (eq .listener.protocol "HTTPS") (not .listener.tlsSecret) -}}
{{- fail "an HTTPS listener needs `envoyGateway.gateway.listener.tlsSecret`" -}}
{{- end -}}
{{- end -}}
{{- if not (or .Values.envoyGateway.patches (dig "server" "insecure_accept_text_bodies" false .Values.config)) -}}
{{- fail "without patches Envoy Gateway hands bodies over as text, and Check denies every call: set `envoyGateway.patches: true`, or `config.server.insecure_accept_text_bodies: true`" -}}
{{- end -}}
{{- end -}}

{{- define "agen.checkTests" -}}
{{- with .Values.tests -}}
{{- if not (or .url (eq $.Values.mode "sidecar")) -}}
{{- fail "`tests.url` is missing: the URL of an MCP server behind Envoy, as a pod reaches it" -}}
{{- end -}}
{{- if not (or .token.existingSecret (and .clientCredentials.existingSecret .clientCredentials.url)) -}}
{{- fail "the calls of `helm test` need a token: set `tests.token.existingSecret`, or `tests.clientCredentials`" -}}
{{- end -}}
{{- range $name := list "allowed" "denied" "masked" -}}
{{- if not (dig $name "tool" "" $.Values.tests) -}}
{{- fail (printf "`tests.%s.tool` is missing: name the tool to call" $name) -}}
{{- end -}}
{{- end -}}
{{- if not .masked.absent -}}
{{- fail "`tests.masked.absent` is missing: the value that must not be in the answer" -}}
{{- end -}}
{{- end -}}
{{- end -}}
