{{- /*
The destination, timeout and retries of an Istio HTTP route. Takes (dict root model backends), where
backends are {service, weight}. The model's own timeout, in seconds, comes before that of the values.
*/ -}}
{{- define "kserve-lite-models.virtualservice.route" -}}
{{- $policy := .root.Values.routing.virtualService -}}
{{- $suffix := printf "%s.svc.cluster.local" (include "kserve-lite-models.namespace" .root) -}}
route:
{{- range .backends }}
- destination:
    host: {{ printf "%s.%s" .service $suffix | quote }}
    port:
      number: 80
  weight: {{ int .weight }}
{{- end }}
timeout: {{ with include "kserve-lite-models.timeout" .model }}{{ int . }}s{{ else }}{{ quote $policy.timeout }}{{ end }}
retries:
  attempts: {{ int $policy.retries }}
  {{- if $policy.retries }}
  # Requests that no model has seen, or that a gRPC server answered with UNAVAILABLE.
  retryOn: connect-failure,refused-stream,unavailable
  {{- end }}
{{- end -}}
