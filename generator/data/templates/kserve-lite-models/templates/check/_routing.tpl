{{- /*
The checks of how requests reach a model: hosts and paths, canaries, explainers, timeouts, and what
a `spec` says of them.
*/ -}}

{{- /*
The host and the path under which a model or a graph is published, which no other may have. Takes
(dict root path name model deploymentMode hosts paths), where `hosts` and `paths` say who has which.
*/ -}}
{{- define "kserve-lite-models.check.host" -}}
  {{- $root := .root -}}
  {{- $name := .name -}}
  {{- $model := .model -}}
  {{- $hosts := .hosts -}}
  {{- $path := .path -}}
  {{- $kind := splitList "." $path | first | trimSuffix "s" -}}
  {{- $every := include "kserve-lite-models.hosts" (dict "root" $root "name" $name "model" $model) | fromJsonArray -}}
  {{- $host := first $every }}
  {{- with regexFind "\\{\\{[^}]+" $host }}
    {{- if include "kserve-lite-models.writesRoutes" $root }}
      ERROR: {{ $path }}: routing.domainTemplate asks for {{ . }}}}, which the {{ $kind }} does not have; add it to the {{ $kind }}
    {{- end }}
  {{- end }}
  {{- if and (not (contains "{{" $host)) (eq .deploymentMode "Standard") (ne $root.Values.routing.mode "none") }}
    {{- range $every }}
      {{- if or (gt (len .) 253) (not (regexMatch "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$" .)) }}
        ERROR: {{ $path }}: routing.domainTemplate makes "{{ . }}" of it, which is no host; change the template, or the names and labels in it
      {{- end }}
    {{- end }}
  {{- end }}
  {{- if and $root.Values.routing.pathTemplate (include "kserve-lite-models.writesRoutes" $root) }}
    {{- $where := include "kserve-lite-models.fill" (dict "root" $root "name" $name "model" $model "template" $root.Values.routing.pathTemplate) }}
    {{- /* What the Gateway API's HTTPPathMatch refuses; no client asks for /./ and /../ either. */}}
    {{- if not (or (contains "{{" $where) (and (regexMatch "^/([-A-Za-z0-9._~]+/)*[-A-Za-z0-9._~]*$" $where) (not (regexMatch "/\\.\\.?(/|$)" $where)))) }}
      ERROR: {{ $path }}: routing.pathTemplate makes "{{ $where }}" of it, which is no path; change the template, or the labels in it
    {{- end }}
    {{- $longest := printf "%s/v1/models/%s:explain" (trimSuffix "/" $where) $name | len }}
    {{- if gt $longest 1024 }}
      ERROR: {{ $path }}: routing.pathTemplate makes paths of {{ $longest }} characters of it, and a route takes 1024; shorten the template, or the labels in it
    {{- end }}
  {{- end }}
  {{- with get $hosts $host }}
    ERROR: {{ $path }}: has the host {{ $host }} of {{ . }}; make routing.domainTemplate tell them apart
  {{- end }}
  {{- $_ := set $hosts $host $path }}
  {{- if $root.Values.routing.pathTemplate }}
    {{- include "kserve-lite-models.check.path" (dict "root" $root "path" $path "name" $name "model" $model "paths" .paths) }}
  {{- end }}
{{- end -}}

{{- /* A model's path under the bare domain. Takes (dict root path name model paths), where paths are whose. */ -}}
{{- define "kserve-lite-models.check.path" -}}
  {{- $root := .root -}}
  {{- $name := .name -}}
  {{- $model := .model -}}
  {{- $where := .path -}}
  {{- $kind := splitList "." $where | first | trimSuffix "s" -}}
  {{- $paths := .paths -}}
  {{- if include "kserve-lite-models.routed" (dict "root" $root "model" $model) -}}
    {{- $path := include "kserve-lite-models.path" (dict "root" $root "name" $name "model" $model) }}
    {{- with regexFind "\\{\\{[^}]+" $path }}
      ERROR: {{ $where }}: routing.pathTemplate asks for {{ . }}}}, which the {{ $kind }} does not have; add it to the {{ $kind }}
    {{- end }}
    {{- with get $paths $path }}
      ERROR: {{ $where }}: has the path {{ $path | default "/" }} of {{ . }}; make routing.pathTemplate tell them apart
    {{- end }}
    {{- $_ := set $paths $path $where }}
  {{- end -}}
{{- end -}}

