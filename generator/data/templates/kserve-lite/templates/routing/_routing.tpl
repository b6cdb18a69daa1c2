{{- /* What the gateway templates and the config have in common. */ -}}

{{- /* The gateway as NAMESPACE/NAME. Takes the root. */ -}}
{{- define "kserve-lite.routing.gateway" -}}
  {{- $namespace := include "kserve-lite.namespace" . -}}
  {{- if not .Values.routing.gateway.create -}}
    {{- $namespace = coalesce .Values.routing.gateway.namespace $namespace -}}
  {{- end -}}
  {{ $namespace }}/{{ .Values.routing.gateway.name }}
{{- end -}}

{{- /* Name of the class of the Ingresses; empty leaves it to the cluster's default. Takes the root. */ -}}
{{- define "kserve-lite.routing.ingressClass" -}}
  {{ .Values.routing.ingressClass.name | default (ternary "kserve-lite" "" .Values.routing.ingressClass.create) }}
{{- end -}}

{{- /* Keys of the annotations that are for Ingresses and not for pods, as a JSON list. Takes the root. */ -}}
{{- define "kserve-lite.routing.ingressOnly" -}}
  {{- $annotations := .Values.routing.ingressAnnotations -}}
  {{ ternary $annotations dict (eq .Values.routing.mode "ingress") | keys | sortAlpha | toJson }}
{{- end -}}

{{- /* Scheme of the URLs that KServe reports; Knative has domains of its own. Takes the root. */ -}}
{{- define "kserve-lite.routing.urlScheme" -}}
  {{- $routing := .Values.routing -}}
  {{- if and (eq $routing.domain "") (eq .Values.deploymentMode "Standard") -}}
    http
  {{- else if ne $routing.urlScheme "auto" -}}
    {{ $routing.urlScheme }}
  {{- else if and $routing.domain $routing.gateway.tls.enabled (has $routing.mode (list "gatewayApi" "virtualService")) -}}
    https
  {{- else -}}
    http
  {{- end -}}
{{- end -}}

{{- /*
The URL of a model, as KServe will report it; empty when the domain template uses labels or
annotations, which only the model has. Takes (dict root name namespace).
*/ -}}
{{- define "kserve-lite.routing.url" -}}
  {{- $root := .root -}}
  {{- $host := $root.Values.routing.domainTemplate -}}
  {{- range $field, $value := dict "Name" .name "Namespace" .namespace "IngressDomain" $root.Values.routing.domain -}}
    {{- $host = regexReplaceAll (printf "\\{\\{-? *\\.%s *-?\\}\\}" $field) $host $value -}}
  {{- end -}}
  {{- if not (contains "{{" $host) -}}
    {{ include "kserve-lite.routing.urlScheme" $root }}://{{ $host }}
  {{- end -}}
{{- end -}}

{{- /* The host that a listener accepts: every model under the domain. Takes the root. */ -}}
{{- define "kserve-lite.routing.hosts" -}}
  {{- $hosts := list (printf "*.%s" .Values.routing.domain) -}}
  {{- if .Values.routing.pathTemplate -}}
    {{- $hosts = append $hosts .Values.routing.domain -}}
  {{- end -}}
  {{- range .Values.routing.additionalDomains -}}
    {{- $hosts = append $hosts (printf "*.%s" .) -}}
  {{- end -}}
  {{- toJson $hosts -}}
{{- end -}}
