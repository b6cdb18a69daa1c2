{{- /* What a tenant cannot be. Takes the root. */ -}}
{{- define "kserve-lite.tenants.check" -}}
  {{- $home := include "kserve-lite.namespace" . -}}
  {{- $guarded := list -}}
  {{- range $name, $tenant := .Values.tenants -}}
    {{- $path := printf "tenants.%s" $name -}}
    {{- $created := include "kserve-lite.tenants.created" $tenant -}}
    {{- if include "kserve-lite.tenants.guarded" $tenant -}}
      {{- $guarded = append $guarded $name -}}
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
    {{- include "kserve-lite.tenants.checkAmounts" (dict "path" $path "tenant" $tenant) -}}
  {{- end -}}
  {{- include "kserve-lite.tenants.checkGateways" . -}}
  {{- if $guarded -}}
    {{- include "kserve-lite.tenants.checkPeers" (dict "root" . "guarded" $guarded) -}}
  {{- end -}}
{{- end -}}

{{- /*
Whether the pods are known through which requests reach the tenants' models: a NetworkPolicy without them
would keep all requests out. Of a gateway that somebody else makes they are not, whatever its class; a tenant
with one of its own is not behind it. Takes (dict root guarded), where guarded are names of tenants.
*/ -}}
{{- define "kserve-lite.tenants.checkPeers" -}}
  {{- $root := .root -}}
  {{- $routing := $root.Values.routing -}}
  {{- $class := "" -}}
  {{- $names := .guarded -}}
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
  {{- if and (not $class) (has $routing.mode (list "gatewayApi" "virtualService")) (not $routing.gateway.create) -}}
    {{- $class = printf "gateway %s" (include "kserve-lite.routing.gateway" $root) -}}
    {{- $sharing := include "kserve-lite.tenants.sharing" $root | fromJsonArray -}}
    {{- $names = list -}}
    {{- range .guarded -}}
      {{- if has . $sharing -}}
        {{- $names = append $names . -}}
      {{- end -}}
    {{- end -}}
  {{- end -}}
  {{- if and $class $names $routing.domain (eq $root.Values.deploymentMode "Standard") (not $root.Values.networkPolicy.gatewayFrom) }}
    {{- $path := printf "tenants.%s" (first $names) }}
    ERROR: networkPolicy.gatewayFrom: says nothing of where the pods of {{ $class }} are, and the NetworkPolicy of {{ $path }} would keep them out; name their namespace, or set {{ $path }}.networkPolicy.enabled=false
  {{- end -}}
{{- end -}}

{{- /*
What a tenant's quota and limits cannot be: Kubernetes takes null for 0, and a word of another type not at all.
Takes (dict path tenant).
*/ -}}
{{- define "kserve-lite.tenants.checkAmounts" -}}
  {{- with .tenant.resourceQuota -}}
    {{- if hasKey . "hard" -}}
      {{- include "kserve-lite.tenants.checkQuantities" (dict "path" (printf "%s.resourceQuota.hard" $.path) "quantities" .hard) -}}
    {{- end -}}
  {{- end -}}
  {{- with .tenant.limitRange -}}
    {{- $path := printf "%s.limitRange.limits" $.path -}}
    {{- if not (kindIs "slice" .limits) }}
      ERROR: {{ $path }}: is {{ include "kserve-lite.tenants.kind" .limits }}, and no list; begin each entry with a dash
    {{- else -}}
      {{- range $number, $limit := .limits -}}
        {{- $item := printf "%s.%d" $path $number -}}
        {{- if not (kindIs "map" $limit) }}
          ERROR: {{ $item }}: is {{ include "kserve-lite.tenants.kind" $limit }}, and no mapping; write type and amounts
        {{- else -}}
          {{- range $key, $quantities := omit $limit "type" -}}
            {{- include "kserve-lite.tenants.checkQuantities" (dict "path" (printf "%s.%s" $item $key) "quantities" $quantities) -}}
          {{- end -}}
        {{- end -}}
      {{- end -}}
    {{- end -}}
  {{- end -}}
{{- end -}}

