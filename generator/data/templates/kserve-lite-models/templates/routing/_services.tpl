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