{{- /*
Whether there is a route that sends versions their part of the requests. Takes (dict root path model
deploymentMode key), where key is what asks for it.
*/ -}}
{{- define "kserve-lite-models.check.split" -}}
  {{- $root := .root -}}
  {{- $model := .model -}}
  {{- $path := printf "%s.%s" .path .key -}}
  {{- if eq .deploymentMode "Knative" }}
    ERROR: {{ $path }}: KServe has them in Standard mode only; set {{ .path }}.deploymentMode=Standard, or let Knative split by {{ .path }}.spec.predictor.canaryTrafficPercent
  {{- else if not (include "kserve-lite-models.writesRoutes" $root) }}
    ERROR: {{ $path }}: in routing.mode {{ $root.Values.routing.mode }} nothing splits the requests; set routing.mode=virtualService{{ if eq $root.Values.routing.mode "gatewayApi" }}, or routing.gatewayApi.writeRoutes=true{{ end }}
  {{- else if not (include "kserve-lite-models.routed" (dict "root" $root "model" $model)) }}
    ERROR: {{ $path }}: the route splits the requests, and the model has none; set routing.domain, and no clusterLocal
  {{- end }}
  {{- if or $model.transformer (dig "transformer" false ($model.spec | default dict)) }}
    ERROR: {{ $path }}: the transformer calls the model itself, past the split; remove one of the two
  {{- end }}
  {{- if include "kserve-lite-models.unfetched" $model }}
    ERROR: {{ $path }}: KServe has versions only of a model that it fetches; give the model a storageUri, or make each version a model
  {{- end }}
  {{- /* A canary of the spec takes the place of the key's. */}}
  {{- if or (eq .key "spec.canary") (not ($model.spec | default dict).canary) }}
    {{- include "kserve-lite-models.check.parts" (dict "root" $root "path" $path "model" $model) }}
  {{- end }}
{{- end -}}

{{- /*
Whether a server of one's own has its model in its image, as "true" or nothing (GetStorageUri of CustomPredictor in
pkg/apis/serving/v1beta1). Takes the model.
*/ -}}
{{- define "kserve-lite-models.unfetched" -}}
  {{- $predictor := get (.spec | default dict) "predictor" | default dict -}}
  {{- $fetched := or .storageUri (hasKey (.env | default dict) "STORAGE_URI") -}}
  {{- if $predictor.containers -}}
    {{- $fetched = false -}}
    {{- range $predictor.containers -}}
      {{- if eq (toString .name) "kserve-container" -}}
        {{- range .env -}}
          {{- $fetched = or $fetched (eq (toString .name) "STORAGE_URI") -}}
        {{- end -}}
      {{- end -}}
    {{- end -}}
  {{- end -}}
  {{- if and (or .image $predictor.containers) (not (or $fetched .format $predictor.model)) -}}
    true
  {{- end -}}
{{- end -}}

{{- /* The parts of the requests that a model's versions receive. Takes (dict root path model). */ -}}
{{- define "kserve-lite-models.check.parts" -}}
  {{- $path := .path -}}
  {{- $versions := include "kserve-lite-models.versions" .model | fromJsonArray -}}
  {{- $sum := 0 -}}
  {{- range $versions }}
    {{- $sum = add $sum (int .percent) }}
    {{- if lt (int .percent) 0 }}
      ERROR: {{ $path }}: {{ .name }} has {{ int .percent }} percent of the requests; make it 0 or more
    {{- end }}
  {{- end }}
  {{- if gt $sum 100 }}
    ERROR: {{ $path }}: the parts add up to {{ $sum }}; make them 100 or less
  {{- end }}
  {{- if and (gt (len $versions) 15) (eq .root.Values.routing.mode "gatewayApi") }}
    ERROR: {{ $path }}: has {{ len $versions }} versions, and a rule of the Gateway API takes 15 beside the model; remove some
  {{- end }}
{{- end -}}

