{{- /* What HTTPRoutes and GRPCRoutes have in common. */ -}}

{{- /*
The metadata of a route. No InferenceService has a dot in its name, so no route of KServe's can have this
one; the label tells both apart. Takes (dict root name suffix).
*/ -}}
{{- define "kserve-lite-models.gatewayApi.metadata" -}}
name: {{ printf "%s.%s" .name .suffix | quote }}
namespace: {{ include "kserve-lite-models.namespace" .root | quote }}
{{ include "kserve-lite-models.metadata" (dict "root" .root "name" .name "labels" (dict "app.kubernetes.io/component" "routing")) }}
{{- end -}}

{{- /*
The names of the HTTPS listeners that accept some hosts, as a JSON list: those of the platform's Gateway,
where its HTTP listeners are for the redirect alone; else none, which means every listener. Takes
(dict root hosts).
*/ -}}
{{- define "kserve-lite-models.gatewayApi.sections" -}}
  {{- $routing := .root.Values.routing -}}
  {{- $hosts := .hosts -}}
  {{- $sections := list -}}
  {{- $own := hasKey (include "kserve-lite-models.tenant" .root | fromJson) "gateway" -}}
  {{- if and (or $own $routing.gateway.create) $routing.gateway.tls.enabled $routing.gateway.tls.redirect -}}
    {{- $domains := include "kserve-lite-models.domains" .root | fromJsonArray -}}
    {{- $listeners := list (printf ".%s" (first $domains)) -}}
    {{- if $routing.pathTemplate -}}
      {{- $listeners = append $listeners (first $domains) -}}
    {{- end -}}
    {{- range rest $domains -}}
      {{- $listeners = append $listeners (printf ".%s" .) -}}
    {{- end -}}
    {{- range $index, $listener := $listeners -}}
      {{- $accepted := has $listener $hosts -}}
      {{- range $hosts -}}
        {{- $accepted = or $accepted (and (hasPrefix "." $listener) (hasSuffix $listener .)) -}}
      {{- end -}}
      {{- if $accepted -}}
        {{- $sections = append $sections (ternary "https" (printf "https-%d" $index) (eq $index 0)) -}}
      {{- end -}}
    {{- end -}}
  {{- end -}}
  {{- toJson $sections -}}
{{- end -}}

{{- /* The gateway that the routes of some hosts attach to. Takes (dict root hosts). */ -}}
{{- define "kserve-lite-models.gatewayApi.parentRefs" -}}
{{- $gateway := include "kserve-lite-models.gateway" .root | splitList "/" -}}
parentRefs:
{{- range include "kserve-lite-models.gatewayApi.sections" (dict "root" .root "hosts" .hosts) | fromJsonArray | default (list "") }}
- group: gateway.networking.k8s.io
  kind: Gateway
  name: {{ last $gateway | quote }}
  namespace: {{ first $gateway | quote }}
  {{- with . }}
  sectionName: {{ quote . }}
  {{- end }}
{{- end }}
{{- end -}}

{{- /*
The filter by which a model server is told whose request it is, as KServe's own routes do
(addIsvcHeaders in httproute_reconciler.go of v0.20.0). Takes (dict root name).
*/ -}}
{{- define "kserve-lite-models.gatewayApi.headers" -}}
- type: RequestHeaderModifier
  requestHeaderModifier:
    set:
    - name: KServe-Isvc-Name
      value: {{ quote .name }}
    - name: KServe-Isvc-Namespace
      value: {{ include "kserve-lite-models.namespace" .root | quote }}
{{- end -}}

{{- /* Where the requests go. Takes (dict backends), which are {service, weight}. */ -}}
{{- define "kserve-lite-models.gatewayApi.backendRefs" -}}
backendRefs:
{{- range .backends }}
- group: ""
  kind: Service
  name: {{ quote .service }}
  port: 80
  weight: {{ int .weight }}
{{- end }}
{{- end -}}
