{{- /*
Names, labels and URLs of the models. Each define says what it takes. `.Release.Namespace` is read here
and nowhere else; what is merged is merged with mergeOverwrite (`merge` loses false, 0 and "").
*/ -}}

{{- /* The namespace of every object. Takes the root. */ -}}
{{- define "kserve-lite-models.namespace" -}}
{{ .Release.Namespace }}
{{- end -}}

{{- /*
The `labels:` and `annotations:` of an object. KServe copies those of an InferenceService to its pods,
so nothing in them may change with the chart's version: it would restart every model. Takes
(list root name labels annotations), the last two nil where there are none.
*/ -}}
{{- define "kserve-lite-models.metadata" -}}
{{- $root := index . 0 -}}
labels:
  app.kubernetes.io/instance: {{ quote $root.Release.Name }}
  app.kubernetes.io/managed-by: {{ $root.Release.Service }}
  app.kubernetes.io/name: {{ index . 1 }}
  app.kubernetes.io/part-of: kserve-lite
  {{- if or $root.Values.global.labels (index . 2) }}
  {{- with omit (mergeOverwrite dict $root.Values.global.labels (index . 2 | default dict))
        "app.kubernetes.io/instance" "app.kubernetes.io/managed-by" "app.kubernetes.io/name" "app.kubernetes.io/part-of" }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  {{- end }}
{{- if or $root.Values.global.annotations (index . 3) }}
annotations:
  {{- toYaml (mergeOverwrite dict $root.Values.global.annotations (index . 3 | default dict)) | nindent 2 }}
{{- end }}
{{- end -}}

{{- /* A domain or path template of KServe, filled in for a model. Takes (list root name model template). */ -}}
{{- define "kserve-lite-models.fill" -}}
{{- $root := index . 0 -}}
{{- $model := index . 2 -}}
{{- $text := regexReplaceAll "\\{\\{-? *(\\.[^ }]+?) *-?\\}\\}" (index . 3) "{{${1}}}" -}}
{{- $text = $text | replace "{{.Name}}" (index . 1) | replace "{{.Namespace}}" (include "kserve-lite-models.namespace" $root) | replace "{{.IngressDomain}}" $root.Values.routing.domain -}}
{{- range $key, $value := $model.labels -}}
{{- $text = replace (printf "{{.Labels.%s}}" $key) $value $text -}}
{{- end -}}
{{- range $key, $value := $model.annotations -}}
{{- $text = replace (printf "{{.Annotations.%s}}" $key) $value $text -}}
{{- end -}}
{{ $text }}
{{- end -}}

{{- /* Whether the models chart routes a model, as "true" or nothing. Takes (list root model). */ -}}
{{- define "kserve-lite-models.routed" -}}
{{- $root := index . 0 -}}
{{- $model := index . 1 -}}
{{- if and (eq $root.Values.routing.mode "virtualService") $root.Values.routing.domain (not $model.clusterLocal) -}}
{{- if eq ($model.deploymentMode | default $root.Values.deploymentMode) "Standard" -}}
true
{{- end -}}
{{- end -}}
{{- end -}}

{{- /*
The annotations that KServe shall copy to a model's Ingress, as JSON: those of routing, where there
is an Ingress. Takes (list root model).
*/ -}}
{{- define "kserve-lite-models.ingressAnnotations" -}}
{{- $root := index . 0 -}}
{{- $model := index . 1 -}}
{{- $mode := $model.deploymentMode | default $root.Values.deploymentMode -}}
{{- if and (eq $root.Values.routing.mode "ingress") $root.Values.routing.domain (eq $mode "Standard") (not $model.clusterLocal) -}}
{{ toJson $root.Values.routing.ingressAnnotations }}
{{- else -}}
{}
{{- end -}}
{{- end -}}

{{- /* The label that keeps a model inside the cluster; Knative asks for its own. Takes (list root model). */ -}}
{{- define "kserve-lite-models.visibility" -}}
{{- $mode := (index . 1).deploymentMode | default (index . 0).Values.deploymentMode -}}
networking.{{ ternary "knative.dev" "kserve.io" (eq $mode "Knative") }}/visibility
{{- end -}}

{{- /* The Istio gateway as NAMESPACE/NAME. Takes the root. */ -}}
{{- define "kserve-lite-models.gateway" -}}
{{ .Values.routing.gateway.namespace | default .Values.global.platformNamespace }}/{{ .Values.routing.gateway.name }}
{{- end -}}