{{- /* Takes (dict root runtimes name model deploymentMode). */ -}}
{{- define "kserve-lite-models.check.canary" -}}
  {{- $root := .root -}}
  {{- $runtimes := .runtimes -}}
  {{- $name := .name -}}
  {{- $model := .model -}}
  {{- $path := printf "models.%s.canary" $name -}}
  {{- include "kserve-lite-models.check.split" (dict "root" $root "path" (printf "models.%s" $name) "model" $model "deploymentMode" .deploymentMode "key" "canary") }}
  {{- if or (hasKey $model "batcher") (hasKey $model "logger") }}
    ERROR: {{ $path }}: KServe leads the versions' requests past the agent, which logs and batches; remove {{ keys (pick $model "batcher" "logger") | sortAlpha | join " and " }}, or make each version a model
  {{- end }}
  {{- $class := dig "autoscaling" "class" (dig "annotations" "serving.kserve.io/autoscalerClass" "hpa" $model) $model }}
  {{- range $key, $version := $model.canary }}
    {{- include "kserve-lite-models.check.name" (dict "path" (printf "%s.%s" $path $key) "name" $key "longest" 20) }}
    {{- if not (hasKey $version "trafficPercent") }}
      ERROR: {{ $path }}.{{ $key }}: its part of the requests is not said; set {{ $path }}.{{ $key }}.trafficPercent
    {{- end }}
    {{- /* A scaler would raise it to one. */}}
    {{- if and $version.trafficPercent (eq $class "none") (eq 0 (int (dig "minReplicas" (dig "minReplicas" 1 $model) $version))) }}
      ERROR: {{ $path }}.{{ $key }}: gets {{ int $version.trafficPercent }} percent of the requests, and no pod; set {{ $path }}.{{ $key }}.minReplicas to 1 or more, and models.{{ $name }}.minReplicas
    {{- end }}
    {{- if gt (add (len $name) (len $key)) 47 }}
      ERROR: {{ $path }}.{{ $key }}: the two names have {{ add (len $name) (len $key) }} characters and its pods' label takes 47; shorten one
    {{- end }}
    {{- if gt (int ($version.minReplicas | default 0)) (int (get $model "minReplicas" | default 1)) }}
      ERROR: {{ $path }}.{{ $key }}.minReplicas: is more than the model's, which KServe refuses; raise models.{{ $name }}.minReplicas
    {{- end }}
    {{- $entry := mergeOverwrite dict $model $version }}
    {{- if and $entry.format (or $version.runtime $version.formatVersion) }}
      {{- include "kserve-lite-models.check.runtime" (dict "runtimes" $runtimes "path" (printf "%s.%s" $path $key) "model" $entry "protocol" ($model.protocol | default "v1")) }}
    {{- end }}
    {{- if $version.runtimeVersion }}
      {{- include "kserve-lite-models.check.version" (dict "root" $root "runtimes" $runtimes "path" (printf "%s.%s" $path $key) "model" $entry "protocol" ($model.protocol | default "v1")) }}
    {{- end }}
    {{- with $version.storageUri }}
      {{- include "kserve-lite-models.check.storage" (dict "root" $root "path" (printf "%s.%s" $path $key) "uri" .) }}
    {{- end }}
  {{- end }}
{{- end -}}

{{- /*
KServe's Ingress gives an explainer that stands beside a transformer the host of the transformer's, and
the predictor too. Takes (dict root path model deploymentMode).
*/ -}}
{{- define "kserve-lite-models.check.explainer" -}}
  {{- $root := .root -}}
  {{- if and (eq $root.Values.routing.mode "ingress") $root.Values.routing.domain (eq .deploymentMode "Standard") (not (include "kserve-lite-models.inside" (dict "root" $root "model" .model))) }}
    ERROR: {{ .path }}.explainer: beside a transformer KServe's Ingress has no host for it; set routing.mode=gatewayApi or virtualService, or {{ .path }}.clusterLocal=true
  {{- end }}
{{- end -}}

