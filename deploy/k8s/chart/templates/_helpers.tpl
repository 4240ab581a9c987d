{{/* Helpers take a dict: `root` is the top scope, `name` the component (a service, ops, …). */}}

{{- define "realtoros.fullname" -}}
{{- .Values.fullnameOverride | default .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end }}

{{- define "realtoros.name" -}}
{{ include "realtoros.fullname" .root }}-{{ .name }}
{{- end }}

{{- define "realtoros.releaseSelector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "realtoros.selector" -}}
{{ include "realtoros.releaseSelector" .root }}
app.kubernetes.io/component: {{ .name }}
{{- end }}

{{- define "realtoros.labels" -}}
{{ include "realtoros.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: realtoros
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

{{- define "realtoros.metadata" -}}
name: {{ include "realtoros.name" . }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "realtoros.labels" . | nindent 2 }}
{{- end }}

{{/* The values of a service: its own over the defaults. As YAML, for fromYaml. */}}
{{- define "realtoros.service" -}}
{{ toYaml (mergeOverwrite (deepCopy .root.Values.defaults) (index .root.Values.services .name)) }}
{{- end }}

{{/* Names of the settings in the Secret of `secretKeys`; with SASL the password is one. */}}
{{- define "realtoros.secretKeys" -}}
{{- $keys := .secretKeys }}
{{- if hasPrefix "SASL_" .root.Values.kafka.securityProtocol }}
{{- $keys = append $keys "KAFKA_SASL_PASSWORD" }}
{{- end }}
{{- toYaml (uniq $keys) }}
{{- end }}

{{- define "realtoros.image" -}}
{{ .root.Values.image.registry }}/realtoros-{{ .name }}:{{ .root.Values.image.tag | default .root.Chart.AppVersion }}
{{- end }}

{{/* Pod Security "restricted", and more: `restricted` of a pod, `confined` of a container. */}}
{{- define "realtoros.restricted" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "realtoros.confined" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* What every pod has. Nothing here is made by the chart, so hooks can have it, too. */}}
{{- define "realtoros.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  {{- include "realtoros.restricted" . | nindent 2 }}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
volumes:
  - name: tmp
    emptyDir:
      sizeLimit: 256Mi
  - name: secrets
    secret:
      secretName: {{ .existingSecret }}
      defaultMode: 0440
  {{- range $server := list "kafka" "mongodb" }}
  {{- with (index $.root.Values $server).caSecret }}
  - name: {{ $server }}-ca
    secret:
      secretName: {{ . }}
      defaultMode: 0444
      items:
        - {key: ca.crt, path: ca.crt}
  {{- end }}
  {{- end }}
{{- end }}

{{/* What every container has: image, settings, mounts, restrictions. */}}
{{- define "realtoros.container" -}}
image: {{ include "realtoros.image" . }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
securityContext:
  {{- include "realtoros.confined" . | nindent 2 }}
resources:
  {{- toYaml .resources | nindent 2 }}
env:
  {{- $env := dict
        "KAFKA_BOOTSTRAP_SERVERS" .root.Values.kafka.bootstrapServers
        "KAFKA_TOPIC_PREFIX" .root.Values.kafka.topicPrefix
        "KAFKA_SECURITY_PROTOCOL" .root.Values.kafka.securityProtocol
        "MONGODB_DATABASE_PREFIX" .root.Values.mongodb.databasePrefix }}
  {{- if hasPrefix "SASL_" .root.Values.kafka.securityProtocol }}
  {{- $_ := set $env "KAFKA_SASL_MECHANISM" .root.Values.kafka.saslMechanism }}
  {{- $_ := set $env "KAFKA_SASL_USERNAME" (printf "realtoros-%s" .principal) }}
  {{- end }}
  {{- if .root.Values.kafka.caSecret }}
  {{- $_ := set $env "KAFKA_SSL_CA_FILE" "/run/ca/kafka/ca.crt" }}
  {{- end }}
  {{- range include "realtoros.secretKeys" . | fromYamlArray }}
  {{- $_ := set $env (printf "%s_FILE" .) (printf "/run/secrets/realtoros/%s" .) }}
  {{- end }}
  {{- range $key, $value := mergeOverwrite $env .env }}
  - name: {{ $key }}
    value: {{ $value | toString | quote }}
  {{- end }}
volumeMounts:
  - {name: tmp, mountPath: /tmp}
  - {name: secrets, mountPath: /run/secrets/realtoros, readOnly: true}
  {{- range $server := list "kafka" "mongodb" }}
  {{- if (index $.root.Values $server).caSecret }}
  - {name: {{ $server }}-ca, mountPath: /run/ca/{{ $server }}, readOnly: true}
  {{- end }}
  {{- end }}
{{- end }}

{{/* Changes when the Secret does, so that an upgrade starts new pods; it tells nothing of what is
     in it. Empty where the cluster is not asked, as in `helm template`. */}}
{{- define "realtoros.secretChecksum" -}}
{{- with lookup "v1" "Secret" .root.Release.Namespace .existingSecret }}
{{- printf "%s/%s" .metadata.uid .metadata.resourceVersion | sha256sum }}
{{- end }}
{{- end }}
