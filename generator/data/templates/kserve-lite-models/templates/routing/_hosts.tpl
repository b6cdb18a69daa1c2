{{- /* Under which hosts and paths a model is published. */ -}}

{{- /*
The hosts that are a model's own, as a JSON list: under the domain, then under the additional ones. As
KServe has it, a host that is not under the domain has no others. Takes (dict root name model).
*/ -}}
{{- define "kserve-lite-models.hosts" -}}
  {{- $routing := .root.Values.routing -}}
  {{- $host := include "kserve-lite-models.fill" (dict "root" .root "name" .name "model" .model "template" $routing.domainTemplate) -}}
  {{- $hosts := list $host -}}
  {{- $domains := include "kserve-lite-models.domains" .root | fromJsonArray -}}
  {{- $domain := first $domains -}}
  {{- range ternary (rest $domains) list (hasSuffix $domain $host) -}}
    {{- $hosts = append $hosts (printf "%s%s" (trimSuffix $domain $host) .) -}}
  {{- end -}}
  {{- toJson $hosts -}}
{{- end -}}

{{- /* A model's path under the bare domain, without a slash at its end. Takes (dict root name model). */ -}}
{{- define "kserve-lite-models.path" -}}
  {{- include "kserve-lite-models.fill" (dict "root" .root "name" .name "model" .model "template" .root.Values.routing.pathTemplate) | trimSuffix "/" -}}
{{- end -}}
