{{- /*
Names, labels and URLs of the models. Each define says what it takes. `.Release.Namespace` is read here
and nowhere else; what is merged is merged with mergeOverwrite (`merge` loses false, 0 and "").
*/ -}}

{{- /* The namespace of every object. Takes the root. */ -}}
{{- define "kserve-lite-models.namespace" -}}
  {{ .Release.Namespace }}
{{- end -}}

{{- /* The tenant whose models these are, as JSON, or {}. Takes the root. */ -}}
{{- define "kserve-lite-models.tenant" -}}
  {{- get .Values.tenants (include "kserve-lite-models.namespace" .) | default dict | toJson -}}
{{- end -}}

{{- /* Whether a NetworkPolicy of a tenant says who may call these models, as "true" or nothing. Takes the root. */ -}}
{{- define "kserve-lite-models.guarded" -}}
  {{- if hasKey .Values.tenants (include "kserve-lite-models.namespace" .) -}}
    {{- if dig "networkPolicy" "enabled" true (include "kserve-lite-models.tenant" . | fromJson) -}}
      true
    {{- end -}}
  {{- end -}}
{{- end -}}

{{- /*
The `labels:` and `annotations:` of an object. KServe copies those of an InferenceService to its pods,
so nothing in them may change with the chart's version: it would restart every model. Takes
(dict root name labels annotations), the last two left out where there are none.
*/ -}}
{{- define "kserve-lite-models.metadata" -}}
{{- $root := .root -}}
{{- $tenant := include "kserve-lite-models.tenant" $root | fromJson -}}
labels:
  app.kubernetes.io/instance: {{ quote $root.Release.Name }}
  app.kubernetes.io/managed-by: {{ $root.Release.Service }}
  app.kubernetes.io/name: {{ quote .name }}
  app.kubernetes.io/part-of: kserve-lite
  {{- if or $root.Values.global.labels .labels $tenant.labels }}
  {{- with omit (mergeOverwrite dict $root.Values.global.labels (.labels | default dict) ($tenant.labels | default dict))
        "app.kubernetes.io/instance" "app.kubernetes.io/managed-by" "app.kubernetes.io/name" "app.kubernetes.io/part-of" }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  {{- end }}
{{- if or $root.Values.global.annotations .annotations }}
annotations:
  {{- toYaml (mergeOverwrite dict $root.Values.global.annotations (.annotations | default dict)) | nindent 2 }}
{{- end }}
{{- end -}}

{{- /* A domain or path template of KServe, filled in for a model. Takes (dict root name model template). */ -}}
{{- define "kserve-lite-models.fill" -}}
  {{- $root := .root -}}
  {{- $model := .model -}}
  {{- $text := regexReplaceAll "\\{\\{-? *(\\.[^ }]+?|index [^}]+?) *-?\\}\\}" .template "{{${1}}}" -}}
  {{- $text = $text | replace "{{.Name}}" .name | replace "{{.Namespace}}" (include "kserve-lite-models.namespace" $root) | replace "{{.IngressDomain}}" (include "kserve-lite-models.domains" $root | fromJsonArray | first) -}}
  {{- range $key, $value := $model.labels -}}
    {{- $text = $text | replace (printf "{{.Labels.%s}}" $key) $value | replace (printf "{{index .Labels %q}}" $key) $value -}}
  {{- end -}}
  {{- range $key, $value := $model.annotations -}}
    {{- $text = $text | replace (printf "{{.Annotations.%s}}" $key) $value | replace (printf "{{index .Annotations %q}}" $key) $value -}}
  {{- end -}}
  {{ $text }}
{{- end -}}

{{- /* Whether the models chart writes routes in this mode, and not KServe, as "true" or nothing. Takes the root. */ -}}
{{- define "kserve-lite-models.writesRoutes" -}}
  {{- $routing := .Values.routing -}}
  {{- if or (eq $routing.mode "virtualService") (and (eq $routing.mode "gatewayApi") $routing.gatewayApi.writeRoutes) -}}
    true
  {{- end -}}
{{- end -}}

{{- /*
How a model runs, Standard or Knative: by its key, by KServe's own annotation with the words of today or
of old (GetDeploymentMode in pkg/controller of v0.20.0), or as the platform says. Takes (dict root model).
*/ -}}
{{- define "kserve-lite-models.deploymentMode" -}}
  {{- $words := dict "Knative" "Knative" "RawDeployment" "Standard" "Serverless" "Knative" "Standard" "Standard" -}}
  {{- $annotated := get (.model.annotations | default dict) "serving.kserve.io/deploymentMode" -}}
  {{- coalesce .model.deploymentMode (get $words $annotated) .root.Values.deploymentMode -}}
{{- end -}}

{{- /*
Whether a model stays inside the cluster, by its key or by the label, as "true" or nothing. Takes
(dict root model).
*/ -}}
{{- define "kserve-lite-models.inside" -}}
  {{- if or .model.clusterLocal (and .model.labels (eq "cluster-local" (get .model.labels (include "kserve-lite-models.visibility" .)))) -}}
    true
  {{- end -}}
{{- end -}}

{{- /* Whether the models chart routes a model, as "true" or nothing. Takes (dict root model). */ -}}
{{- define "kserve-lite-models.routed" -}}
  {{- if and (include "kserve-lite-models.writesRoutes" .root) .root.Values.routing.domain (not (include "kserve-lite-models.inside" .)) -}}
    {{- if eq (include "kserve-lite-models.deploymentMode" .) "Standard" -}}
      true
    {{- end -}}
  {{- end -}}
{{- end -}}

{{- /*
The annotations that KServe shall copy to a model's Ingress, as JSON: those of routing, where there
is an Ingress. Takes (dict root model).
*/ -}}
{{- define "kserve-lite-models.ingressAnnotations" -}}
  {{- $routing := .root.Values.routing -}}
  {{- if and (eq $routing.mode "ingress") $routing.domain (eq (include "kserve-lite-models.deploymentMode" .) "Standard") (not (include "kserve-lite-models.inside" .)) -}}
    {{ toJson $routing.ingressAnnotations }}
  {{- else -}}
    {}
  {{- end -}}
{{- end -}}

{{- /*
The label by which KServe writes no route; a model that nobody else routes stays inside the cluster.
Knative asks for its own. Takes (dict root model).
*/ -}}
{{- define "kserve-lite-models.visibility" -}}
  networking.{{ ternary "knative.dev" "kserve.io" (eq (include "kserve-lite-models.deploymentMode" .) "Knative") }}/visibility
{{- end -}}

{{- /* The gateway of the routes as NAMESPACE/NAME: the tenant's own, or the platform's. Takes the root. */ -}}
{{- define "kserve-lite-models.gateway" -}}
  {{- if hasKey (include "kserve-lite-models.tenant" . | fromJson) "gateway" -}}
    {{ .Values.global.platformNamespace }}/kserve-{{ include "kserve-lite-models.namespace" . }}
  {{- else -}}
    {{ .Values.routing.gateway.namespace | default .Values.global.platformNamespace }}/{{ .Values.routing.gateway.name }}
  {{- end -}}
{{- end -}}

{{- /*
The domains of the models as a JSON list, the first of which is the one that templates are filled with: that
of the tenant's own gateway, or the platform's. Takes the root.
*/ -}}
{{- define "kserve-lite-models.domains" -}}
  {{- $routing := .Values.routing -}}
  {{- $tenant := include "kserve-lite-models.tenant" . | fromJson -}}
  {{- $domains := prepend $routing.additionalDomains $routing.domain -}}
  {{- if hasKey $tenant "gateway" -}}
    {{- $domains = list ($tenant.gateway.domain | default (printf "%s.%s" (include "kserve-lite-models.namespace" .) $routing.domain)) -}}
  {{- end -}}
  {{- toJson $domains -}}
{{- end -}}

{{- /* The first port that a container declares, as JSON, or nothing. Takes a component of a spec. */ -}}
{{- define "kserve-lite-models.firstPort" -}}
  {{- range list (.model | default dict) (.containers | default list | first | default dict) -}}
    {{- with first (.ports | default list) -}}
      {{- toJson . -}}
    {{- end -}}
  {{- end -}}
{{- end -}}

{{- /*
A model as its Service and its routes have to see it, as JSON: the entry, and in the entry's words what
its `spec`, which is merged last, says of components, agent, protocol and ports. Takes the model.
*/ -}}
{{- define "kserve-lite-models.endpoint" -}}
  {{- $model := omit . "spec" -}}
  {{- range $key, $component := pick .spec "explainer" "predictor" "transformer" -}}
    {{- $entry := $model -}}
    {{- if ne $key "predictor" -}}
      {{- $entry = mergeOverwrite (dict "image" "the spec's") (get $model $key | default dict) -}}
      {{- $_ := set $model $key $entry -}}
    {{- end -}}
    {{- range $agent := keys (pick $component "batcher" "logger") -}}
      {{- $_ := set $entry $agent (get $component $agent) -}}
    {{- end -}}
    {{- with dig "model" "protocolVersion" "" $component -}}
      {{- $_ := set $entry "protocol" . -}}
    {{- end -}}
    {{- with include "kserve-lite-models.firstPort" $component -}}
      {{- $port := fromJson . -}}
      {{- $_ := set $entry "port" $port.containerPort -}}
      {{- /* The names by which KServe tells gRPC. */ -}}
      {{- $_ := set $entry "protocol" (ternary "grpc" "v1" (regexMatch "grpc|h2c" ($port.name | default ""))) -}}
    {{- end -}}
  {{- end -}}
  {{- toJson $model -}}
{{- end -}}
