{{- /* Names that the webhook configurations, the certificate and its Job have in common. */ -}}

{{- /* The Service that the API server calls. Takes the root. */ -}}
{{- define "kserve-lite.webhook.serviceName" -}}
  kserve-webhook-server-service
{{- end -}}

{{- /*
Name of both the mutating and the validating configuration. It is upstream's, so that a second KServe
in the cluster is refused; and one name for both, as the certificate Job wants it. Takes the root.
*/ -}}
{{- define "kserve-lite.webhook.configurationName" -}}
  inferenceservice.serving.kserve.io
{{- end -}}

{{- /* Name of the certificate Job's objects. Takes the root. */ -}}
{{- define "kserve-lite.webhook.jobName" -}}
  kserve-webhook-certificate
{{- end -}}

{{- /*
The Secret with the serving certificate: one name a mode, so that a switch of modes never serves a
certificate of the mode before. Takes the root.
*/ -}}
{{- define "kserve-lite.webhook.secretName" -}}
  {{- $certificate := .Values.webhook.certificate -}}
  {{- if eq $certificate.mode "existing" -}}
    {{ $certificate.secretName }}
  {{- else -}}
    kserve-webhook-server-{{ $certificate.mode | kebabcase }}
  {{- end -}}
{{- end -}}

{{- /* Name of the issuer's CA, and of what signs it. Takes the root. */ -}}
{{- define "kserve-lite.webhook.caName" -}}
  {{ .Values.webhook.certificate.issuer.name }}-ca
{{- end -}}

{{- /* The DNS names of the webhook Service, as a JSON list. Takes the root. */ -}}
{{- define "kserve-lite.webhook.dnsNames" -}}
  {{- $host := printf "%s.%s.svc" (include "kserve-lite.webhook.serviceName" .) (include "kserve-lite.namespace" .) -}}
  {{- toJson (list $host (printf "%s.cluster.local" $host)) -}}
{{- end -}}

{{- /*
Whether the webhooks see a namespace that has no label but its name, as "true" or nothing. Takes
(dict root namespace).
*/ -}}
{{- define "kserve-lite.webhook.sees" -}}
  {{- $labels := dict "kubernetes.io/metadata.name" .namespace -}}
  {{- $selector := .root.Values.webhook.namespaceSelector -}}
  {{- $sees := true -}}
  {{- range $key, $value := $selector.matchLabels -}}
    {{- $sees = and $sees (eq (get $labels $key) $value) -}}
  {{- end -}}
  {{- range $selector.matchExpressions -}}
    {{- $chosen := hasKey $labels .key -}}
    {{- if .values -}}
      {{- $chosen = has (get $labels .key) .values -}}
    {{- end -}}
    {{- $sees = and $sees (ternary $chosen (not $chosen) (has .operator (list "In" "Exists"))) -}}
  {{- end -}}
  {{- with $sees -}}
    true
  {{- end -}}
{{- end -}}

{{- /* Annotations by which others inject the CA into the webhook configurations, as JSON. Takes the root. */ -}}
{{- define "kserve-lite.webhook.injection" -}}
  {{- $annotations := dict -}}
  {{- if eq .Values.webhook.certificate.mode "certManager" -}}
    {{- $_ := set $annotations "cert-manager.io/inject-ca-from" (printf "%s/kserve-webhook-server" (include "kserve-lite.namespace" .)) -}}
  {{- else if eq .Values.webhook.certificate.mode "openshift" -}}
    {{- $_ := set $annotations "service.beta.openshift.io/inject-cabundle" "true" -}}
  {{- end -}}
  {{- toJson $annotations -}}
{{- end -}}

{{- /*
The `clientConfig:` of a webhook. In most modes caBundle is somebody else's field: the Job,
cert-manager or OpenShift owns it. Takes (dict root path).
*/ -}}
{{- define "kserve-lite.webhook.clientConfig" -}}
{{- $root := .root -}}
clientConfig:
  {{- if eq $root.Values.webhook.certificate.mode "existing" }}
  caBundle: {{ quote $root.Values.webhook.certificate.caBundle }}
  {{- end }}
  service:
    name: {{ include "kserve-lite.webhook.serviceName" $root }}
    namespace: {{ include "kserve-lite.namespace" $root | quote }}
    path: {{ quote .path }}
    port: 443
{{- end -}}

{{- /*
What every webhook says alike, and its namespaceSelector: the user's, and more expressions. Takes
(dict root expressions), where expressions may be left out.
*/ -}}
{{- define "kserve-lite.webhook.policy" -}}
{{- $root := .root -}}
admissionReviewVersions:
- v1
failurePolicy: {{ $root.Values.webhook.failurePolicy }}
matchPolicy: Equivalent
sideEffects: None
timeoutSeconds: {{ int $root.Values.webhook.timeoutSeconds }}
{{- $selector := deepCopy $root.Values.webhook.namespaceSelector }}
{{- with concat (default list $selector.matchExpressions) (default list .expressions) }}
{{- $_ := set $selector "matchExpressions" . }}
{{- end }}
namespaceSelector: {{- if $selector }}{{ toYaml $selector | nindent 2 }}{{ else }} {}{{ end }}
{{- end -}}

{{- /* An objectSelector that leaves out the objects of kserve-lite's own releases. Takes the root. */ -}}
{{- define "kserve-lite.webhook.notOurs" -}}
matchExpressions:
- key: app.kubernetes.io/part-of
  operator: NotIn
  values: [kserve-lite]
{{- end -}}
