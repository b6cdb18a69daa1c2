{{- /* What inferenceservice-config cannot say. Takes the root. */ -}}
{{- define "kserve-lite.config.check" -}}
  {{- $rollout := .Values.inference.rollout -}}
  {{- if ne (eq $rollout.maxSurge "") (eq $rollout.maxUnavailable "") }}
    ERROR: inference.rollout.maxSurge and inference.rollout.maxUnavailable go together; set both or neither
  {{- end -}}
{{- end -}}
