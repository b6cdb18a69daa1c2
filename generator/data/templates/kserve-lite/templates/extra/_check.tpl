{{- /*
What extraObjects cannot hold: what is no object, and what would wait for the webhook of this very
release. Takes the root.
*/ -}}
{{- define "kserve-lite.extra.check" -}}
  {{- range $name, $object := .Values.extraObjects -}}
    {{- if not (and $object.apiVersion $object.kind (kindIs "map" $object.metadata) (dig "name" "" $object.metadata)) }}
      ERROR: extraObjects.{{ $name }} is not a Kubernetes object; give it apiVersion, kind and metadata.name
    {{- end -}}
    {{- if hasPrefix "serving.kserve.io/" (toString $object.apiVersion) -}}
      {{- if has $object.kind (list "InferenceService" "InferenceGraph" "TrainedModel" "ServingRuntime") }}
        ERROR: extraObjects.{{ $name }}: a {{ $object.kind }} is checked by the webhook that this release installs; apply it afterwards
      {{- else if eq $object.kind "ClusterServingRuntime" }}
        ERROR: extraObjects.{{ $name }}: a ClusterServingRuntime is checked by the webhook that this release installs; move it to customRuntimes
      {{- end -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
