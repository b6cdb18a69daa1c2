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

{{- /* The gateway that the routes attach to. Takes the root. */ -}}
{{- define "kserve-lite-models.gatewayApi.parentRefs" -}}
{{- $gateway := include "kserve-lite-models.gateway" . | splitList "/" -}}
parentRefs:
- group: gateway.networking.k8s.io
  kind: Gateway
  name: {{ last $gateway | quote }}
  namespace: {{ first $gateway | quote }}
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
