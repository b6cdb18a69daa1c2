{{- /*
What would go wrong with a model after it is applied, said before. Each check returns lines
`ERROR: PATH: fact; remedy`, so that one run tells them all.
*/ -}}

{{- /*
What a pattern cannot say of a name: no more than `longest` characters, and no word that YAML takes for
a boolean or null. Takes (dict path name longest).
*/ -}}
{{- define "kserve-lite-models.check.name" -}}
  {{- $name := .name -}}
  {{- if gt (len $name) .longest }}
    ERROR: {{ .path }}: the name has {{ len $name }} characters, and {{ .longest }} are allowed; shorten it
  {{- end }}
  {{- if has $name (list "false" "n" "no" "null" "off" "on" "true" "y" "yes") }}
    ERROR: {{ .path }}: YAML reads the name as a boolean or null; choose another
  {{- end -}}
{{- end -}}

{{- /* Takes the root. */ -}}
{{- define "kserve-lite-models.check.models" -}}
  {{- $runtimes := include "kserve-lite-models.runtimes" . | fromJsonArray }}
  {{- $served := list }}
  {{- range $runtimes }}
    {{- if .automatic }}
      {{- $served = concat $served .served }}
    {{- end }}
  {{- end }}
  {{- $hosts := dict }}
  {{- $paths := dict }}
  {{- range $name, $model := .Values.models }}
    {{- $path := printf "models.%s" $name }}
    {{- $protocol := or $model.protocol "v1" }}
    {{- if and $model.format $model.image }}
      ERROR: {{ $path }}: format and image exclude each other; remove one
    {{- else if not (or $model.format $model.image (dig "predictor" false ($model.spec | default dict))) }}
      ERROR: {{ $path }}: neither format nor image says what serves it; set {{ $path }}.format, sklearn for instance
    {{- end }}
    {{- if $model.format }}
      {{- range $key, $_ := pick $model "command" "port" }}
        ERROR: {{ $path }}.{{ $key }}: belongs to image, and a runtime has its own; remove it
      {{- end }}
      {{- if $model.args }}
        {{- include "kserve-lite-models.check.args" (dict "root" $ "runtimes" $runtimes "path" $path "model" $model "protocol" $protocol) }}
      {{- end }}
      {{- if $model.runtime }}
        {{- with include "kserve-lite-models.switch" (dict "runtimes" $runtimes "name" $model.runtime) }}
          ERROR: {{ $path }}.runtime: {{ $model.runtime }} is off; set {{ . }}=true
        {{- end }}
      {{- else if and $model.spec (hasKey (dig "predictor" dict $model.spec) "workerSpec") }}
      {{- else if not (has (printf "%s/%s" $model.format $protocol) $served) }}
        {{- include "kserve-lite-models.check.format" (dict "runtimes" $runtimes "path" $path "format" $model.format "protocol" $protocol) }}
      {{- end }}
      {{- if not (or $model.storageUri $model.spec (eq $model.format "huggingface")) }}
        {{- $loaded := false }}
        {{- range $.Values.trainedModels }}
          {{- $loaded = or $loaded (eq (toString .inferenceService) $name) }}
        {{- end }}
        {{- if not $loaded }}
          ERROR: {{ $path }}: no storageUri says where the model is; set {{ $path }}.storageUri
        {{- end }}
      {{- end }}
    {{- end }}
    {{- if $model.storageUri }}
      {{- include "kserve-lite-models.check.storage" (dict "root" $ "path" $path "uri" $model.storageUri) }}
    {{- end }}
    {{- $longest := 48 }}
    {{- if $model.transformer }}
      {{- $longest = 46 }}
    {{- end }}
    {{- if or (gt (len $name) $longest) (lt (len $name) 6) }}
      {{- include "kserve-lite-models.check.name" (dict "path" $path "name" $name "longest" $longest) }}
    {{- end }}
    {{- if and $model.minReplicas $model.maxReplicas (gt (int $model.minReplicas) (int $model.maxReplicas)) }}
      ERROR: {{ $path }}.minReplicas: is more than maxReplicas; raise maxReplicas
    {{- end }}
    {{- $mode := include "kserve-lite-models.deploymentMode" (dict "root" $ "model" $model) }}
    {{- $class := include "kserve-lite-models.autoscalerClass" (dict "root" $ "model" $model) }}
    {{- if or $model.autoscaling $class (and $model.spec (contains "autoScaling" (toJson $model.spec))) }}
      {{- include "kserve-lite-models.check.autoscaling" (dict "root" $ "path" $path "model" $model "deploymentMode" $mode "class" $class) }}
    {{- end }}
    {{- if $model.credentials }}
      {{- include "kserve-lite-models.check.credentials" (dict "path" $path "credentials" $model.credentials) }}
    {{- end }}
    {{- if or $model.preStopSleepSeconds $model.spec }}
      {{- include "kserve-lite-models.check.preStop" (dict "root" $ "path" $path "model" $model "deploymentMode" $mode) }}
    {{- end }}
    {{- range $key, $entry := pick $model "transformer" "explainer" }}
      {{- with $entry.storageUri }}
        {{- include "kserve-lite-models.check.storage" (dict "root" $ "path" (printf "%s.%s" $path $key) "uri" .) }}
      {{- end }}
      {{- include "kserve-lite-models.check.component" (dict "path" (printf "%s.%s" $path $key) "entry" $entry) }}
    {{- end }}
    {{- if or $model.resources $model.gpus $model.transformer $model.explainer $model.spec }}
      {{- include "kserve-lite-models.check.merged" (dict "root" $ "runtimes" $runtimes "path" $path "model" $model "protocol" $protocol) }}
    {{- end }}
    {{- if and $model.env (hasKey $model.env "PYTHONPATH") }}
      ERROR: {{ $path }}.env.PYTHONPATH: KServe refuses this variable; remove it
    {{- end }}
    {{- if or $model.runtime $model.formatVersion }}
      {{- include "kserve-lite-models.check.runtime" (dict "runtimes" $runtimes "path" $path "model" $model "protocol" $protocol) }}
    {{- end }}
    {{- if $model.runtimeVersion }}
      {{- include "kserve-lite-models.check.version" (dict "root" $ "runtimes" $runtimes "path" $path "model" $model "protocol" $protocol) }}
    {{- end }}
    {{- if or $model.spec $model.runtime }}
      {{- include "kserve-lite-models.check.workers" (dict "runtimes" $runtimes "path" $path "model" $model) }}
    {{- end }}
    {{- if and $model.batcher (ne $protocol "v1") }}
      ERROR: {{ $path }}.batcher: KServe's agent batches requests of the protocol v1, and the model speaks {{ $protocol }}; remove it
    {{- end }}
    {{- if and $model.transformer $model.explainer }}
      {{- include "kserve-lite-models.check.explainer" (dict "root" $ "path" $path "model" $model "deploymentMode" $mode) }}
    {{- end }}
    {{- if $model.canary }}
      {{- include "kserve-lite-models.check.canary" (dict "root" $ "runtimes" $runtimes "name" $name "model" $model "deploymentMode" $mode) }}
    {{- end }}
    {{- if $model.spec }}
      {{- include "kserve-lite-models.check.spec" (dict "root" $ "path" $path "model" $model "deploymentMode" $mode) }}
    {{- end }}
    {{- if or $model.timeout $model.spec }}
      {{- include "kserve-lite-models.check.timeout" (dict "root" $ "path" $path "model" $model "deploymentMode" $mode) }}
    {{- end }}
    {{- if and $.Values.routing.domain (not (include "kserve-lite-models.inside" (dict "root" $ "model" $model))) }}
      {{- include "kserve-lite-models.check.host" (dict "root" $ "path" $path "name" $name "model" $model "deploymentMode" $mode "hosts" $hosts "paths" $paths) }}
    {{- end }}
  {{- end }}
  {{- range $name, $graph := .Values.graphs }}
    {{- if include "kserve-lite-models.routed" (dict "root" $ "model" $graph) }}
      {{- include "kserve-lite-models.check.host" (dict "root" $ "path" (printf "graphs.%s" $name) "name" $name "model" $graph "deploymentMode" "Standard" "hosts" $hosts "paths" $paths) }}
      {{- include "kserve-lite-models.check.duration" (dict "root" $ "path" (printf "graphs.%s.timeout" $name) "seconds" (int $graph.timeout)) }}
    {{- end }}
  {{- end }}
{{- end -}}

