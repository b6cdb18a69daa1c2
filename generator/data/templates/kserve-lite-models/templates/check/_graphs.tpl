{{- /* The checks of InferenceGraphs: their nodes, their steps, and that no step leads back. */ -}}

{{- /* Takes the root. */ -}}
{{- define "kserve-lite-models.check.graphs" -}}
  {{- $models := .Values.models }}
  {{- range $name, $graph := .Values.graphs }}
    {{- $path := printf "graphs.%s" $name }}
    {{- include "kserve-lite-models.check.name" (dict "path" $path "name" $name "longest" 58) }}
    {{- $nodes := $graph.nodes | default dict }}
    {{- if not (hasKey $nodes "root") }}
      ERROR: {{ $path }}.nodes: requests come in at root, which is not there; add {{ $path }}.nodes.root
    {{- end }}
    {{- range $key, $node := $nodes }}
      {{- $here := printf "%s.nodes.%s" $path $key }}
      {{- include "kserve-lite-models.check.name" (dict "path" $here "name" $key "longest" 63) }}
      {{- if not $node.type }}
        ERROR: {{ $here }}: has no type; set it to Sequence, Switch, Ensemble or Splitter
      {{- end }}
      {{- $weight := 0 }}
      {{- range $index, $step := $node.steps | default list }}
        {{- $at := printf "%s.steps.%d" $here $index }}
        {{- if ne 1 (len (pick $step "model" "node" "url")) }}
          ERROR: {{ $at }}: leads to one of model, node and url; set one of them
        {{- end }}
        {{- if and $step.model (not (hasKey $models $step.model)) }}
          ERROR: {{ $at }}.model: there is no model {{ $step.model }}; add models.{{ $step.model }}, or set url
        {{- end }}
        {{- if and $step.node (not (hasKey $nodes $step.node)) }}
          ERROR: {{ $at }}.node: there is no node {{ $step.node }}; add {{ $path }}.nodes.{{ $step.node }}
        {{- end }}
        {{- $weight = add $weight (int ($step.weight | default 0)) }}
      {{- end }}
      {{- if and (eq (toString $node.type) "Splitter") (ne (int $weight) 100) }}
        ERROR: {{ $here }}: the weights add up to {{ $weight }}; make them 100
      {{- end }}
    {{- end }}
    {{- range $key, $node := ($graph.spec | default dict).nodes }}
      {{- if not (or (hasKey $nodes $key) $node.routerType) }}
        ERROR: {{ $path }}.spec.nodes.{{ $key }}: has no routerType; set it to Sequence, Switch, Ensemble or Splitter
      {{- end }}
    {{- end }}
    {{- include "kserve-lite-models.check.circle" (dict "path" (printf "%s.nodes" $path) "nodes" $nodes) }}
    {{- if and $graph.minReplicas $graph.maxReplicas (gt (int $graph.minReplicas) (int $graph.maxReplicas)) }}
      ERROR: {{ $path }}.minReplicas: is more than maxReplicas; raise {{ $path }}.maxReplicas
    {{- end }}
  {{- end }}
{{- end -}}

{{- /*
Nodes that lead to each other without end. A node that leads to none that is left is struck out, as
often as there are nodes; a walk from what is left then ends in a circle. Takes (dict path nodes).
*/ -}}
{{- define "kserve-lite-models.check.circle" -}}
  {{- $left := mergeOverwrite dict .nodes -}}
  {{- $next := dict -}}
  {{- range .nodes -}}
    {{- range $key, $node := $left -}}
      {{- $_ := unset $next $key -}}
      {{- range $node.steps -}}
        {{- if and .node (hasKey $left .node) -}}
          {{- $_ := set $next $key .node -}}
        {{- end -}}
      {{- end -}}
      {{- if not (hasKey $next $key) -}}
        {{- $_ := unset $left $key -}}
      {{- end -}}
    {{- end -}}
  {{- end -}}
  {{- if $left -}}
    {{- $at := keys $left | sortAlpha | first -}}
    {{- range $left -}}
      {{- $at = get $next $at -}}
    {{- end -}}
    {{- $circle := list -}}
    {{- range $left -}}
      {{- $circle = append $circle $at | uniq -}}
      {{- $at = get $next $at -}}
    {{- end }}
    ERROR: {{ .path }}.{{ first $circle }}: its steps lead in a circle, from {{ append $circle (first $circle) | join " to " }}; take out one of them
  {{- end -}}
{{- end -}}
