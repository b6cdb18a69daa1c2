{{- /* The checks of what scales a model, and how far. */ -}}

{{- /*
What scales a model: its key, its annotation or that of all objects; empty is KServe's default, hpa. Takes
(dict root model).
*/ -}}
{{- define "kserve-lite-models.autoscalerClass" -}}
  {{- $annotation := "serving.kserve.io/autoscalerClass" -}}
  {{- $said := get (.model.annotations | default dict) $annotation | default (get .root.Values.global.annotations $annotation) -}}
  {{- dig "autoscaling" "class" $said .model -}}
{{- end -}}

{{- /* Takes (dict root path model deploymentMode class), where the class may be empty. */ -}}
{{- define "kserve-lite-models.check.autoscaling" -}}
  {{- $path := printf "%s.autoscaling" .path -}}
  {{- $hpa := eq "hpa.autoscaling.knative.dev" (get (.model.annotations | default dict) "autoscaling.knative.dev/class" | toString) -}}
  {{- if eq .deploymentMode "Knative" -}}
    {{- with .model.autoscaling }}
      {{- if .class }}
        ERROR: {{ $path }}.class: Knative scales its models itself; remove it
      {{- end }}
      {{- if and (has .metric (list "cpu" "memory")) (not $hpa) }}
        ERROR: {{ $path }}.metric: {{ .metric }} is for Knative's own hpa class; set it to concurrency or rps
      {{- end }}
    {{- end }}
  {{- else -}}
    {{- with .model.autoscaling }}
      {{- if has .metric (list "concurrency" "rps") }}
        ERROR: {{ $path }}.metric: {{ .metric }} is Knative's; set it to cpu or memory
      {{- end }}
      {{- if and (gt (int .target) 100) (eq $.class "hpa") }}
        ERROR: {{ $path }}.target: with the class hpa KServe takes 1 to 100; lower it, or remove the class, which is the default
      {{- end }}
    {{- end }}
    {{- $spec := mergeOverwrite (include "kserve-lite-models.spec" . | fromYaml) (deepCopy (.model.spec | default dict)) }}
    {{- range $component := list "predictor" "transformer" "explainer" }}
      {{- if kindIs "map" (get $spec $component) }}
        {{- include "kserve-lite-models.check.metrics" (dict "path" $.path "model" $.model "class" $.class "component" $component "spec" (get $spec $component)) }}
      {{- end }}
    {{- end }}
    {{- if and (eq .class "keda") $spec.canary }}
      ERROR: {{ .path }}.{{ ternary "canary" "spec.canary" (hasKey .model "canary") }}: KServe gives KEDA nothing to scale a version by; remove it, or have KServe's own HPA scale the model
    {{- end }}
  {{- end -}}
{{- end -}}

{{- /*
Whether there is something to scale a component by, and who scales it reads that. KServe makes KEDA's ScaledObject
of the `autoScaling.metrics` alone (getKedaMetrics in pkg/controller/v1beta1/inferenceservice/reconcilers), and the
API server refuses one without triggers; its own HPA passes over metrics that are no resource's (getHPAMetrics).
Takes (dict path model class component spec), where the spec is the component's as it will be.
*/ -}}
{{- define "kserve-lite-models.check.metrics" -}}
  {{- $path := .path -}}
  {{- $where := printf "%s.spec.%s.autoScaling.metrics" .path .component -}}
  {{- $autoScaling := get .spec "autoScaling" -}}
  {{- $metrics := list -}}
  {{- if kindIs "map" $autoScaling -}}
    {{- $metrics = get $autoScaling "metrics" | default list -}}
  {{- end -}}
  {{- $others := list -}}
  {{- if kindIs "slice" $metrics -}}
    {{- range $metrics -}}
      {{- if kindIs "map" . -}}
        {{- if ne (toString .type) "Resource" -}}
          {{- $others = append $others .type -}}
        {{- end -}}
      {{- end -}}
    {{- end -}}
  {{- end -}}
  {{- $unread := "" -}}
  {{- if eq .component "predictor" -}}
    {{- $unread = pick (.model.autoscaling | default dict) "metric" "target" | keys | sortAlpha | join " and " -}}
  {{- end -}}
  {{- if eq .class "keda" -}}
    {{- if not $metrics }}
      ERROR: {{ $where }}: KEDA scales the {{ .component }} by these, and there are none; set them, or {{ $path }}.autoscaling.class=hpa
    {{- else if and (not $others) (hasKey .spec "minReplicas") (has (kindOf .spec.minReplicas) (list "float64" "int64")) (eq 0 (int .spec.minReplicas)) }}
      {{- $key := ternary "" (printf ".%s" .component) (eq .component "predictor") }}
      {{- if kindIs "map" (get (.model.spec | default dict) .component) }}
        {{- if hasKey (get .model.spec .component) "minReplicas" }}
          {{- $key = printf ".spec.%s" .component }}
        {{- end }}
      {{- end }}
      ERROR: {{ $path }}{{ $key }}.minReplicas: KEDA scales nothing to zero by cpu and memory alone; set it to 1 or more, or add an External metric to {{ $where }}
    {{- end }}
    {{- with $unread }}
      ERROR: {{ $path }}.autoscaling: KEDA scales by {{ $where }}, and not by {{ . }}; remove {{ . }}
    {{- end }}
  {{- else if $others }}
    ERROR: {{ $where }}: KServe's HPA scales by metrics of the type Resource alone; set {{ $path }}.autoscaling.class=keda
  {{- else if and $metrics $unread }}
    ERROR: {{ $path }}.autoscaling: KServe reads {{ $where }}, and not {{ $unread }}; remove {{ $unread }}
  {{- else if and (eq (toString .spec.scaleMetric) "memory") (not .spec.scaleTarget) (not $metrics) }}
    ERROR: {{ $path }}.autoscaling.target: without one KServe scales by CPU; set {{ $path }}.autoscaling.target, such as 80
  {{- end -}}
{{- end -}}