{{- /*
Whether a model's pods may sleep before they end: on Knative they may not, and the API server refuses a
sleep that is longer than their grace period. Takes (dict root path model deploymentMode).
*/ -}}
{{- define "kserve-lite-models.check.preStop" -}}
  {{- $path := .path -}}
  {{- $model := .model -}}
  {{- if and $model.preStopSleepSeconds (eq .deploymentMode "Knative") }}
    ERROR: {{ $path }}.preStopSleepSeconds: Knative refuses it; remove it
  {{- end }}
  {{- range $component, $spec := pick ($model.spec | default dict) "explainer" "predictor" "transformer" }}
    {{- $sleep := include "kserve-lite-models.preStopSleep" (dict "root" $.root "model" $model "component" $component) | int }}
    {{- $period := get ($spec | default dict) "terminationGracePeriodSeconds" }}
    {{- if and $sleep (has (kindOf $period) (list "float64" "int64")) (ge (int $period) 0) (le (int $period) $sleep) }}
      ERROR: {{ $path }}.spec.{{ $component }}.terminationGracePeriodSeconds: {{ int $period }} leaves the server no time after the sleep of {{ $sleep }} seconds; raise it, or set {{ $path }}.preStopSleepSeconds
    {{- end }}
  {{- end }}
{{- end -}}

