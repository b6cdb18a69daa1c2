{{- /* What the shared gateway and those of tenants have in common. */ -}}

{{- /*
The hosts of a gateway, each for the routes of some namespaces, as a JSON list: NAMESPACE/HOST, or HOST for
those of all. `.` is the gateway's own. Takes (dict hosts namespaces), where namespaces may be left out.
*/ -}}
{{- define "kserve-lite.routing.limitedHosts" -}}
  {{- $hosts := .hosts -}}
  {{- if hasKey . "namespaces" -}}
    {{- $limited := list -}}
    {{- range $namespace := .namespaces | default (list ".") -}}
      {{- range $hosts -}}
        {{- $limited = append $limited (printf "%s/%s" $namespace .) -}}
      {{- end -}}
    {{- end -}}
    {{- $hosts = $limited -}}
  {{- end -}}
  {{- toJson $hosts -}}
{{- end -}}

{{- /* The `servers:` of a gateway. Takes (dict root hosts secretName). */ -}}
{{- define "kserve-lite.routing.servers" -}}
{{- $gateway := .root.Values.routing.gateway -}}
- port:
    name: http
    number: {{ int $gateway.httpPort }}
    protocol: HTTP
  hosts:
    {{- toYaml .hosts | nindent 4 }}
  {{- if and $gateway.tls.enabled $gateway.tls.redirect }}
  tls:
    httpsRedirect: true
  {{- end }}
{{- if $gateway.tls.enabled }}
- port:
    name: https
    number: {{ int $gateway.httpsPort }}
    protocol: HTTPS
  hosts:
    {{- toYaml .hosts | nindent 4 }}
  tls:
    mode: SIMPLE
    # A Secret in the namespace of the ingress gateway's pods.
    credentialName: {{ quote .secretName }}
{{- end }}
{{- end -}}
