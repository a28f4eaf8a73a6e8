{{/* The configuration file, and what in it does not go with the rest of the values. */}}

{{/* What the chart decides: where agen-authz listens, and where its files are. */}}
{{- define "agen.server" -}}
{{- $server := deepCopy (default dict .Values.config.server) -}}
{{- if eq .Values.mode "sidecar" -}}
{{- $_ := set $server "authz" "unix:///run/agen/check.sock" -}}
{{- $_ := set $server "proc" "unix:///run/agen/process.sock" -}}
{{- else -}}
{{- $_ := set $server "authz" (printf "%s:9191" .Values.listen) -}}
{{- $_ := set $server "proc" (printf "%s:9192" .Values.listen) -}}
{{- end -}}
{{- $_ := set $server "ops" (printf "%s:9464" .Values.listen) -}}
{{- if .Values.config.console -}}
{{- $_ := set $server "console" (printf "%s:%d" .Values.listen (int .Values.console.port)) -}}
{{- end -}}
{{- if .Values.tls.existingSecret -}}
{{- $_ := set $server "tls" (dict "cert_file" "/etc/agen/tls/tls.crt" "key_file" "/etc/agen/tls/tls.key" "client_ca_file" "/etc/agen/tls/ca.crt") -}}
{{- end -}}
{{- if .Values.metadataKey.existingSecret -}}
{{- $_ := set $server "metadata_key_file" (printf "/etc/agen/metadata/%s" .Values.metadataKey.key) -}}
{{- end -}}
{{- toYaml $server -}}
{{- end -}}

{{- define "agen.config" -}}
{{- $config := deepCopy .Values.config -}}
{{- $_ := set $config "server" (include "agen.server" . | fromYaml) -}}
{{ toYaml (omit $config "end") }}
{{- if $config.end }}
end: true
{{- end }}
{{- end -}}

{{/* The keys that are read at the start only: if one changes, the pods start again. */}}
{{- define "agen.fixed" -}}
{{- $limits := pick (default dict .Values.config.limits) "request_bytes" "in_flight" "sessions" "store_timeout" -}}
{{- $mapping := dig "access" "mapping" "" .Values.config -}}
{{- $people := list (not (empty .Values.config.console)) (not (empty (dig "approvals" "flows" list .Values.config))) -}}
{{- dict "people" $people "server" (include "agen.server" . | fromYaml) "store" (default dict .Values.config.store) "limits" $limits "mapping" $mapping | toJson -}}
{{- end -}}

{{- define "agen.checksum" -}}
{{- if .Values.reload.restart -}}
{{- include "agen.config" . | sha256sum -}}
{{- else -}}
{{- include "agen.fixed" . | sha256sum -}}
{{- end -}}
{{- end -}}

{{/* `sqlite`, or `shared` for every other store. */}}
{{- define "agen.store" -}}
{{- $store := default dict .Values.config.store -}}
{{- $url := default "" $store.url -}}
{{- if or (hasPrefix "sqlite:" $url) (not (or $url $store.url_env $store.url_file)) -}}sqlite{{- else -}}shared{{- end -}}
{{- end -}}

{{/* The host and the path of `approvals.base_url`: where browsers open the console. */}}
{{- define "agen.consoleHost" -}}
{{- (urlParse (dig "approvals" "base_url" "" .Values.config | default "")).hostname -}}
{{- end -}}

{{- define "agen.consolePath" -}}
{{- (urlParse (dig "approvals" "base_url" "" .Values.config | default "")).path | trimSuffix "/" | default "/" -}}
{{- end -}}

{{- define "agen.mostReplicas" -}}
{{- if .Values.autoscaling.enabled -}}{{ .Values.autoscaling.maxReplicas | int }}{{- else -}}{{ .Values.replicas | int }}{{- end -}}
{{- end -}}

{{/* How many processes inspect responses: one port of Process each. */}}
{{- define "agen.workers" -}}
{{- dig "server" "filter_workers" 1 .Values.config | int -}}
{{- end -}}

{{/* A duration as the configuration has it, in milliseconds. */}}
{{- define "agen.milliseconds" -}}
{{- $number := regexFind "^[0-9]+" . | int64 -}}
{{- $unit := regexFind "[a-z]+$" . -}}
{{- mul $number (get (dict "ms" 1 "s" 1000 "m" 60000 "h" 3600000 "d" 86400000) $unit) -}}
{{- end -}}

{{- define "agen.duration" -}}
{{- $ms := include "agen.milliseconds" . | int64 -}}
{{- if mod $ms 1000 -}}{{ $ms }}ms{{- else -}}{{ div $ms 1000 }}s{{- end -}}
{{- end -}}

{{/* A size as the configuration has it, in bytes. */}}
{{- define "agen.bytes" -}}
{{- $number := regexFind "^[0-9]+" . | int64 -}}
{{- $unit := regexFind "[A-Za-z]+$" . -}}
{{- mul $number (get (dict "B" 1 "KiB" 1024 "MiB" 1048576 "GiB" 1073741824) $unit) -}}
{{- end -}}

{{- define "agen.requestBytes" -}}
{{- include "agen.bytes" (dig "limits" "request_bytes" "1MiB" .Values.config) -}}
{{- end -}}

{{- define "agen.checkTimeout" -}}
{{- dig "server" "check_timeout" "1s" .Values.config -}}
{{- end -}}

{{/* Seconds between SIGTERM and SIGKILL: the drain, the grace of calls, and five more. */}}
{{- define "agen.graceSeconds" -}}
{{- $grace := div (add (include "agen.milliseconds" (dig "server" "shutdown_grace" "20s" .Values.config) | int64) 999) 1000 -}}
{{- add .Values.drainSeconds $grace 5 -}}
{{- end -}}

{{/* The word that skips Process; empty if only the key's holder knows it. */}}
{{- define "agen.offWord" -}}
{{- if .Values.offWord -}}{{ .Values.offWord }}{{- else if not .Values.metadataKey.existingSecret -}}off{{- end -}}
{{- end -}}

{{/* Every value of a key that ends in `_file`, one a line. */}}
{{- define "agen.files" -}}
{{- range $key, $value := . -}}
{{- if or (kindIs "map" $value) (kindIs "slice" $value) -}}
{{ include "agen.files" $value }}
{{- else if and (kindIs "string" $key) (kindIs "string" $value) -}}
{{- if hasSuffix "_file" $key }}{{ $value }}
{{ end -}}
{{- end -}}
{{- end -}}
{{- end -}}