{{- /* Where the credentials of a model come from. Takes (dict path credentials). */ -}}
{{- define "kserve-lite-models.check.credentials" -}}
  {{- $path := printf "%s.credentials" .path -}}
  {{- with .credentials }}
    {{- if not .secretName }}
      ERROR: {{ $path }}: no Secret is named; set {{ $path }}.secretName
    {{- end }}
    {{- with .externalSecret }}
      {{- if not (and .store .key) }}
        ERROR: {{ $path }}.externalSecret: wants a store and a key; set both
      {{- end }}
    {{- end }}
  {{- end }}
{{- end -}}

{{- /*
Whether requests and limits go together with those that KServe merges them with. Those of a runtime it
overwrites, name by name (MergeRuntimeContainers in pkg/controller/v1beta1/inferenceservice/utils); an image
of one's own it fills up with inference.resources (setResourceRequirementDefaults in pkg/apis/serving/v1beta1).
Takes (dict root runtimes path model protocol).
*/ -}}
{{- define "kserve-lite-models.check.merged" -}}
  {{- $path := .path -}}
  {{- $model := .model -}}
  {{- $spec := $model.spec | default dict -}}
  {{- $filled := dict "base" .root.Values.inference.resources "of" "what inference.resources" -}}
  {{- $predictor := $spec.predictor | default dict -}}
  {{- /* Containers in `spec` take the place of the chart's. */ -}}
  {{- if and (or $model.format $model.image) (not (hasKey $predictor "containers")) -}}
    {{- $gpus := dict -}}
    {{- with $model.gpus -}}
      {{- $gpus = dict "limits" (dict "nvidia.com/gpu" (toString (int .))) -}}
    {{- end -}}
    {{- $resources := mergeOverwrite (deepCopy ($model.resources | default dict)) $gpus (dig "resources" dict ($predictor.model | default dict)) -}}
    {{- $with := $filled -}}
    {{- if $model.format -}}
      {{- $with = include "kserve-lite-models.ofRuntime" . | fromJson -}}
    {{- end -}}
    {{- include "kserve-lite-models.check.resources" (merge (dict "path" (printf "%s.resources" $path) "resources" $resources) $with) -}}
  {{- end -}}
  {{- range $component, $entry := pick $model "transformer" "explainer" -}}
    {{- if and $entry.resources (not (hasKey $spec $component)) -}}
      {{- include "kserve-lite-models.check.resources" (merge (dict "path" (printf "%s.%s.resources" $path $component) "resources" $entry.resources) $filled) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}

{{- /* A transformer or an explainer. Takes (dict path entry), where path is that of the entry. */ -}}
{{- define "kserve-lite-models.check.component" -}}
  {{- $path := .path -}}
  {{- $entry := .entry -}}
  {{- if and $entry (not (or $entry.image $entry.art)) }}
    ERROR: {{ $path }}: has no image; set {{ $path }}.image
  {{- else if and $entry.image $entry.art }}
    ERROR: {{ $path }}: image and art exclude each other; remove one
  {{- end }}
  {{- if gt (int $entry.minReplicas) (int (get $entry "maxReplicas" | default $entry.minReplicas)) }}
    ERROR: {{ $path }}.minReplicas: is more than maxReplicas; raise {{ $path }}.maxReplicas
  {{- end }}
  {{- if hasKey ($entry.env | default dict) "PYTHONPATH" }}
    ERROR: {{ $path }}.env.PYTHONPATH: KServe refuses this variable; remove it
  {{- end }}
{{- end -}}

{{- /* Takes (dict root path uri), where path is that of the entry with the storageUri. */ -}}
{{- define "kserve-lite-models.check.storage" -}}
  {{- $uri := .uri -}}
  {{- $scheme := splitList "://" $uri | first -}}
  {{- if ne $scheme $uri }}
    {{- $path := printf "%s.storageUri" .path }}
    {{- if not (has $scheme (list "s3" "gs" "hdfs" "webhdfs" "http" "https" "hf" "pvc" "oci" "oci+native")) }}
      ERROR: {{ $path }}: nothing fetches {{ $scheme }}://; use gs, s3, hdfs, webhdfs, https, hf, pvc or oci
    {{- end }}
    {{- if and (hasPrefix "oci" $scheme) (eq .root.Values.storage.ociModels.mode "disabled") }}
      ERROR: {{ $path }}: models in container images are off; set storage.ociModels.mode=modelcar
    {{- end }}
  {{- end }}
{{- end -}}
