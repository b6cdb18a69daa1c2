{{- /* The parts of an InferenceService's spec, as dicts turned into JSON. */ -}}

{{- /*
What container and runtime have in common: args, env, resources, probes, ports. Takes
(list entry protocol), where entry is a model, a transformer or an explainer.
*/ -}}
{{- define "kserve-lite-models.container" -}}
{{- $entry := index . 0 -}}
{{- $protocol := index . 1 -}}
{{- $container := pick $entry "args" "command" "image" "livenessProbe" "readinessProbe" "startupProbe" -}}
{{- with $entry.env -}}
{{- $_ := set $container "env" (include "kserve-lite-models.env" . | fromJsonArray) -}}
{{- end -}}
{{- $resources := deepCopy ($entry.resources | default dict) -}}
{{- with $entry.gpus -}}
{{- $resources = mergeOverwrite $resources (dict "limits" (dict "nvidia.com/gpu" (toString (int .)))) -}}
{{- end -}}
{{- if $resources -}}
{{- $_ := set $container "resources" $resources -}}
{{- end -}}
{{- if hasPrefix "grpc" $protocol -}}
{{- /* Only a port named h2c makes KServe's Service speak HTTP/2; the runtimes listen on 9000. */ -}}
{{- $_ := set $container "ports" (list (dict "containerPort" (int ($entry.port | default 9000)) "name" "h2c" "protocol" "TCP")) -}}
{{- else if $entry.port -}}
{{- $_ := set $container "ports" (list (dict "containerPort" (int $entry.port) "name" "http1" "protocol" "TCP")) -}}
{{- end -}}
{{- toJson $container -}}
{{- end -}}

{{- /* What serves a model: `model:` for a format, `containers:` for an image. Takes a model. */ -}}
{{- define "kserve-lite-models.implementation" -}}
{{- $model := . -}}
{{- $container := include "kserve-lite-models.container" (list $model ($model.protocol | default "v1")) | fromJson -}}
{{- if $model.image -}}
{{- $_ := set $container "name" "kserve-container" -}}
{{- with $model.storageUri -}}
{{- /* KServe fetches it to /mnt/models when a container has this variable. */ -}}
{{- $_ := set $container "env" (append ($container.env | default list) (dict "name" "STORAGE_URI" "value" .)) -}}
{{- end -}}
{{- toJson (dict "containers" (list $container)) -}}
{{- else if $model.format -}}
{{- $format := dict "name" $model.format -}}
{{- with $model.formatVersion -}}
{{- $_ := set $format "version" . -}}
{{- end -}}
{{- $served := mergeOverwrite $container (dict "modelFormat" $format) (pick $model "runtime" "runtimeVersion" "storageUri") -}}
{{- with $model.protocol -}}
{{- $_ := set $served "protocolVersion" . -}}
{{- end -}}
{{- toJson (dict "model" $served) -}}
{{- else -}}
{{- /* The entry's `spec` has it. */ -}}
{}
{{- end -}}
{{- end -}}

{{- /* The spec of an InferenceService. Takes (list root name model). */ -}}
{{- define "kserve-lite-models.spec" -}}
{{- $root := index . 0 -}}
{{- $model := index . 2 -}}
{{- $predictor := include "kserve-lite-models.implementation" $model | fromJson -}}
{{- $predictor = mergeOverwrite $predictor (pick $model
      "affinity" "batcher" "logger" "maxReplicas" "minReplicas" "nodeSelector" "serviceAccountName"
      "timeout" "tolerations") -}}
{{- with $model.autoscaling -}}
{{- if .metric -}}
{{- $_ := set $predictor "scaleMetric" .metric -}}
{{- end -}}
{{- if .target -}}
{{- $_ := set $predictor "scaleTarget" (int .target) -}}
{{- end -}}
{{- end -}}
{{- if and $model.image $root.Values.global.imagePullSecrets -}}
{{- $secrets := list -}}
{{- range $root.Values.global.imagePullSecrets -}}
{{- $secrets = append $secrets (dict "name" .) -}}
{{- end -}}
{{- $_ := set $predictor "imagePullSecrets" $secrets -}}
{{- end -}}
{{- $spec := dict "predictor" $predictor -}}
{{- with $model.transformer -}}
{{- $container := include "kserve-lite-models.container" (list . "v1") | fromJson -}}
{{- $_ := set $container "name" "kserve-container" -}}
{{- $_ := set $spec "transformer" (mergeOverwrite (dict "containers" (list $container)) (pick . "maxReplicas" "minReplicas")) -}}
{{- end -}}
{{- with $model.explainer -}}
{{- $container := include "kserve-lite-models.container" (list . "v1") | fromJson -}}
{{- $explainer := pick . "maxReplicas" "minReplicas" -}}
{{- if .art -}}
{{- $_ := set $explainer "art" (mergeOverwrite $container .art (pick . "storageUri")) -}}
{{- else -}}
{{- $_ := set $container "name" "kserve-container" -}}
{{- $_ := set $explainer "containers" (list $container) -}}
{{- end -}}
{{- $_ := set $spec "explainer" $explainer -}}
{{- end -}}
{{- $canary := list -}}
{{- range $name, $version := $model.canary -}}
{{- $other := mergeOverwrite (deepCopy $model) $version -}}
{{- $implementation := include "kserve-lite-models.implementation" $other | fromJson -}}
{{- $kept := mergeOverwrite $implementation (dict "name" $name) (pick $version "minReplicas") (pick $model
      "affinity" "nodeSelector" "serviceAccountName" "tolerations") -}}
{{- $canary = append $canary (dict "predictor" $kept "trafficPercent" (int $version.trafficPercent)) -}}
{{- end -}}
{{- with $canary -}}
{{- $_ := set $spec "canary" . -}}
{{- end -}}
{{- toJson (mergeOverwrite $spec (deepCopy ($model.spec | default dict))) -}}
{{- end -}}

{{- /* The annotations of an InferenceService, as JSON. Takes (list root name model). */ -}}
{{- define "kserve-lite-models.annotations" -}}
{{- $root := index . 0 -}}
{{- $model := index . 2 -}}
{{- $annotations := mergeOverwrite dict ($model.annotations | default dict) -}}
{{- with $model.deploymentMode -}}
{{- $_ := set $annotations "serving.kserve.io/deploymentMode" . -}}
{{- end -}}
{{- if $model.autoscaling -}}
{{- with $model.autoscaling.class -}}
{{- $_ := set $annotations "serving.kserve.io/autoscalerClass" . -}}
{{- end -}}
{{- end -}}
{{- with $model.credentials -}}
{{- $_ := set $annotations $root.Values.storage.secretNameAnnotation .secretName -}}
{{- end -}}
{{- toJson $annotations -}}
{{- end -}}
