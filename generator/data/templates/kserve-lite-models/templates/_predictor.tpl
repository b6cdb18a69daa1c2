{{- /*
The parts of an InferenceService's spec, as YAML lines; whoever includes one trims it. toYaml costs
more than the rest of a model together: it is for what people wrote, not for what every model has.
*/ -}}

{{- /*
What container and runtime have in common: args, env, resources, probes, ports. Takes
(dict root entry protocol uri sleep): a model, a transformer or an explainer; what its container shall
have fetched, or ""; the seconds of its preStop.
*/ -}}
{{- define "kserve-lite-models.container" -}}
{{- $root := .root -}}
{{- $entry := .entry -}}
{{- $uri := .uri -}}
{{- with int .sleep }}
lifecycle:
  preStop:
    sleep:
      seconds: {{ int . }}
{{- end }}
{{- with pick $entry "args" "command" "image" "livenessProbe" "readinessProbe" "startupProbe" }}
{{ toYaml . }}
{{- end }}
{{- if or $entry.env $uri }}
env:
{{- range $name, $value := $entry.env }}
- name: {{ quote $name }}
  {{- if kindIs "string" $value }}
  value: {{ quote $value }}
  {{- else }}
  {{- toYaml $value | nindent 2 }}
  {{- end }}
{{- end }}
{{- if $uri }}
# KServe fetches it to /mnt/models.
- name: STORAGE_URI
  value: {{ quote $uri }}
{{- end }}
{{- end }}
{{- if hasPrefix "grpc" .protocol }}
# Only a port named h2c makes KServe's Service speak HTTP/2; the runtimes listen on 9000.
ports:
- containerPort: {{ int ($entry.port | default 9000) }}
  name: h2c
  protocol: TCP
{{- else if $entry.port }}
ports:
- containerPort: {{ int $entry.port }}
  name: http1
  protocol: TCP
{{- end }}
{{- if or $entry.resources $entry.gpus }}
{{- $resources := deepCopy ($entry.resources | default dict) }}
{{- with $entry.gpus }}
{{- $resources = mergeOverwrite $resources (dict "limits" (dict "nvidia.com/gpu" (toString (int .)))) }}
{{- end }}
resources:
  {{- toYaml $resources | nindent 2 }}
{{- end }}
{{- if $entry.securityContext }}
securityContext:
  {{- toYaml $entry.securityContext | nindent 2 }}
{{- else if and $entry.image (not (hasKey $entry "securityContext")) }}
# What Pod Security "restricted" asks for; securityContext: {} takes it away.
securityContext:
  allowPrivilegeEscalation: false
  capabilities:
    drop:
    - ALL
  runAsNonRoot: true
  {{- if eq $root.Values.platform "kubernetes" }}
  seccompProfile:
    type: RuntimeDefault
  {{- end }}
{{- end }}
{{- end -}}

{{- /*
What serves a model: `model:` for a format, `containers:` for an image. Takes (dict root model sleep).
*/ -}}
{{- define "kserve-lite-models.implementation" -}}
{{- $root := .root -}}
{{- $sleep := .sleep -}}
{{- with .model }}
{{- $protocol := .protocol | default "v1" }}
{{- if .image }}
containers:
- name: kserve-container
  {{- include "kserve-lite-models.container" (dict "root" $root "entry" . "protocol" $protocol "uri" (.storageUri | default "") "sleep" $sleep) | trim | nindent 2 }}
{{- else if .format }}
model:
  modelFormat:
    name: {{ quote .format }}
    {{- with .formatVersion }}
    version: {{ quote . }}
    {{- end }}
  {{- with .protocol }}
  protocolVersion: {{ quote . }}
  {{- end }}
  {{- with .runtime }}
  runtime: {{ quote . }}
  {{- end }}
  {{- with .runtimeVersion }}
  runtimeVersion: {{ quote . }}
  {{- end }}
  {{- with .storageUri }}
  storageUri: {{ quote . }}
  {{- end }}
  {{- with include "kserve-lite-models.container" (dict "root" $root "entry" . "protocol" $protocol "uri" "" "sleep" $sleep) | trim }}
  {{- nindent 2 . }}
  {{- end }}
{{- end }}
{{- if or .image .format }}
{{- with include "kserve-lite-models.gracePeriod" $sleep }}
{{ . }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- /*
The `imagePullSecrets:` of a pod with an image of its user's, or nothing: a runtime brings those for its
own image. Takes the root.
*/ -}}
{{- define "kserve-lite-models.imagePullSecrets" -}}
{{- with .Values.global.imagePullSecrets -}}
imagePullSecrets:
{{- range . }}
- name: {{ quote . }}
{{- end }}
{{- end -}}
{{- end -}}

