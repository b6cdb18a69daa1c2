{{- /*
inferenceservice-config as data: one define per key, which takes the root and returns that key's JSON.
The fields and their types are KServe's own (pkg/apis/serving/v1beta1/configmap.go and the injectors of
pkg/webhook/admission/pod, at the chart's appVersion).
*/ -}}

{{- /* The whole config as JSON: one object per key, with configOverrides merged over it. Takes the root. */ -}}
{{- define "kserve-lite.config" -}}
  {{- $root := . -}}
  {{- $config := dict -}}
  {{- range list
        "agent" "autoscaler" "batcher" "credentials" "deploy" "explainers" "inferenceService" "ingress"
        "localModel" "logger" "metricsAggregator" "multiNode" "opentelemetryCollector" "router"
        "security" "service" "storageInitializer" -}}
    {{- $_ := set $config . (include (printf "kserve-lite.config.%s" .) $root | fromJson) -}}
  {{- end -}}
  {{- toJson (mergeOverwrite $config .Values.configOverrides) -}}
{{- end -}}

{{- /* A quantity as text; a number of a million or more without an exponent. Takes a string or number. */ -}}
{{- define "kserve-lite.config.quantity" -}}
  {{- if kindIs "string" . }}{{ . }}{{ else }}{{ toJson . }}{{ end -}}
{{- end -}}

{{- /* Kubernetes resources in KServe's spelling, as JSON. Takes {requests: {cpu, memory}, limits: …}. */ -}}
{{- define "kserve-lite.config.resources" -}}
  {{- toJson (dict
        "cpuLimit" (include "kserve-lite.config.quantity" .limits.cpu)
        "cpuRequest" (include "kserve-lite.config.quantity" .requests.cpu)
        "memoryLimit" (include "kserve-lite.config.quantity" .limits.memory)
        "memoryRequest" (include "kserve-lite.config.quantity" .requests.memory)) -}}
{{- end -}}

{{- define "kserve-lite.config.agent" -}}
  {{- toJson (mergeOverwrite
        (dict "image" (include "kserve-lite.image" (dict "root" . "image" .Values.inference.agent.image)))
        (include "kserve-lite.config.resources" .Values.inference.agent.resources | fromJson)) -}}
{{- end -}}

{{- define "kserve-lite.config.autoscaler" -}}
  {{- toJson (dict
        "scaleDownStabilizationWindowSeconds" (int .Values.inference.autoscaler.scaleDownStabilizationWindowSeconds | toString)
        "scaleUpStabilizationWindowSeconds" (int .Values.inference.autoscaler.scaleUpStabilizationWindowSeconds | toString)) -}}
{{- end -}}

{{- /*
Upstream's constants. KServe's pod webhook parses the quantities, fails every pod without them, and uses
none: the agent batches, with its own resources and with what a model says of its batches.
*/ -}}
{{- define "kserve-lite.config.batcher" -}}
  {{- toJson (dict
        "cpuLimit" "1"
        "cpuRequest" "1"
        "image" (include "kserve-lite.image" (dict "root" . "image" .Values.inference.agent.image))
        "maxBatchSize" "32"
        "maxLatency" "5000"
        "memoryLimit" "1Gi"
        "memoryRequest" "1Gi") -}}
{{- end -}}

{{- /* S3 flags are strings; an empty one leaves the choice to the storage initializer's default. */ -}}
{{- define "kserve-lite.config.credentials" -}}
  {{- $s3 := .Values.storage.s3 -}}
  {{- toJson (dict
        "gcs" (dict "gcsCredentialFileName" .Values.storage.gcs.credentialFileName)
        "s3" (dict
          "s3AccessKeyIDName" $s3.accessKeyIdName
          "s3CABundle" $s3.caBundle
          "s3CABundleConfigMap" $s3.caBundleConfigMap
          "s3Endpoint" $s3.endpoint
          "s3Region" $s3.region
          "s3SecretAccessKeyName" $s3.secretAccessKeyName
          "s3UseAccelerate" (ternary "true" "" $s3.useAccelerate)
          "s3UseAnonymousCredential" (ternary "true" "" $s3.useAnonymousCredential)
          "s3UseHttps" (ternary "" "0" $s3.useHttps)
          "s3UseVirtualBucket" (ternary "true" "" $s3.useVirtualBucket)
          "s3VerifySSL" (ternary "" "0" $s3.verifySSL))
        "storageSecretNameAnnotation" .Values.storage.secretNameAnnotation
        "storageSpecSecretName" .Values.storage.secretName) -}}
{{- end -}}

