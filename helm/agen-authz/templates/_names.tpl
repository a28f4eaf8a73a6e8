{{/* Names and labels. */}}

{{- define "agen.name" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "agen.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "agen.labels" -}}
{{ include "agen.selector" . }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | trunc 63 | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Name, namespace and labels of an object. */}}
{{- define "agen.metadata" -}}
name: {{ include "agen.name" . }}
namespace: {{ .Release.Namespace }}
labels:
  {{- include "agen.labels" . | nindent 2 }}
{{- end -}}

{{- define "agen.image" -}}
{{- .repository -}}
{{- if .digest -}}@{{ .digest }}{{- else -}}:{{ .tag }}{{- end -}}
{{- end -}}

{{- define "agen.ownImage" -}}
{{- include "agen.image" (dict "repository" .Values.image.repository "digest" .Values.image.digest "tag" (.Values.image.tag | default .Chart.AppVersion)) -}}
{{- end -}}

{{- define "agen.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "agen.name" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{/* The name of the Service as the whole cluster knows it. */}}
{{- define "agen.host" -}}
{{- printf "%s.%s.svc.%s" (include "agen.name" .) .Release.Namespace .Values.clusterDomain -}}
{{- end -}}

{{- define "agen.gateway" -}}
{{- .Values.envoyGateway.gateway.name | default (include "agen.name" .) -}}
{{- end -}}
