{{- /* What a tenant cannot be. Takes the root. */ -}}
{{- define "kserve-lite.tenants.check" -}}
  {{- $home := include "kserve-lite.namespace" . -}}
  {{- $guarded := list -}}
  {{- range $name, $tenant := .Values.tenants -}}
    {{- $path := printf "tenants.%s" $name -}}
    {{- $created := include "kserve-lite.tenants.created" $tenant -}}
    {{- if include "kserve-lite.tenants.guarded" $tenant -}}
      {{- $guarded = append $guarded $path -}}
    {{- end -}}
    {{- if gt (len $name) 63 }}
      ERROR: {{ $path }}: the name has {{ len $name }} characters, and 63 are allowed; shorten it
    {{- end -}}
    {{- if has $name (list "false" "n" "no" "null" "off" "on" "true" "y" "yes") }}
      ERROR: {{ $path }}: YAML reads the name as a boolean or null; choose another
    {{- end -}}
    {{- if eq $name $home }}
      ERROR: {{ $path }}: is the platform's own namespace, whose webhooks are called from everywhere; choose another
    {{- else if and $created (has $name (list "default" "kube-node-lease" "kube-public" "kube-system")) }}
      ERROR: {{ $path }}: every cluster has this Namespace already; set {{ $path }}.createNamespace=false
    {{- end -}}
    {{- if not $created -}}
      {{- range $key, $_ := pick $tenant "annotations" "podSecurity" }}
        ERROR: {{ $path }}.{{ $key }}: is for a Namespace that the release makes; remove it, or {{ $path }}.createNamespace
      {{- end -}}
    {{- end -}}
    {{- range $label, $_ := $tenant.labels -}}
      {{- if hasPrefix "pod-security.kubernetes.io/" $label }}
        ERROR: {{ $path }}.labels: {{ $label }} is the chart's; set {{ $path }}.podSecurity
      {{- end -}}
    {{- end -}}
    {{- if and $tenant.role (not $tenant.groups) }}
      ERROR: {{ $path }}.role: there is nobody to have it; set {{ $path }}.groups, or remove it
    {{- end -}}
  {{- end -}}
  {{- if $guarded -}}
    {{- include "kserve-lite.tenants.checkGateway" (dict "root" . "guarded" $guarded) -}}
  {{- end -}}
{{- end -}}

{{- /*
Whether the pods are known through which requests reach the tenants' models: a NetworkPolicy without them
would keep all requests out. Takes (dict root guarded), where guarded are paths of tenants.
*/ -}}
{{- define "kserve-lite.tenants.checkGateway" -}}
  {{- $routing := .root.Values.routing -}}
  {{- $class := "" -}}
  {{- if eq $routing.mode "gatewayApi" -}}
    {{- if ne $routing.gateway.className "istio" -}}
      {{- $class = printf "class %s" $routing.gateway.className -}}
    {{- end -}}
  {{- else if eq $routing.mode "ingress" -}}
    {{- if $routing.ingressClass.name -}}
      {{- if ne $routing.ingressClass.name "istio" -}}
        {{- $class = printf "class %s" $routing.ingressClass.name -}}
      {{- end -}}
    {{- else if not $routing.ingressClass.create -}}
      {{- $class = "the cluster's default class" -}}
    {{- else if ne $routing.ingressClass.controller "istio.io/ingress-controller" -}}
      {{- $class = $routing.ingressClass.controller -}}
    {{- end -}}
  {{- end -}}
  {{- if and $class $routing.domain (eq .root.Values.deploymentMode "Standard") (not .root.Values.networkPolicy.gatewayFrom) }}
    ERROR: networkPolicy.gatewayFrom: says nothing of where the pods of {{ $class }} are, and the NetworkPolicy of {{ first .guarded }} would keep them out; name their namespace, or set {{ first .guarded }}.networkPolicy.enabled=false
  {{- end -}}
{{- end -}}