{{- /* A transformer or an explainer with an image. Takes (dict root entry sleep). */ -}}
{{- define "kserve-lite-models.component" -}}
{{- $root := .root -}}
{{- $sleep := .sleep -}}
{{- with .entry }}
containers:
- name: kserve-container
  {{- include "kserve-lite-models.container" (dict "root" $root "entry" . "protocol" "v1" "uri" "" "sleep" $sleep) | trim | nindent 2 }}
{{- with pick . "maxReplicas" "minReplicas" }}
{{ toYaml . }}
{{- end }}
{{- end }}
{{- with include "kserve-lite-models.gracePeriod" $sleep }}
{{ . }}
{{- end }}
{{- with include "kserve-lite-models.imagePullSecrets" $root }}
{{ . }}
{{- end }}
{{- end -}}

{{- /* The spec of an InferenceService, without the entry's own `spec`. Takes (dict root model). */ -}}
{{- define "kserve-lite-models.spec" -}}
{{- $root := .root -}}
{{- $model := .model -}}
{{- $sleep := include "kserve-lite-models.preStopSleep" (dict "root" $root "model" $model "component" "predictor") -}}
predictor:
  {{- include "kserve-lite-models.implementation" (dict "root" $root "model" $model "sleep" $sleep) | trim | nindent 2 }}
  {{- with pick $model "affinity" "batcher" "maxReplicas" "minReplicas" "nodeSelector"
        "serviceAccountName" "timeout" "tolerations" }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  {{- if hasKey $model "logger" }}
  logger:
    {{- toYaml (mergeOverwrite (dict "mode" "all") $model.logger) | nindent 4 }}
  {{- end }}
  {{- with $model.autoscaling }}
  {{- with .metric }}
  scaleMetric: {{ quote . }}
  {{- end }}
  {{- with .target }}
  scaleTarget: {{ int . }}
  {{- end }}
  {{- end }}
  {{- if $model.image }}
  {{- with include "kserve-lite-models.imagePullSecrets" $root }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- end }}
{{- with $model.transformer }}
transformer:
  {{- $sleep := include "kserve-lite-models.preStopSleep" (dict "root" $root "model" $model "component" "transformer") }}
  {{- include "kserve-lite-models.component" (dict "root" $root "entry" . "sleep" $sleep) | trim | nindent 2 }}
  {{- with $model.timeout }}
  timeout: {{ int . }}
  {{- end }}
{{- end }}
{{- with $model.explainer }}
explainer:
  {{- $sleep := include "kserve-lite-models.preStopSleep" (dict "root" $root "model" $model "component" "explainer") }}
  {{- if .art }}
  art:
    {{- $container := include "kserve-lite-models.container" (dict "root" $root "entry" . "protocol" "v1" "uri" "" "sleep" $sleep) | fromYaml }}
    {{- toYaml (mergeOverwrite $container .art (pick . "storageUri")) | nindent 4 }}
  {{- with pick . "maxReplicas" "minReplicas" }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  {{- with include "kserve-lite-models.gracePeriod" $sleep }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- with include "kserve-lite-models.imagePullSecrets" $root }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- else }}
  {{- include "kserve-lite-models.component" (dict "root" $root "entry" . "sleep" $sleep) | trim | nindent 2 }}
  {{- end }}
  {{- with $model.timeout }}
  timeout: {{ int . }}
  {{- end }}
{{- end }}
{{- with $model.canary }}
canary:
{{- range $name, $version := . }}
{{- $entry := mergeOverwrite (deepCopy $model) $version }}
{{- /* What `spec` says of the predictor is not merged into its versions. */}}
{{- $sleep := include "kserve-lite-models.preStopSleep" (dict "root" $root "model" (omit $entry "spec") "component" "predictor") }}
- trafficPercent: {{ int $version.trafficPercent }}
  predictor:
    name: {{ quote $name }}
    {{- include "kserve-lite-models.implementation" (dict "root" $root "model" $entry "sleep" $sleep) | trim | nindent 4 }}
    {{- if $entry.image }}
    {{- with include "kserve-lite-models.imagePullSecrets" $root }}
    {{- . | nindent 4 }}
    {{- end }}
    {{- end }}
    {{- with mergeOverwrite (pick $version "minReplicas") (pick $model "affinity" "nodeSelector" "serviceAccountName" "tolerations") }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- /* The annotations of an InferenceService, as JSON. Takes (dict root model). */ -}}
{{- define "kserve-lite-models.annotations" -}}
  {{- $root := .root -}}
  {{- $model := .model -}}
  {{- $annotations := mergeOverwrite dict (include "kserve-lite-models.ingressAnnotations" (dict "root" $root "model" $model) | fromJson) ($model.annotations | default dict) -}}
  {{- with $model.deploymentMode -}}
    {{- $_ := set $annotations "serving.kserve.io/deploymentMode" . -}}
  {{- end -}}
  {{- with ($model.autoscaling | default dict).class -}}
    {{- $_ := set $annotations "serving.kserve.io/autoscalerClass" . -}}
  {{- end -}}
  {{- with $model.credentials -}}
    {{- $_ := set $annotations $root.Values.storage.secretNameAnnotation .secretName -}}
  {{- end -}}
  {{- toJson $annotations -}}
{{- end -}}
