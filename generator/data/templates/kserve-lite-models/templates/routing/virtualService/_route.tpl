{{- /*
The destination, timeout and retries of an Istio HTTP route. Takes (dict root model targets), where
targets are {host, weight}. The model's own timeout, in seconds, comes before that of the values.
*/ -}}
{{- define "kserve-lite-models.virtualservice.route" -}}
{{- $policy := .root.Values.routing.virtualService -}}
{{- $model := .model -}}
{{- $timeout := dig "predictor" "timeout" $model.timeout ($model.spec | default dict) -}}
route:
{{- range .targets }}
- destination:
    host: {{ quote .host }}
    port:
      number: 80
  weight: {{ .weight }}
{{- end }}
timeout: {{ if $timeout }}{{ int $timeout }}s{{ else }}{{ quote $policy.timeout }}{{ end }}
retries:
  attempts: {{ int $policy.retries }}
  {{- if $policy.retries }}
  # Only requests that no model has seen.
  retryOn: connect-failure,refused-stream,unavailable
  {{- end }}
{{- end -}}