{{- /* What of routing is said in a `spec`. Takes (dict root path model deploymentMode). */ -}}
{{- define "kserve-lite-models.check.spec" -}}
  {{- $root := .root -}}
  {{- $path := .path -}}
  {{- $spec := .model.spec -}}
  {{- if $spec.canary }}
    {{- include "kserve-lite-models.check.split" (dict "root" $root "path" $path "model" .model "deploymentMode" .deploymentMode "key" "spec.canary") }}
  {{- end }}
  {{- if eq .deploymentMode "Standard" }}
    {{- range $where := list "predictor" "transformer" "explainer" }}
      {{- if hasKey (get $spec $where | default dict) "canaryTrafficPercent" }}
        ERROR: {{ $path }}.spec.{{ $where }}.canaryTrafficPercent: is Knative's and does nothing in Standard mode; set {{ $path }}.canary, or {{ $path }}.deploymentMode=Knative
      {{- end }}
    {{- end }}
  {{- end }}
{{- end -}}

{{- /* Whether a model's route can have its timeout. Takes (dict root path model deploymentMode). */ -}}
{{- define "kserve-lite-models.check.timeout" -}}
  {{- $root := .root -}}
  {{- $path := printf "%s.%s" .path (ternary "spec.predictor.timeout" "timeout" (hasKey (dig "predictor" dict (.model.spec | default dict)) "timeout")) -}}
  {{- $seconds := include "kserve-lite-models.timeout" .model | int -}}
  {{- if and $seconds $root.Values.routing.domain (eq .deploymentMode "Standard") (not (include "kserve-lite-models.inside" (dict "root" $root "model" .model))) }}
    {{- if eq $root.Values.routing.mode "ingress" }}
      ERROR: {{ $path }}: KServe's Ingress has none; set routing.mode=gatewayApi or virtualService, or remove it and set the annotation of your ingress controller in routing.ingressAnnotations
    {{- else if eq $root.Values.routing.mode "none" }}
      ERROR: {{ $path }}: in routing.mode none nobody writes the route; remove it and set it on your own route
    {{- else if and (eq $root.Values.routing.mode "gatewayApi") (not $root.Values.routing.httpRouteTimeouts) }}
      ERROR: {{ $path }}: HTTPRoutes have no timeouts here; set routing.httpRouteTimeouts=true, or remove it
    {{- else if include "kserve-lite-models.grpcRouted" (dict "root" $root "name" "" "model" .model) }}
      ERROR: {{ $path }}: GRPCRoutes have no timeouts; remove it, and let the callers send their deadlines
    {{- else }}
      {{- include "kserve-lite-models.check.duration" (dict "root" $root "path" $path "seconds" $seconds) }}
    {{- end }}
  {{- end }}
{{- end -}}

{{- /*
Whether an HTTPRoute can have a timeout: the Gateway API's Durations have five digits per unit
(GEP-2257), and KServe writes seconds alone (toGatewayAPIDuration in httproute_reconciler.go of v0.20.0).
Takes (dict root path seconds).
*/ -}}
{{- define "kserve-lite-models.check.duration" -}}
  {{- $routing := .root.Values.routing -}}
  {{- if and (eq $routing.mode "gatewayApi") $routing.httpRouteTimeouts }}
    {{- if gt .seconds 359999999 }}
      ERROR: {{ .path }}: of an HTTPRoute's timeout 99,999 hours are the most; make it shorter
    {{- else if and (gt .seconds 99999) (not $routing.gatewayApi.writeRoutes) }}
      ERROR: {{ .path }}: of the timeout of KServe's HTTPRoutes 99999 seconds are the most; make it shorter, or set routing.gatewayApi.writeRoutes=true
    {{- end }}
  {{- end }}
{{- end -}}
