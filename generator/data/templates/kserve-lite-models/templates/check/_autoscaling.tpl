{{- /* The checks of what scales a model, and how far. */ -}}

{{- /* Takes (dict path model deploymentMode). */ -}}
{{- define "kserve-lite-models.check.autoscaling" -}}
  {{- $path := printf "%s.autoscaling" .path -}}
  {{- $annotations := .model.annotations | default dict -}}
  {{- $knative := eq .deploymentMode "Knative" -}}
  {{- $class := dig "autoscaling" "class" (get $annotations "serving.kserve.io/autoscalerClass") .model -}}
  {{- with .model.autoscaling }}
    {{- $unread := keys (pick . "metric" "target") | sortAlpha | join " and " }}
    {{- if and .class $knative }}
      ERROR: {{ $path }}.class: Knative scales its models itself; remove it
    {{- end }}
    {{- if and $knative (has .metric (list "cpu" "memory")) (ne (get $annotations "autoscaling.knative.dev/class") "hpa.autoscaling.knative.dev") }}
      ERROR: {{ $path }}.metric: KServe lets Knative scale by requests alone; set it to concurrency or rps
    {{- else if and (not $knative) (has .metric (list "concurrency" "rps")) }}
      ERROR: {{ $path }}.metric: {{ .metric }} is Knative's; set it to cpu or memory
    {{- else if and (not $knative) (has $class (list "external" "none")) $unread }}
      ERROR: {{ $path }}: KServe scales no model of the class {{ $class }}, and does not read {{ $unread }}; remove {{ $unread }}
    {{- else if and (not $knative) (eq $class "keda") $unread }}
      ERROR: {{ $path }}: for KEDA, KServe does not read {{ $unread }}; remove {{ $unread }}, and set {{ $.path }}.spec.predictor.autoScaling.metrics
    {{- else if and (not $knative) (eq .metric "memory") (not .target) }}
      ERROR: {{ $path }}.target: without one KServe scales by CPU; set {{ $path }}.target, such as 80
    {{- end }}
    {{- if and (not $knative) (gt (int .target) 100) }}
      ERROR: {{ $path }}.target: {{ .target }} is no percentage of what its pods request; set it to 100 or less
    {{- end }}
  {{- end }}
  {{- if and (eq (toString $class) "keda") (not $knative) }}
    {{- include "kserve-lite-models.check.keda" . }}
  {{- end }}
{{- end -}}

{{- /*
Whether KEDA has something to scale each of a model's Deployments by. KServe makes a ScaledObject of each, with
the metrics of its component as triggers (getKedaMetrics in pkg/controller/v1beta1/inferenceservice/reconcilers),
and a version's has none: the API server refuses one without. Takes (dict path model).
*/ -}}
{{- define "kserve-lite-models.check.keda" -}}
  {{- $path := .path -}}
  {{- $model := .model -}}
  {{- $spec := $model.spec | default dict -}}
  {{- range $component := keys (pick $model "explainer" "transformer") (pick $spec "explainer" "transformer") (dict "predictor" $model) | uniq | sortAlpha }}
    {{- $entry := ternary $model (get $model $component | default dict) (eq $component "predictor") }}
    {{- $said := get $spec $component | default dict }}
    {{- $metrics := dig "autoScaling" "metrics" list $said }}
    {{- if not $metrics }}
      ERROR: {{ $path }}.spec.{{ $component }}.autoScaling.metrics: KEDA scales the {{ $component }} by these, and there are none; set them, or {{ $path }}.autoscaling.class=hpa
    {{- end }}
    {{- $others := list }}
    {{- range $metrics }}
      {{- if ne (toString .type) "Resource" }}
        {{- $others = append $others . }}
      {{- end }}
    {{- end }}
    {{- if and $metrics (not $others) (eq 0 (int (dig "minReplicas" (dig "minReplicas" 1 $entry) $said))) }}
      ERROR: {{ $path }}{{ if ne $component "predictor" }}.{{ $component }}{{ end }}.minReplicas: KEDA scales nothing to zero by cpu and memory alone; set it to 1 or more, or add an External metric to {{ $path }}.spec.{{ $component }}.autoScaling.metrics
    {{- end }}
  {{- end }}
  {{- if or $model.canary $spec.canary }}
    ERROR: {{ $path }}.{{ ternary "canary" "spec.canary" (hasKey $model "canary") }}: KServe gives KEDA nothing to scale a version by; remove it, or set {{ $path }}.autoscaling.class=hpa
  {{- end }}
{{- end -}}
