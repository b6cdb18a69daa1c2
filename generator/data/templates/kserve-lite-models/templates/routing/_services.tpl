{{- /* The Services that a model's requests can go to. */ -}}

{{- /*
The versions of a model beside it, as a JSON list of {name, percent}: those of `spec`, which is merged
last, else those of `canary`. Takes the model.
*/ -}}
{{- define "kserve-lite-models.versions" -}}
  {{- $versions := list -}}
  {{- range (.spec | default dict).canary -}}
    {{- $versions = append $versions (dict "name" .predictor.name "percent" .trafficPercent) -}}
  {{- else -}}
    {{- range $name, $version := .canary -}}
      {{- $versions = append $versions (dict "name" $name "percent" $version.trafficPercent) -}}
    {{- end -}}
  {{- end -}}
  {{- toJson $versions -}}
{{- end -}}

{{- /* The names of the Services behind a model, as a JSON list. Takes (dict name model). */ -}}
{{- define "kserve-lite-models.services" -}}
  {{- $name := .name -}}
  {{- $model := .model -}}
  {{- $services := list (printf "%s-predictor" $name) -}}
  {{- range include "kserve-lite-models.versions" $model | fromJsonArray -}}
    {{- $services = append $services (printf "%s-%s-predictor" $name .name) -}}
  {{- end -}}
  {{- range list "explainer" "transformer" -}}
    {{- if or (get $model .) (dig . false ($model.spec | default dict)) -}}
      {{- $services = append $services (printf "%s-%s" $name .) -}}
    {{- end -}}
  {{- end -}}
  {{- toJson $services -}}
{{- end -}}

{{- /*
What the chart may write routes for, by name, as JSON: the models, and the graphs as models that have
`graph: true`. Takes the root.
*/ -}}
{{- define "kserve-lite-models.published" -}}
  {{- $published := mergeOverwrite dict .Values.models -}}
  {{- range $name, $graph := .Values.graphs -}}
    {{- $_ := set $published $name (mergeOverwrite (dict "graph" true) (pick $graph "annotations" "labels" "timeout")) -}}
  {{- end -}}
  {{- toJson $published -}}
{{- end -}}

{{- /*
Where the requests to a model or graph go, as JSON: `predict`, the Services with their weights; `explain`,
the explainer's Service or ""; `grpc`, whether the first of them speaks gRPC. KServe gives a graph's
Service the name of the graph (raw_ig.go of v0.20.0). Takes (dict name model).
*/ -}}
{{- define "kserve-lite-models.backends" -}}
  {{- $name := .name -}}
  {{- $model := .model -}}
  {{- $stable := 100 -}}
  {{- $predict := list -}}
  {{- if or $model.canary $model.spec -}}
    {{- range include "kserve-lite-models.versions" $model | fromJsonArray -}}
      {{- $stable = sub $stable (int .percent) -}}
      {{- $predict = append $predict (dict "service" (printf "%s-%s-predictor" $name .name) "weight" (int .percent)) -}}
    {{- end -}}
  {{- end -}}
  {{- if $model.spec -}}
    {{- $model = include "kserve-lite-models.endpoint" $model | fromJson -}}
  {{- end -}}
  {{- $component := ternary "transformer" "predictor" (not (empty $model.transformer)) -}}
  {{- $service := ternary $name (printf "%s-%s" $name $component) (not (empty $model.graph)) -}}
  {{- $entry := or $model.transformer $model -}}
  {{- toJson (dict
        "explain" (ternary (printf "%s-explainer" $name) "" (not (empty $model.explainer)))
        "grpc" (hasPrefix "grpc" (or $entry.protocol "v1"))
        "predict" (prepend $predict (dict "service" $service "weight" $stable))) -}}
{{- end -}}

{{- /* A model's own timeout in seconds, or nothing: that of `spec`, which is merged last. Takes the model. */ -}}
{{- define "kserve-lite-models.timeout" -}}
  {{- with dig "predictor" "timeout" .timeout (.spec | default dict) -}}
    {{- int . -}}
  {{- end -}}
{{- end -}}

{{- /*
Whether a model has a GRPCRoute, as "true" or nothing: one that speaks gRPC, but beside an explainer,
which speaks HTTP, since a gateway takes a host of one kind of route alone. Takes (dict root name model).
*/ -}}
{{- define "kserve-lite-models.grpcRouted" -}}
  {{- if and (eq .root.Values.routing.mode "gatewayApi") (include "kserve-lite-models.routed" (dict "root" .root "model" .model)) -}}
    {{- $backends := include "kserve-lite-models.backends" (dict "name" .name "model" .model) | fromJson -}}
    {{- if and $backends.grpc (not $backends.explain) -}}
      true
    {{- end -}}
  {{- end -}}
{{- end -}}
