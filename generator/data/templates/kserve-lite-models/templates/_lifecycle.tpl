{{- /*
How the pods of a model end: they go on serving until callers have learned that they go.

This is the models chart's and not the runtimes': a runtime may serve a model on Knative, which refuses
`lifecycle`, and transformers, explainers and images of one's own have no runtime.
*/ -}}

{{- /*
Whether a container brings a preStop of its own, as "true" or nothing. KServe merges the containers of a
runtime and of a model, and a preStop may do one thing. Takes the container.
*/ -}}
{{- define "kserve-lite-models.hasPreStop" -}}
  {{- if hasKey ((. | default dict).lifecycle | default dict) "preStop" -}}
    true
  {{- end -}}
{{- end -}}

{{- /*
Whether a runtime of customRuntimes that may serve the model has a preStop, as "true" or nothing. Takes
(dict root model).
*/ -}}
{{- define "kserve-lite-models.runtimeHasPreStop" -}}
  {{- $model := .model -}}
  {{- $found := false -}}
  {{- range $name, $custom := .root.Values.customRuntimes -}}
    {{- with $custom.spec -}}
      {{- $serves := eq $name (toString $model.runtime) -}}
      {{- range .supportedModelFormats -}}
        {{- $serves = or $serves (and (not $model.runtime) (eq .name (toString $model.format))) -}}
      {{- end -}}
      {{- range ternary .containers list $serves -}}
        {{- $found = or $found (and (eq .name "kserve-container") (include "kserve-lite-models.hasPreStop" .)) -}}
      {{- end -}}
    {{- end -}}
  {{- end -}}
  {{- with $found -}}
    true
  {{- end -}}
{{- end -}}

{{- /*
The seconds that the container of a component sleeps before its server is told to end, or 0: Knative
refuses `lifecycle`, and a preStop of the model's `spec` or runtime stays. A list of containers in the
`spec` takes the place of the chart's as it is. Takes (dict root model component).
*/ -}}
{{- define "kserve-lite-models.preStopSleep" -}}
  {{- $root := .root -}}
  {{- $model := .model -}}
  {{- $merged := get ($model.spec | default dict) .component | default dict -}}
  {{- $own := or (hasKey $merged "containers") (include "kserve-lite-models.hasPreStop" $merged.art) (include "kserve-lite-models.hasPreStop" $merged.model) -}}
  {{- if and (not $own) $root.Values.customRuntimes (eq .component "predictor") -}}
    {{- $own = include "kserve-lite-models.runtimeHasPreStop" (dict "root" $root "model" $model) -}}
  {{- end -}}
  {{- if or $own (ne (include "kserve-lite-models.deploymentMode" (dict "root" $root "model" $model)) "Standard") -}}
    0
  {{- else if hasKey $model "preStopSleepSeconds" -}}
    {{ int $model.preStopSleepSeconds }}
  {{- else -}}
    {{ int $root.Values.inference.preStopSleepSeconds }}
  {{- end -}}
{{- end -}}

{{- /*
The grace period of a component's pods, or nothing. It begins before the sleep; the server keeps the
30 seconds that Kubernetes gives it. Takes the seconds of the sleep.
*/ -}}
{{- define "kserve-lite-models.gracePeriod" -}}
{{- with int . -}}
terminationGracePeriodSeconds: {{ int (add 30 .) }}
{{- end -}}
{{- end -}}
