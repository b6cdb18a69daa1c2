{{- /* The checks of TrainedModels. */ -}}

{{- /* Takes the root. */ -}}
{{- define "kserve-lite-models.check.trainedModels" -}}
  {{- range $name, $model := .Values.trainedModels }}
    {{- $path := printf "trainedModels.%s" $name }}
    {{- include "kserve-lite-models.check.name" (dict "path" $path "name" $name "longest" 63) }}
    {{- range list "inferenceService" "framework" "storageUri" "memory" }}
      {{- if not (get $model .) }}
        ERROR: {{ $path }}: has no {{ . }}; set {{ $path }}.{{ . }}
      {{- end }}
    {{- end }}
    {{- /* SupportedProtocols in pkg/agent/storage: the agent fetches these, and not the storage initializer. */}}
    {{- if and $model.storageUri (not (regexMatch "^(s3|gs|https?)://" $model.storageUri)) }}
      ERROR: {{ $path }}.storageUri: KServe's agent fetches models from s3://, gs://, https:// and http://; put it there
    {{- end }}
    {{- if and $model.inferenceService (not (hasKey $.Values.models $model.inferenceService)) }}
      ERROR: {{ $path }}.inferenceService: there is no model {{ $model.inferenceService }}; add models.{{ $model.inferenceService }}
    {{- end }}
    {{- with get $.Values.models ($model.inferenceService | default "") }}
      {{- $server := printf "models.%s" $model.inferenceService }}
      {{- if .storageUri }}
        ERROR: {{ $path }}.inferenceService: {{ $server }} has a model of its own, so KServe has it load no other; remove {{ $server }}.storageUri
      {{- else if not (or .spec (dig "limits" "memory" "" (.resources | default dict))) }}
        ERROR: {{ $path }}.memory: is part of {{ $server }}'s, which has no limit; set {{ $server }}.resources.limits.memory
      {{- end }}
    {{- end }}
  {{- end }}
{{- end -}}
