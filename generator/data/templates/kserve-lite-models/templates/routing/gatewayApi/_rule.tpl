{{- /*
A rule of an HTTPRoute: for one path below a prefix, or, where the path is "", for all of them; the
prefix is cut off. The timeout is that of KServe's own routes. Takes (dict root name model prefix path backends), as the defines beside it do.
*/ -}}
{{- define "kserve-lite-models.gatewayApi.rule" -}}
- matches:
  - path:
      type: {{ ternary "Exact" "PathPrefix" (ne .path "") }}
      value: {{ print .prefix .path | default "/" | quote }}
  {{- if or .prefix (not .model.graph) }}
  filters:
    {{- if .prefix }}
  - type: URLRewrite
    urlRewrite:
      path:
        {{- if .path }}
        type: ReplaceFullPath
        replaceFullPath: {{ quote .path }}
        {{- else }}
        type: ReplacePrefixMatch
        replacePrefixMatch: /
        {{- end }}
    {{- end }}
    {{- if not .model.graph }}
    {{- include "kserve-lite-models.gatewayApi.headers" (dict "root" .root "name" .name) | nindent 2 }}
    {{- end }}
  {{- end }}
  {{- include "kserve-lite-models.gatewayApi.backendRefs" (dict "backends" .backends) | nindent 2 }}
  {{- if .root.Values.routing.httpRouteTimeouts }}
  timeouts:
    request: {{ include "kserve-lite-models.timeout" .model | default "60" | int }}s
  {{- end }}
{{- end -}}
