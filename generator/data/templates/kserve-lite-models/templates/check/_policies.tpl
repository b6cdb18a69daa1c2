{{- /* The check of who may call the models: a policy that nobody writes keeps nobody out. */ -}}

{{- /* Takes the root. */ -}}
{{- define "kserve-lite-models.check.policies" -}}
  {{- $routing := .Values.routing -}}
  {{- if ne $routing.mode "virtualService" }}
    {{- range $key, $value := pick $routing.virtualService "allowNamespaces" "allowPrincipals" "peerAuthentication" }}
      {{- if $value }}
        ERROR: routing.virtualService.{{ $key }}: in routing.mode {{ $routing.mode }} no policy is written that says who may call a model; set routing.mode=virtualService, or remove it and write Istio's policies yourself
      {{- end }}
    {{- end }}
  {{- end }}
{{- end -}}
