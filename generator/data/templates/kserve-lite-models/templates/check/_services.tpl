{{- /* The check that no two objects claim one Service's name. */ -}}

{{- /*
Services of one name: the chart's NAME, KServe's NAME-predictor and their like. Takes the root. Only
a name with such an end can be another's, so the others cost nothing.
*/ -}}
{{- define "kserve-lite-models.check.services" -}}
  {{- $models := .Values.models -}}
  {{- $users := dict -}}
  {{- range $name, $model := $models -}}
    {{- range $version, $_ := $model.canary -}}
      {{- $other := print $name "-" $version -}}
      {{- with ternary (print "models." $other) (get $users $other) (hasKey $models $other) }}
        ERROR: models.{{ $name }}.canary.{{ $version }}: {{ . }} wants the Service {{ $other }}-predictor too; rename one
      {{- end -}}
      {{- $_ := set $users $other (print "models." $name ".canary." $version) -}}
    {{- end -}}
  {{- end -}}
  {{- range $kind, $entries := dict "models" $models "graphs" .Values.graphs -}}
    {{- range $name, $_ := $entries -}}
      {{- if or (hasSuffix "-predictor" $name) (hasSuffix "-transformer" $name) (hasSuffix "-explainer" $name) -}}
        {{- $component := splitList "-" $name | last -}}
        {{- $first := trimSuffix (print "-" $component) $name -}}
        {{- $other := get $models $first -}}
        {{- $user := ternary (print "models." $first) "" (and (hasKey $models $first) (or (eq $component "predictor") (hasKey $other $component))) -}}
        {{- if eq $component "predictor" -}}
          {{- $user = or $user (get $users $first) -}}
        {{- end -}}
        {{- with $user }}
          ERROR: {{ $kind }}.{{ $name }}: {{ . }} wants the Service {{ $name }} too; rename one
        {{- end -}}
      {{- end -}}
    {{- end -}}
  {{- end -}}
  {{- range $name, $_ := .Values.graphs -}}
    {{- if hasKey $models $name }}
      ERROR: graphs.{{ $name }}: models.{{ $name }} wants the Service {{ $name }} too; rename one
    {{- end -}}
  {{- end -}}
{{- end -}}
