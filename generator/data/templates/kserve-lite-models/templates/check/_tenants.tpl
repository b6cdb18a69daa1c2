{{- /*
What does not fit into the namespace of a tenant, said before pods are refused there. Takes the root.
*/ -}}
{{- define "kserve-lite-models.check.tenants" -}}
  {{- $namespace := include "kserve-lite-models.namespace" . -}}
  {{- if hasKey .Values.tenants $namespace -}}
    {{- $tenant := get .Values.tenants $namespace -}}
    {{- range $kind, $entries := dict "models" .Values.models "graphs" .Values.graphs -}}
      {{- range $name, $entry := $entries -}}
        {{- range $label, $value := $tenant.labels -}}
          {{- if and (hasKey ($entry.labels | default dict) $label) (ne (get $entry.labels $label) $value) }}
            ERROR: {{ $kind }}.{{ $name }}.labels: {{ $label }} is {{ $value }} for all of tenants.{{ $namespace }}; remove it
          {{- end -}}
        {{- end -}}
      {{- end -}}
    {{- end -}}
    {{- if and (include "kserve-lite-models.guarded" .) (not .Values.networkPolicy.gatewayFrom) -}}
      {{- include "kserve-lite-models.check.guarded" (dict "root" . "namespace" $namespace) -}}
    {{- end -}}
    {{- $restricted := and (dig "createNamespace" true $tenant) (eq "restricted" ($tenant.podSecurity | default "restricted")) -}}
    {{- if and $restricted (eq .Values.platform "kubernetes") -}}
      {{- include "kserve-lite-models.check.restricted" (dict "root" . "namespace" $namespace) -}}
    {{- end -}}
  {{- else if .Values.tenants -}}
    {{- include "kserve-lite-models.check.outsider" (dict "root" . "namespace" $namespace) -}}
  {{- end -}}
{{- end -}}

{{- /*
What runs in another mode than the platform, by whose mode the NetworkPolicy of its namespace knows the gateway.
Knative stands before its pods even for requests from inside. Takes (dict root namespace).
*/ -}}
{{- define "kserve-lite-models.check.guarded" -}}
  {{- $root := .root -}}
  {{- $public := and $root.Values.routing.domain (ne $root.Values.routing.mode "none") -}}
  {{- range $kind, $entries := dict "models" $root.Values.models "graphs" $root.Values.graphs -}}
    {{- range $name, $entry := $entries -}}
      {{- $one := dict "root" $root "model" $entry -}}
      {{- $mode := include "kserve-lite-models.deploymentMode" $one -}}
      {{- $called := or (eq $mode "Knative") (and $public (not (include "kserve-lite-models.inside" $one))) -}}
      {{- if and $called (ne $mode $root.Values.deploymentMode) }}
        ERROR: {{ $kind }}.{{ $name }}: its deploymentMode is {{ $mode }}, and the NetworkPolicy of tenants.{{ $.namespace }} lets in the gateway of {{ $root.Values.deploymentMode }} alone; set networkPolicy.gatewayFrom to the pods of both, or tenants.{{ $.namespace }}.networkPolicy.enabled=false
      {{- end -}}
    {{- end -}}
  {{- end -}}
{{- end -}}

{{- /*
Whether the platform's gateway takes routes of a namespace that is no tenant's. Takes (dict root namespace).
*/ -}}
{{- define "kserve-lite-models.check.outsider" -}}
  {{- $root := .root -}}
  {{- $routing := $root.Values.routing -}}
  {{- $closed := eq $routing.mode "virtualService" -}}
  {{- if eq $routing.mode "gatewayApi" -}}
    {{- $closed = not $routing.gateway.allowedRoutes.namespaces -}}
  {{- end -}}
  {{- if and $closed $routing.domain $routing.gateway.create -}}
    {{- range $name, $model := $root.Values.models -}}
      {{- $standard := eq (include "kserve-lite-models.deploymentMode" (dict "root" $root "model" $model)) "Standard" -}}
      {{- if and $standard (not (include "kserve-lite-models.inside" (dict "root" $root "model" $model))) }}
        ERROR: models.{{ $name }}: the gateway takes routes of tenants alone, and namespace {{ $.namespace }} is none; add it to tenants, with createNamespace: false if it is there, or set models.{{ $name }}.clusterLocal=true
      {{- end -}}
    {{- end -}}
    {{- range $name, $graph := $root.Values.graphs -}}
      {{- if include "kserve-lite-models.routed" (dict "root" $root "model" $graph) }}
        ERROR: graphs.{{ $name }}: the gateway takes routes of tenants alone, and namespace {{ $.namespace }} is none; add it to tenants, with createNamespace: false if it is there, or give the graph the label networking.kserve.io/visibility: cluster-local
      {{- end -}}
    {{- end -}}
  {{- end -}}
{{- end -}}

{{- /*
What pods Pod Security "restricted" refuses: KServe v0.20.0 gives the router of a graph no seccomp profile
(raw_ig.go), and an image with a model no security context but a user (utils/storage.go). On OpenShift the SCC
adds what is missing. Takes (dict root namespace).
*/ -}}
{{- define "kserve-lite-models.check.restricted" -}}
  {{- $remedy := printf "set tenants.%s.podSecurity=baseline" .namespace -}}
  {{- range $name, $_ := .root.Values.graphs }}
    ERROR: graphs.{{ $name }}: Pod Security "restricted" refuses KServe's router, which has no seccomp profile; {{ $remedy }}
  {{- end -}}
  {{- $modelcar := eq .root.Values.storage.ociModels.mode "modelcar" -}}
  {{- range $name, $model := .root.Values.models -}}
    {{- if and $modelcar (hasPrefix "oci://" ($model.storageUri | default "")) }}
      ERROR: models.{{ $name }}.storageUri: Pod Security "restricted" refuses the container that KServe makes of the image; set storage.ociModels.mode=native, or {{ $remedy }}
    {{- end -}}
  {{- end -}}
{{- end -}}
