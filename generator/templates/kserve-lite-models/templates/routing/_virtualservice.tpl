{{- /*
The destination, timeout and retries of an Istio HTTP route. Takes (list root targets), where targets
are {host, weight}.
*/ -}}
{{- define "kserve-lite-models.virtualservice.route" -}}
{{- $policy := (index . 0).Values.routing.virtualService -}}
route:
{{- range index . 1 }}
- destination:
    host: {{ .host }}
    port:
      number: 80
  weight: {{ .weight }}
{{- end }}
timeout: {{ $policy.timeout }}
retries:
  attempts: {{ int $policy.retries }}
  {{- if $policy.retries }}
  # Only requests that no model has seen.
  retryOn: connect-failure,refused-stream,unavailable
  {{- end }}
{{- end -}}

{{- /* The names of the Services behind a model, as a JSON list. Takes (list name model). */ -}}
{{- define "kserve-lite-models.services" -}}
{{- $name := index . 0 -}}
{{- $model := index . 1 -}}
{{- $services := list (printf "%s-predictor" $name) -}}
{{- range $key, $_ := $model.canary -}}
{{- $services = append $services (printf "%s-%s-predictor" $name $key) -}}
{{- end -}}
{{- range list "explainer" "transformer" -}}
{{- if get $model . -}}
{{- $services = append $services (printf "%s-%s" $name .) -}}
{{- end -}}
{{- end -}}
{{- toJson $services -}}
{{- end -}}