{{- define "kserve-lite.config.deploy" -}}
  {{- $deploy := dict "defaultDeploymentMode" .Values.deploymentMode -}}
  {{- $rollout := .Values.inference.rollout -}}
  {{- if ne $rollout.maxSurge "" -}}
    {{- $_ := set $deploy "deploymentRolloutStrategy" (dict "defaultRollout" (dict
          "maxSurge" $rollout.maxSurge
          "maxUnavailable" $rollout.maxUnavailable)) -}}
  {{- end -}}
  {{- toJson $deploy -}}
{{- end -}}

{{- /* KServe puts image and version together itself, so there is no place for a digest. */ -}}
{{- define "kserve-lite.config.explainers" -}}
  {{- $image := include "kserve-lite.image" (dict "root" . "image" .Values.inference.artExplainer.image) -}}
  {{- $tag := splitList ":" $image | last -}}
  {{- toJson (dict "art" (dict "defaultImageVersion" $tag "image" (trimSuffix (printf ":%s" $tag) $image))) -}}
{{- end -}}

{{- define "kserve-lite.config.inferenceService" -}}
  {{- toJson (dict
        "resource" (include "kserve-lite.config.resources" .Values.inference.resources | fromJson)
        "serviceAnnotationDisallowedList" (concat .Values.inference.disallowedAnnotations (include "kserve-lite.routing.ingressOnly" . | fromJsonArray) | default list)
        "serviceLabelDisallowedList" .Values.inference.disallowedLabels) -}}
{{- end -}}

{{- /*
All that depends on routing.mode and deploymentMode. Without a domain models are cluster-local:
KServe writes no route for this very ingressDomain, and a model's URL is its Service.
*/ -}}
{{- define "kserve-lite.config.ingress" -}}
  {{- $routing := .Values.routing -}}
  {{- $published := ne $routing.domain "" -}}
  {{- $gateway := include "kserve-lite.routing.gateway" . -}}
  {{- $ingress := dict
        "disableIngressCreation" (has $routing.mode (list "virtualService" "none"))
        "disableIstioVirtualHost" (eq .Values.deploymentMode "Standard")
        "domainTemplate" (ternary $routing.domainTemplate "{{ .Name }}.{{ .Namespace }}.{{ .IngressDomain }}" $published)
        "enableGatewayApi" false
        "ingressDomain" (ternary $routing.domain "svc.cluster.local" $published)
        "ingressGateway" $gateway
        "urlScheme" (include "kserve-lite.routing.urlScheme" .) -}}
  {{- if and $published (eq $routing.mode "ingress") -}}
    {{- with include "kserve-lite.routing.ingressClass" . -}}
      {{- $_ := set $ingress "ingressClassName" . -}}
    {{- end -}}
  {{- end -}}
  {{- if and $published (eq $routing.mode "gatewayApi") -}}
    {{- $ingress = mergeOverwrite $ingress (dict
          "disableHTTPRouteTimeout" (not $routing.httpRouteTimeouts)
          "enableGatewayApi" true
          "kserveIngressGateway" $gateway) -}}
  {{- end -}}
  {{- with $routing.additionalDomains -}}
    {{- $_ := set $ingress "additionalIngressDomains" . -}}
  {{- end -}}
  {{- if eq .Values.deploymentMode "Knative" -}}
    {{- /* In Standard mode KServe routes no path rightly; there the models chart does. */ -}}
    {{- with $routing.pathTemplate -}}
      {{- $_ := set $ingress "pathTemplate" . -}}
    {{- end -}}
    {{- $ingress = mergeOverwrite $ingress (dict
          "ingressGateway" $routing.knative.ingressGateway
          "localGateway" $routing.knative.localGateway
          "localGatewayService" $routing.knative.localGatewayService) -}}
  {{- end -}}
  {{- toJson $ingress -}}
{{- end -}}

