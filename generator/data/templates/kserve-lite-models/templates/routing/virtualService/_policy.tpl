{{- /* Who may call the pods of a model or of a graph, and how. */ -}}

{{- /*
The label by which KServe marks the pods of a model, or of a graph's router (constants.go of v0.20.0).
Takes (dict name kind), where kind is inferenceservice or inferencegraph.
*/ -}}
{{- define "kserve-lite-models.policy.selector" -}}
selector:
  matchLabels:
    serving.kserve.io/{{ .kind }}: {{ quote .name }}
{{- end -}}

{{- /*
An AuthorizationPolicy. Takes (dict root name kind callsItself), where callsItself says that something
beside the pods calls them.
*/ -}}
{{- define "kserve-lite-models.policy.authorization" -}}
{{- $namespace := include "kserve-lite-models.namespace" .root }}
{{- $callers := .root.Values.routing.virtualService -}}
# Who may call these pods; everybody else is refused.
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata:
  name: {{ quote .name }}
  namespace: {{ quote $namespace }}
  {{- include "kserve-lite-models.metadata" (dict "root" .root "name" .name) | nindent 2 }}
spec:
  {{- include "kserve-lite-models.policy.selector" (dict "name" .name "kind" .kind) | nindent 2 }}
  action: ALLOW
  rules:
  - from:
    {{- if and .callsItself (not (has $namespace $callers.allowNamespaces)) }}
    # Its transformer, explainer or graph, which run beside it.
    - source:
        namespaces:
        - {{ quote $namespace }}
    {{- end }}
    {{- with $callers.allowNamespaces }}
    - source:
        namespaces:
          {{- toYaml . | nindent 10 }}
    {{- end }}
    {{- with $callers.allowPrincipals }}
    - source:
        principals:
          {{- toYaml . | nindent 10 }}
    {{- end }}
{{- end -}}

{{- /* A PeerAuthentication. Takes (dict root name kind). */ -}}
{{- define "kserve-lite-models.policy.authentication" -}}
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata:
  name: {{ quote .name }}
  namespace: {{ include "kserve-lite-models.namespace" .root | quote }}
  {{- include "kserve-lite-models.metadata" (dict "root" .root "name" .name) | nindent 2 }}
spec:
  {{- include "kserve-lite-models.policy.selector" (dict "name" .name "kind" .kind) | nindent 2 }}
  mtls:
    mode: {{ quote .root.Values.routing.virtualService.peerAuthentication }}
{{- end -}}
