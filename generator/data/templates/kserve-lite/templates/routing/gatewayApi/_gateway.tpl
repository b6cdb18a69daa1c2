{{- /* What the shared gateway and those of tenants have in common. */ -}}

{{- /*
The namespaces whose routes the shared gateway takes, and of which kinds, as YAML: what the values say, else
those of the tenants that have no gateway of their own, else all. Takes the root.
*/ -}}
{{- define "kserve-lite.routing.allowedRoutes" -}}
  {{- $allowed := deepCopy .Values.routing.gateway.allowedRoutes -}}
  {{- if not $allowed.namespaces -}}
    {{- $_ := set $allowed "namespaces" (dict "from" "All") -}}
    {{- if .Values.tenants -}}
      {{- $_ := set $allowed "namespaces" (include "kserve-lite.routing.namespaces" (dict "names" (include "kserve-lite.tenants.sharing" . | fromJsonArray)) | fromYaml) -}}
    {{- end -}}
  {{- end -}}
  {{- toYaml $allowed -}}
{{- end -}}

{{- /* The `namespaces:` of some names, or of the gateway's own where there are none. Takes (dict names). */ -}}
{{- define "kserve-lite.routing.namespaces" -}}
{{- if .names -}}
from: Selector
selector:
  matchExpressions:
  - key: kubernetes.io/metadata.name
    operator: In
    values:
      {{- toYaml .names | nindent 4 }}
{{- else -}}
from: Same
{{- end -}}
{{- end -}}

{{- /*
The `listeners:` of a gateway. Takes (dict root hosts allowed secretName), where allowed is the YAML of
allowedRoutes.
*/ -}}
{{- define "kserve-lite.routing.listeners" -}}
{{- $gateway := .root.Values.routing.gateway -}}
{{- $redirect := and $gateway.tls.enabled $gateway.tls.redirect -}}
{{- $allowed := .allowed -}}
{{- $secretName := .secretName -}}
{{- range $index, $host := .hosts }}
{{- $suffix := ternary "" (printf "-%d" $index) (eq $index 0) }}
- name: http{{ $suffix }}
  hostname: {{ quote $host }}
  port: {{ int $gateway.httpPort }}
  protocol: HTTP
  allowedRoutes:
    {{- if $redirect }}
    # Only the redirect to HTTPS attaches here.
    namespaces:
      from: Same
    {{- else }}
    {{- nindent 4 $allowed }}
    {{- end }}
{{- if $gateway.tls.enabled }}
- name: https{{ $suffix }}
  hostname: {{ quote $host }}
  port: {{ int $gateway.httpsPort }}
  protocol: HTTPS
  allowedRoutes:
    {{- nindent 4 $allowed }}
  tls:
    mode: Terminate
    certificateRefs:
    - group: ""
      kind: Secret
      name: {{ quote $secretName }}
{{- end }}
{{- end }}
{{- end -}}

{{- /* The `spec:` of the route that sends HTTP to HTTPS. Takes (dict root name hosts), name being the gateway's. */ -}}
{{- define "kserve-lite.routing.redirect" -}}
{{- $name := .name -}}
parentRefs:
{{- range $index, $host := .hosts }}
- group: gateway.networking.k8s.io
  kind: Gateway
  name: {{ quote $name }}
  sectionName: http{{ ternary "" (printf "-%d" $index) (eq $index 0) }}
{{- end }}
rules:
- matches:
  - path:
      type: PathPrefix
      value: /
  filters:
  - type: RequestRedirect
    requestRedirect:
      scheme: https
      statusCode: 301
      {{- if ne (int .root.Values.routing.gateway.httpsPort) 443 }}
      port: {{ int .root.Values.routing.gateway.httpsPort }}
      {{- end }}
{{- end -}}
