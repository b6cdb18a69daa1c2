{{- /* What the objects of tenants have in common. */ -}}

{{- /* Whether the release makes the Namespace, as "true" or nothing. Takes the tenant. */ -}}
{{- define "kserve-lite.tenants.created" -}}
  {{- if dig "createNamespace" true . -}}
    true
  {{- end -}}
{{- end -}}

{{- /* The annotations that keep an object, whichever tool prunes, as JSON. Takes the root. */ -}}
{{- define "kserve-lite.tenants.kept" -}}
  {{- toJson (dict
        "argocd.argoproj.io/sync-options" "Prune=false,Delete=false"
        "helm.sh/resource-policy" "keep"
        "kustomize.toolkit.fluxcd.io/prune" "disabled") -}}
{{- end -}}

{{- /*
Quantities as the API server keeps them, texts, as JSON. Takes quantities by what they are of; what is no mapping
of them is refused by the check.
*/ -}}
{{- define "kserve-lite.tenants.quantities" -}}
  {{- $texts := dict -}}
  {{- if kindIs "map" . -}}
    {{- range $name, $quantity := . -}}
      {{- $_ := set $texts $name (include "kserve-lite.config.quantity" $quantity) -}}
    {{- end -}}
  {{- end -}}
  {{- toJson $texts -}}
{{- end -}}

{{- /* The limits of a LimitRange with such quantities, as a JSON list. Takes the limits; as above. */ -}}
{{- define "kserve-lite.tenants.limits" -}}
  {{- $limits := list -}}
  {{- if kindIs "slice" . -}}
    {{- range $limit := . -}}
      {{- if kindIs "map" $limit -}}
        {{- $one := pick $limit "type" -}}
        {{- range $key, $quantities := omit $limit "type" -}}
          {{- $_ := set $one $key (include "kserve-lite.tenants.quantities" $quantities | fromJson) -}}
        {{- end -}}
        {{- $limits = append $limits $one -}}
      {{- end -}}
    {{- end -}}
  {{- end -}}
  {{- toJson $limits -}}
{{- end -}}

{{- /* Whether the tenant has a NetworkPolicy, as "true" or nothing. Takes the tenant. */ -}}
{{- define "kserve-lite.tenants.guarded" -}}
  {{- if dig "networkPolicy" "enabled" true . -}}
    true
  {{- end -}}
{{- end -}}

{{- /* A peer by the name of its namespace, as JSON. Takes (dict namespace labels), labels left out for all pods. */ -}}
{{- define "kserve-lite.tenants.peer" -}}
  {{- $peer := dict "namespaceSelector" (dict "matchLabels" (dict "kubernetes.io/metadata.name" .namespace)) -}}
  {{- with .labels -}}
    {{- $_ := set $peer "podSelector" (dict "matchLabels" .) -}}
  {{- end -}}
  {{- toJson $peer -}}
{{- end -}}

{{- /* The names of the tenants that share the platform's gateway, as a JSON list. Takes the root. */ -}}
{{- define "kserve-lite.tenants.sharing" -}}
  {{- $names := list -}}
  {{- range $name, $tenant := .Values.tenants -}}
    {{- if not (hasKey $tenant "gateway") -}}
      {{- $names = append $names $name -}}
    {{- end -}}
  {{- end -}}
  {{- toJson $names -}}
{{- end -}}

{{- /* The domain of a tenant's own gateway. Takes (dict root name tenant). */ -}}
{{- define "kserve-lite.tenants.domain" -}}
  {{ .tenant.gateway.domain | default (printf "%s.%s" .name .root.Values.routing.domain) }}
{{- end -}}

{{- /* The hosts that a tenant's own gateway accepts, as a JSON list. Takes (dict root name tenant). */ -}}
{{- define "kserve-lite.tenants.hosts" -}}
  {{- $domain := include "kserve-lite.tenants.domain" . -}}
  {{- $hosts := list (printf "*.%s" $domain) -}}
  {{- if .root.Values.routing.pathTemplate -}}
    {{- $hosts = append $hosts $domain -}}
  {{- end -}}
  {{- toJson $hosts -}}
{{- end -}}

{{- /*
The peers through which requests come from outside, as a JSON list: those of networkPolicy.gatewayFrom, else
Istio's pods where models are published. It labels the pods of a Gateway with the Gateway's name, as the
Gateway API asks (gateway-api.sigs.k8s.io, GEP-1762). Takes (dict root name tenant).
*/ -}}
{{- define "kserve-lite.tenants.gatewayPeers" -}}
  {{- $root := .root -}}
  {{- $routing := $root.Values.routing -}}
  {{- $own := hasKey .tenant "gateway" -}}
  {{- $peers := list -}}
  {{- if $root.Values.networkPolicy.gatewayFrom -}}
    {{- $peers = $root.Values.networkPolicy.gatewayFrom -}}
  {{- else if eq $root.Values.deploymentMode "Knative" -}}
    {{- range list "istio-system" "knative-serving" -}}
      {{- $peers = append $peers (include "kserve-lite.tenants.peer" (dict "namespace" .) | fromJson) -}}
    {{- end -}}
  {{- else if and $routing.domain (ne $routing.mode "none") -}}
    {{- $namespace := "istio-system" -}}
    {{- $labels := dict "istio" "ingressgateway" -}}
    {{- if eq $routing.mode "gatewayApi" -}}
      {{- $gateway := include "kserve-lite.routing.gateway" $root | splitList "/" -}}
      {{- if $own -}}
        {{- $gateway = list (include "kserve-lite.namespace" $root) (printf "kserve-%s" .name) -}}
      {{- end -}}
      {{- $namespace = first $gateway -}}
      {{- $labels = dict "gateway.networking.k8s.io/gateway-name" (last $gateway) -}}
    {{- else if eq $routing.mode "virtualService" -}}
      {{- $labels = dig "gateway" "selector" $routing.gateway.selector .tenant -}}
    {{- end -}}
    {{- $peers = append $peers (include "kserve-lite.tenants.peer" (dict "namespace" $namespace "labels" $labels) | fromJson) -}}
  {{- end -}}
  {{- toJson $peers -}}
{{- end -}}
