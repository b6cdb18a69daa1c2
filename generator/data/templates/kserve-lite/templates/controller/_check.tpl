{{- /* What the controller and its pod cannot be. Takes the root. */ -}}
{{- define "kserve-lite.controller.check" -}}
  {{- $controller := .Values.controller -}}
  {{- if and $controller.podDisruptionBudget.enabled (lt (int $controller.replicas) 2) }}
    ERROR: controller.podDisruptionBudget needs a second pod, or nodes cannot be drained; set controller.replicas=2
  {{- end -}}
  {{- if hasKey $controller.extraEnv "POD_NAMESPACE" }}
    ERROR: controller.extraEnv.POD_NAMESPACE is set by the chart; remove it
  {{- end -}}
  {{- if hasKey $controller.extraVolumes "cert" }}
    ERROR: controller.extraVolumes.cert is the webhooks' certificate; choose another name
  {{- end -}}
  {{- range $path, $mount := $controller.extraVolumeMounts -}}
    {{- $name := $mount.name | default "without a name" | toString -}}
    {{- if not (or (eq $name "cert") (hasKey $controller.extraVolumes $name)) }}
      ERROR: controller.extraVolumeMounts: at {{ $path }} is the volume {{ $name }}, which is not there; add it to controller.extraVolumes
    {{- end -}}
    {{- if eq $path "/tmp/k8s-webhook-server/serving-certs" }}
      ERROR: controller.extraVolumeMounts: the webhooks' certificate is at /tmp/k8s-webhook-server/serving-certs; choose another path
    {{- end -}}
  {{- end -}}
  {{- include "kserve-lite.check.resources" (dict "path" "controller.resources" "resources" $controller.resources "base" dict "of" "") -}}
  {{- $metrics := .Values.observability.metrics -}}
  {{- $ports := dict "controller.healthProbePort" $controller.healthProbePort "webhook.port" .Values.webhook.port -}}
  {{- if $metrics.enabled -}}
    {{- $_ := set $ports "observability.metrics.port" $metrics.port -}}
  {{- end -}}
  {{- $users := dict -}}
  {{- range $path, $number := $ports -}}
    {{- $port := toString (int $number) -}}
    {{- with get $users $port }}
      ERROR: {{ $path }}: {{ $port }} is the port of {{ . }} too, in the same pod; choose another
    {{- end -}}
    {{- $_ := set $users $port $path -}}
  {{- end -}}
{{- end -}}
