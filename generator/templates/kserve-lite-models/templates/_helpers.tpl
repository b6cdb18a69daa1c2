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
(list root name labels annotations).
*/ -}}
{{- define "kserve-lite-models.metadata" -}}
{{- $root := index . 0 -}}
labels:
  {{- toYaml (mergeOverwrite dict $root.Values.global.labels (index . 2) (dict
        "app.kubernetes.io/instance" $root.Release.Name
        "app.kubernetes.io/managed-by" $root.Release.Service
        "app.kubernetes.io/name" (index . 1)
        "app.kubernetes.io/part-of" "kserve-lite")) | nindent 2 }}
{{- with mergeOverwrite dict $root.Values.global.annotations (index . 3) }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- /* How a model runs. Takes (list root model). */ -}}
{{- define "kserve-lite-models.deploymentMode" -}}
{{ (index . 1).deploymentMode | default (index . 0).Values.deploymentMode }}
{{- end -}}

{{- /* Environment variables as a JSON list. Takes a dict of strings or EnvVars without a name. */ -}}
{{- define "kserve-lite-models.env" -}}
{{- $list := list -}}
{{- range $name, $value := . -}}
{{- $variable := dict "name" $name -}}
{{- if kindIs "string" $value -}}
{{- $_ := set $variable "value" $value -}}
{{- else -}}
{{- $variable = mergeOverwrite $variable $value -}}
{{- end -}}
{{- $list = append $list $variable -}}
{{- end -}}
{{- toJson $list -}}
{{- end -}}

{{- /* A domain or path template of KServe, filled in for a model. Takes (list root name model template). */ -}}
{{- define "kserve-lite-models.fill" -}}
{{- $root := index . 0 -}}
{{- $model := index . 2 -}}
{{- $text := index . 3 -}}
{{- $fields := dict "Name" (index . 1) "Namespace" (include "kserve-lite-models.namespace" $root) "IngressDomain" $root.Values.routing.domain -}}
{{- range $key, $value := $model.labels -}}
{{- $_ := set $fields (printf "Labels.%s" $key) $value -}}
{{- end -}}
{{- range $key, $value := $model.annotations -}}
{{- $_ := set $fields (printf "Annotations.%s" $key) $value -}}
{{- end -}}
{{- range $field, $value := $fields -}}
{{- $text = regexReplaceAll (printf "\\{\\{-? *\\.%s *-?\\}\\}" (replace "." "\\." $field)) $text $value -}}
{{- end -}}
{{ $text }}
{{- end -}}

{{- /* Whether the models chart routes a model, as "true" or nothing. Takes (list root model). */ -}}
{{- define "kserve-lite-models.routed" -}}
{{- $root := index . 0 -}}
{{- $model := index . 1 -}}
{{- if and (eq $root.Values.routing.mode "virtualService") $root.Values.routing.domain (not $model.clusterLocal) -}}
{{- if eq (include "kserve-lite-models.deploymentMode" .) "Standard" -}}
true
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* The Istio gateway as NAMESPACE/NAME. Takes the root. */ -}}
{{- define "kserve-lite-models.gateway" -}}
{{ .Values.routing.gateway.namespace | default .Values.global.platformNamespace }}/{{ .Values.routing.gateway.name }}
{{- end -}}
