{{/* The container of agen-authz, and what it mounts. */}}

{{- define "agen.container" -}}
name: agen-authz
image: {{ include "agen.ownImage" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
args: [serve, --config, /etc/agen/config/agen.yaml]
{{- with .Values.extraEnv }}
env:
  {{- toYaml . | nindent 2 }}
{{- end }}
ports:
  {{- if ne .Values.mode "sidecar" }}
  - {name: grpc-check, containerPort: 9191}
  {{- range $number := until (include "agen.workers" . | int) }}
  - {name: grpc-process{{ if $number }}-{{ add1 $number }}{{ end }}, containerPort: {{ add 9192 $number }}}
  {{- end }}
  {{- end }}
  - {name: http-ops, containerPort: 9464}
  {{- if .Values.config.console }}
  - {name: console, containerPort: {{ .Values.console.port }}}
  {{- end }}
securityContext:
  {{- toYaml .Values.securityContext | nindent 2 }}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
{{ include "agen.probes" . }}
{{- if ne .Values.mode "sidecar" }}
lifecycle:
  preStop: {sleep: {seconds: {{ .Values.drainSeconds }}}}
{{- end }}
volumeMounts:
  {{- include "agen.mounts" . | nindent 2 }}
  {{- if eq .Values.mode "sidecar" }}
  - {name: sockets, mountPath: /run/agen}
  {{- end }}
  {{- with .Values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{/*
The kubelet speaks gRPC only without TLS and over TCP. Liveness is the supervisor's: it starts its workers again. What
starts does not depend on the identity provider, which readiness does: an outage there must not restart pods.
*/}}
{{- define "agen.probes" -}}
{{- $grpc := and (ne .Values.mode "sidecar") (not .Values.tls.existingSecret) -}}
{{- if ne .Values.probes.type "auto" }}{{ $grpc = eq .Values.probes.type "grpc" }}{{ end -}}
startupProbe:
  {{- if $grpc }}
  grpc: {port: 9192, service: envoy.service.ext_proc.v3.ExternalProcessor}
  {{- else }}
  httpGet: {path: /livez, port: http-ops}
  {{- end }}
  periodSeconds: 1
  timeoutSeconds: 2
  failureThreshold: {{ .Values.probes.startupSeconds }}
readinessProbe:
  {{- if $grpc }}
  grpc: {port: 9191, service: envoy.service.auth.v3.Authorization}
  {{- else }}
  httpGet: {path: /readyz, port: http-ops}
  {{- end }}
  periodSeconds: 5
  timeoutSeconds: 2
livenessProbe:
  httpGet: {path: /livez, port: http-ops}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
{{- end -}}

{{- define "agen.mounts" -}}
- {name: config, mountPath: /etc/agen/config, readOnly: true}
- {name: state, mountPath: /var/lib/agen}
- {name: scratch, mountPath: /tmp}
{{- if .Values.tls.existingSecret }}
- {name: tls, mountPath: /etc/agen/tls, readOnly: true}
{{- end }}
{{- if .Values.metadataKey.existingSecret }}
- {name: metadata-key, mountPath: /etc/agen/metadata, readOnly: true}
{{- end }}
{{- range .Values.secrets }}
- {name: secret-{{ .name }}, mountPath: /etc/agen/secrets/{{ .name }}, readOnly: true}
{{- end }}
{{- end -}}

{{/* Secrets are readable by the pod's group alone; they are folders, so that a change reaches the running process. */}}
{{- define "agen.volumes" -}}
- name: scratch
  emptyDir: {sizeLimit: 64Mi}
{{- with .Values.tls.existingSecret }}
- name: tls
  secret: {secretName: {{ . }}, defaultMode: 0440}
{{- end }}
{{- with .Values.metadataKey.existingSecret }}
- name: metadata-key
  secret: {secretName: {{ . }}, defaultMode: 0440}
{{- end }}
{{- range .Values.secrets }}
- name: secret-{{ .name }}
  secret: {secretName: {{ .existingSecret }}, defaultMode: 0440}
{{- end }}
{{- end -}}

{{- define "agen.state" -}}
name: state
{{- if eq (include "agen.keepsState" .) "true" }}
persistentVolumeClaim: {claimName: {{ .Values.persistence.existingClaim | default (printf "%s-state" (include "agen.name" .)) }}}
{{- else }}
emptyDir: {sizeLimit: {{ .Values.persistence.size }}}
{{- end }}
{{- end -}}

{{- define "agen.keepsState" -}}
{{- and .Values.persistence.enabled (eq (include "agen.store" .) "sqlite") -}}
{{- end -}}

{{/* The pod of the mode `sidecar`: the MCP server behind Envoy. */}}
{{- define "agen.serverContainers" -}}
- name: envoy
  image: {{ include "agen.image" .Values.sidecar.envoy.image }}
  imagePullPolicy: {{ .Values.sidecar.envoy.image.pullPolicy }}
  command: {{ toJson .Values.sidecar.envoy.command }}
  args: [-c, /etc/envoy/envoy.yaml, --disable-hot-restart, --log-level, warning]
  ports:
    - {name: http-mcp, containerPort: {{ .Values.sidecar.envoy.port }}}
  securityContext:
    {{- toYaml .Values.securityContext | nindent 4 }}
  resources:
    {{- toYaml .Values.sidecar.envoy.resources | nindent 4 }}
  readinessProbe:
    tcpSocket: {port: http-mcp}
    periodSeconds: 5
  lifecycle:
    preStop: {sleep: {seconds: {{ .Values.drainSeconds }}}}
  volumeMounts:
    - {name: envoy, mountPath: /etc/envoy, readOnly: true}
    - {name: sockets, mountPath: /run/agen}
    {{- with .Values.sidecar.envoy.extraVolumeMounts }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- $server := deepCopy (default dict .Values.sidecar.server) }}
{{- if not $server.name }}{{ $_ := set $server "name" "mcp-server" }}{{ end }}
{{- if not $server.securityContext }}{{ $_ := set $server "securityContext" .Values.securityContext }}{{ end }}
- {{ toYaml $server | nindent 2 | trim }}
{{- end -}}
