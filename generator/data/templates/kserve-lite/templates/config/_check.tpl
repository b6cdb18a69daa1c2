{{- /* What inferenceservice-config cannot say. Takes the root. */ -}}
{{- define "kserve-lite.config.check" -}}
  {{- $rollout := .Values.inference.rollout -}}
  {{- if ne (eq $rollout.maxSurge "") (eq $rollout.maxUnavailable "") }}
    ERROR: inference.rollout.maxSurge and inference.rollout.maxUnavailable go together; set both or neither
  {{- end -}}
  {{- range $path, $resources := dict
        "inference.agent.resources" .Values.inference.agent.resources
        "inference.openTelemetryCollector.resources" .Values.inference.openTelemetryCollector.resources
        "inference.resources" .Values.inference.resources
        "inference.router.resources" .Values.inference.router.resources
        "storage.initializer.resources" .Values.storage.initializer.resources -}}
    {{- include "kserve-lite.check.resources" (dict "path" $path "resources" $resources "base" dict "of" "") -}}
  {{- end -}}
{{- end -}}
