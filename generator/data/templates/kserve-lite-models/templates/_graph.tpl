{{- /* The spec of an InferenceGraph, without the entry's own `spec`. Takes a graph. */ -}}
{{- define "kserve-lite-models.graph" -}}
nodes:
{{- range $key, $node := .nodes }}
  {{ quote $key }}:
    routerType: {{ quote $node.type }}
    steps:
    {{- range $node.steps }}
    - {{ if .model }}serviceName: {{ quote .model }}{{ else if .node }}nodeName: {{ quote .node }}{{ else }}serviceUrl: {{ quote .url }}{{ end }}
      {{- with omit . "model" "node" "url" }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
    {{- end }}
{{- end }}
{{- with pick . "maxReplicas" "minReplicas" "resources" "timeout" }}
{{ toYaml . }}
{{- end }}
{{- with .timeout }}
# Knative reads the timeout above; the router itself ends requests after 60 seconds unless told so.
routerTimeouts:
  serverWrite: {{ int . }}
  serviceClient: {{ int . }}
{{- end }}
{{- end -}}
