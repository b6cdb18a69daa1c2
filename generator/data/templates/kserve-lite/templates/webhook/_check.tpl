{{- /* What webhook.certificate.mode cannot do. Takes the root. */ -}}
{{- define "kserve-lite.webhook.check" -}}
  {{- $certificate := .Values.webhook.certificate -}}
  {{- if eq $certificate.mode "existing" -}}
    {{- if not $certificate.secretName }}
      ERROR: webhook.certificate.secretName is empty; set webhook.certificate.secretName to your kubernetes.io/tls Secret
    {{- end -}}
    {{- if not $certificate.caBundle }}
      ERROR: webhook.certificate.caBundle is empty; set webhook.certificate.caBundle to the base64 of your CA's PEM
    {{- else if not (contains "-----BEGIN CERTIFICATE-----" (b64dec $certificate.caBundle)) }}
      ERROR: webhook.certificate.caBundle is not a base64-encoded PEM certificate; set it to the output of `base64 -w0 ca.crt`
    {{- end -}}
  {{- else if eq $certificate.mode "certManager" -}}
    {{- $lifetime := include "kserve-lite.milliseconds" $certificate.duration | int64 -}}
    {{- $before := include "kserve-lite.milliseconds" $certificate.renewBefore | int64 -}}
    {{- if ge $before $lifetime }}
      ERROR: webhook.certificate.renewBefore: {{ $certificate.renewBefore }} is not less than webhook.certificate.duration, {{ $certificate.duration }}; lower it, to a third of that for instance
    {{- end -}}
    {{- if lt $lifetime 3600000 }}
      ERROR: webhook.certificate.duration: cert-manager makes no certificate for {{ $certificate.duration }}; set it to 1h or more
    {{- end -}}
    {{- if lt $before 300000 }}
      ERROR: webhook.certificate.renewBefore: cert-manager refuses {{ $certificate.renewBefore }}; set it to 5m or more
    {{- end -}}
  {{- else if and (eq $certificate.mode "openshift") (ne .Values.platform "openshift") }}
    ERROR: webhook.certificate.mode openshift needs OpenShift's service CA; set platform=openshift
  {{- else if eq $certificate.mode "selfSigned" }}
    {{- include "kserve-lite.check.resources" (dict "path" "webhook.certificate.resources" "resources" $certificate.resources "base" dict "of" "") }}
  {{- end -}}
{{- end -}}
