{{- /*
The spec of the certificate Job. It is one text, because the Job's name carries its hash: a Job cannot
be changed, so a new spec is a new Job. Takes the root.
*/ -}}
{{- define "kserve-lite.webhook.job" -}}
{{- $image := include "kserve-lite.image" (dict "root" . "image" .Values.webhook.certificate.image) -}}
{{- $resources := toYaml .Values.webhook.certificate.resources -}}
{{- $securityContext := include "kserve-lite.securityContext" (dict "root" .) -}}
# The init container makes the Secret unless it is there, the container puts its CA into the webhook
# configurations; both may come before what they need, and try again.
backoffLimit: 10
template:
  metadata:
    labels:
      {{- include "kserve-lite.podLabels" (dict "root" . "component" "certificate" "labels" (dict "sidecar.istio.io/inject" "false")) | nindent 6 }}
    annotations:
      # Raised to run the Job again.
      kserve-lite/generation: {{ int .Values.webhook.certificate.generation | quote }}
  spec:
    serviceAccountName: {{ include "kserve-lite.webhook.jobName" . }}
    automountServiceAccountToken: true
    {{- with include "kserve-lite.imagePullSecrets" . }}
    {{- . | nindent 4 }}
    {{- end }}
    restartPolicy: OnFailure
    securityContext:
      {{- include "kserve-lite.podSecurityContext" (dict "root" . "user" 65532) | nindent 6 }}
    initContainers:
    - name: create
      image: {{ quote $image }}
      imagePullPolicy: {{ .Values.global.imagePullPolicy }}
      args:
      - create
      - --namespace={{ include "kserve-lite.namespace" . }}
      - --secret-name={{ include "kserve-lite.webhook.secretName" . }}
      - --secret-type=kubernetes.io/tls
      - --host={{ include "kserve-lite.webhook.dnsNames" . | fromJsonArray | join "," }}
      - --ca-name=ca.crt
      - --cert-name=tls.crt
      - --key-name=tls.key
      resources:
        {{- $resources | nindent 8 }}
      securityContext:
        {{- $securityContext | nindent 8 }}
    containers:
    - name: patch
      image: {{ quote $image }}
      imagePullPolicy: {{ .Values.global.imagePullPolicy }}
      args:
      - patch
      - --namespace={{ include "kserve-lite.namespace" . }}
      - --secret-name={{ include "kserve-lite.webhook.secretName" . }}
      - --ca-name=ca.crt
      - --webhook-name={{ include "kserve-lite.webhook.configurationName" . }}
      # Server-side apply of caBundle alone; the default replaces the whole object.
      - --patch-mode=patch
      - --patch-mutating=true
      - --patch-validating=true
      resources:
        {{- $resources | nindent 8 }}
      securityContext:
        {{- $securityContext | nindent 8 }}
    {{- with .Values.controller.nodeSelector }}
    nodeSelector:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    {{- with .Values.controller.tolerations }}
    tolerations:
      {{- toYaml . | nindent 6 }}
    {{- end }}
{{- end -}}
