{{- /* What the gateway templates and the config have in common. */ -}}

{{- /* The gateway as NAMESPACE/NAME. Takes the root. */ -}}
{{- define "kserve-lite.routing.gateway" -}}
{{- $namespace := include "kserve-lite.namespace" . -}}
{{- if not .Values.routing.gateway.create -}}
{{- $namespace = coalesce .Values.routing.gateway.namespace $namespace -}}
{{- end -}}
{{ $namespace }}/{{ .Values.routing.gateway.name }}
{{- end -}}

{{- /* Scheme of the URLs that KServe reports. Takes the root. */ -}}
{{- define "kserve-lite.routing.urlScheme" -}}
{{- $routing := .Values.routing -}}
{{- if eq $routing.domain "" -}}
http
{{- else if ne $routing.urlScheme "auto" -}}
{{ $routing.urlScheme }}
{{- else -}}
{{ ternary "https" "http" (and (has $routing.mode (list "gatewayApi" "virtualService")) $routing.gateway.tls.enabled) }}
{{- end -}}
{{- end -}}

{{- /*
The URL of a model, as KServe will report it; empty when the domain template uses labels or
annotations, which only the model has. Takes (list root name namespace).
*/ -}}
{{- define "kserve-lite.routing.url" -}}
{{- $root := index . 0 -}}
{{- $host := $root.Values.routing.domainTemplate -}}
{{- range $field, $value := dict "Name" (index . 1) "Namespace" (index . 2) "IngressDomain" $root.Values.routing.domain -}}
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