{{- /* The model cache is another component of KServe; off, but its key is read. */ -}}
{{- define "kserve-lite.config.localModel" -}}
  {{- toJson (dict
        "defaultJobImage" (include "kserve-lite.image" (dict "root" . "image" .Values.storage.initializer.image))
        "enabled" false
        "jobNamespace" "kserve-localmodel-jobs") -}}
{{- end -}}

{{- /* Image and quantities as in the batcher's: upstream's, parsed and unused. */ -}}
{{- define "kserve-lite.config.logger" -}}
  {{- $logger := .Values.inference.logger -}}
  {{- toJson (dict
        "caBundle" $logger.caBundle
        "caCertFile" $logger.caCertFile
        "cpuLimit" "1"
        "cpuRequest" "100m"
        "defaultUrl" $logger.defaultUrl
        "image" (include "kserve-lite.image" (dict "root" . "image" .Values.inference.agent.image))
        "memoryLimit" "1Gi"
        "memoryRequest" "100Mi"
        "tlsSkipVerify" $logger.tlsSkipVerify) -}}
{{- end -}}

{{- define "kserve-lite.config.metricsAggregator" -}}
  {{- toJson (dict
        "enableMetricAggregation" (toString .Values.inference.metricsAggregator.enableMetricAggregation)
        "enablePrometheusScraping" (toString .Values.inference.metricsAggregator.enablePrometheusScraping)) -}}
{{- end -}}

{{- define "kserve-lite.config.multiNode" -}}
  {{- toJson (dict "customGPUResourceTypeList" .Values.inference.customGPUResourceTypes) -}}
{{- end -}}

{{- define "kserve-lite.config.opentelemetryCollector" -}}
  {{- $collector := .Values.inference.openTelemetryCollector -}}
  {{- toJson (dict
        "metricReceiverEndpoint" $collector.metricReceiverEndpoint
        "metricScalerEndpoint" $collector.metricScalerEndpoint
        "resource" (include "kserve-lite.config.resources" $collector.resources | fromJson)
        "scrapeInterval" $collector.scrapeInterval) -}}
{{- end -}}

{{- define "kserve-lite.config.router" -}}
  {{- $router := .Values.inference.router -}}
  {{- toJson (mergeOverwrite
        (dict
          "headers" (dict "propagate" $router.propagateHeaders)
          "image" (include "kserve-lite.image" (dict "root" . "image" $router.image))
          "imagePullPolicy" .Values.global.imagePullPolicy
          "imagePullSecrets" .Values.global.imagePullSecrets)
        (include "kserve-lite.config.resources" $router.resources | fromJson)) -}}
{{- end -}}

{{- define "kserve-lite.config.security" -}}
  {{- toJson (dict "autoMountServiceAccountToken" .Values.inference.automountServiceAccountToken) -}}
{{- end -}}

{{- define "kserve-lite.config.service" -}}
  {{- toJson (dict "serviceClusterIPNone" .Values.inference.headlessService) -}}
{{- end -}}

{{- define "kserve-lite.config.storageInitializer" -}}
  {{- $oci := .Values.storage.ociModels -}}
  {{- $initializer := mergeOverwrite
        (dict
          "caBundleConfigMapName" .Values.storage.caBundle.configMapName
          "caBundleVolumeMountPath" .Values.storage.caBundle.mountPath
          "cpuModelcar" (include "kserve-lite.config.quantity" $oci.cpu)
          "enableModelcar" (eq $oci.mode "modelcar")
          "image" (include "kserve-lite.image" (dict "root" . "image" .Values.storage.initializer.image))
          "memoryModelcar" (include "kserve-lite.config.quantity" $oci.memory)
          "ociModelMode" (ternary "" $oci.mode (eq $oci.mode "disabled")))
        (include "kserve-lite.config.resources" .Values.storage.initializer.resources | fromJson) -}}
  {{- if eq .Values.platform "kubernetes" -}}
    {{- $_ := set $initializer "uidModelcar" (int64 $oci.runAsUser) -}}
  {{- end -}}
  {{- toJson $initializer -}}
{{- end -}}