{{- /* What are no quantities. Takes (dict path quantities). */ -}}
{{- define "kserve-lite.tenants.checkQuantities" -}}
  {{- if not (kindIs "map" .quantities) }}
    ERROR: {{ .path }}: is {{ include "kserve-lite.tenants.kind" .quantities }}, and no mapping; write one quantity per resource
  {{- else -}}
    {{- range $name, $quantity := .quantities -}}
      {{- if not (has (kindOf $quantity) (list "string" "float64" "int" "int64")) }}
        ERROR: {{ $.path }}: {{ $name }} is {{ include "kserve-lite.tenants.kind" $quantity }}, and no quantity; write one such as 500m, 2 or 4Gi, or remove it
      {{- end -}}
    {{- end -}}
  {{- end -}}
{{- end -}}

{{- /* A value in a few words. Takes the value. */ -}}
{{- define "kserve-lite.tenants.kind" -}}
  {{- if kindIs "map" . -}}
    a mapping
  {{- else if kindIs "slice" . -}}
    a list
  {{- else -}}
    {{ toJson . }}
  {{- end -}}
{{- end -}}

{{- /* Whether a tenant can have a gateway of its own, and which. Takes the root. */ -}}
{{- define "kserve-lite.tenants.checkGateways" -}}
  {{- $root := . -}}
  {{- $routing := .Values.routing -}}
  {{- $known := dict $routing.domain "routing.domain" -}}
  {{- range $routing.additionalDomains -}}
    {{- $_ := set $known . "routing.additionalDomains" -}}
  {{- end -}}
  {{- range $name, $tenant := .Values.tenants -}}
    {{- if hasKey $tenant "gateway" -}}
      {{- $path := printf "tenants.%s.gateway" $name -}}
      {{- if not (has $routing.mode (list "gatewayApi" "virtualService")) }}
        ERROR: {{ $path }}: there is no gateway in routing.mode {{ $routing.mode }}; set routing.mode=gatewayApi or virtualService, or remove it
      {{- else if and (eq $routing.mode "gatewayApi") (not $routing.gatewayApi.writeRoutes) }}
        ERROR: {{ $path }}: KServe attaches all its HTTPRoutes to one gateway; set routing.gatewayApi.writeRoutes=true, or remove it
      {{- else if not $routing.domain }}
        ERROR: {{ $path }}: without routing.domain nothing is published; set routing.domain
      {{- else -}}
        {{- $domain := include "kserve-lite.tenants.domain" (dict "root" $root "name" $name "tenant" $tenant) -}}
        {{- with get $known $domain }}
          ERROR: {{ $path }}.domain: {{ $domain }} is that of {{ . }} already; set another
        {{- end -}}
        {{- if eq (include "kserve-lite.routing.gateway" $root) (printf "%s/kserve-%s" (include "kserve-lite.namespace" $root) $name) }}
          ERROR: {{ $path }}: routing.gateway has the name kserve-{{ $name }} already; rename the tenant, or set routing.gateway.name to another
        {{- end -}}
        {{- $_ := set $known $domain $path -}}
        {{- if and $routing.gateway.tls.enabled (not $tenant.gateway.secretName) }}
          ERROR: {{ $path }}.secretName: is empty; set {{ $path }}.secretName to the Secret with the certificate for *.{{ $domain }}
        {{- end -}}
        {{- if and (eq $routing.mode "gatewayApi") (gt (len $name) 50) }}
          ERROR: {{ $path }}: gateways name a Service after themselves and their class, which takes 50 characters of {{ $name }}; rename the tenant, or remove it
        {{- end -}}
        {{- range $key := list (ternary "secretName" "" (not $routing.gateway.tls.enabled)) (ternary "selector" "" (eq $routing.mode "gatewayApi")) -}}
          {{- if and $key (hasKey $tenant.gateway $key) }}
            ERROR: {{ $path }}.{{ $key }}: {{ ternary "is for TLS; set routing.gateway.tls.enabled=true, or remove it" "is for routing.mode virtualService; remove it" (eq $key "secretName") }}
          {{- end -}}
        {{- end -}}
      {{- end -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
