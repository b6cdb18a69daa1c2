{{- /*
Names, labels, images and security contexts: what more than one template needs. Each define says what
it takes. `.Release.Namespace`, `.Chart.AppVersion` and image names are read here and nowhere else.

What is merged is merged with mergeOverwrite, onto a dict made here: `merge` takes false, 0 and "" for
nothing, and lets a default win over them.

A string that users write is quoted, whatever it is: names and namespaces may consist of digits. A
word that the schema lists is not, and a tree goes through toYaml, which quotes what needs it.
*/ -}}

{{- /*
The namespace of every namespaced object. Takes the root.
*/ -}}
{{- define "kserve-lite.namespace" -}}
  {{ .Release.Namespace }}
{{- end -}}

{{- /* The KServe version, which is also the default tag of KServe's images. Takes the root. */ -}}
{{- define "kserve-lite.version" -}}
  {{ .Chart.AppVersion }}
{{- end -}}

{{- /*
Labels that select the pods of a component, as JSON; never anything that changes with a version, because
selectors are immutable. Takes (dict root component).
*/ -}}
{{- define "kserve-lite.selector" -}}
  {{- toJson (dict
        "app.kubernetes.io/component" .component
        "app.kubernetes.io/instance" .root.Release.Name
        "app.kubernetes.io/name" "kserve-lite") -}}
{{- end -}}

{{- /* The same labels as a field takes them. Takes (dict root component). */ -}}
{{- define "kserve-lite.selectorLabels" -}}
  {{- include "kserve-lite.selector" . | fromJson | toYaml -}}
{{- end -}}

{{- /*
Labels of a pod: selector labels, global.labels, and more. Takes (dict root component labels).
*/ -}}
{{- define "kserve-lite.podLabels" -}}
  {{- $labels := include "kserve-lite.selector" . | fromJson -}}
  {{- $_ := set $labels "app.kubernetes.io/part-of" "kserve-lite" -}}
  {{- toYaml (mergeOverwrite dict .root.Values.global.labels .labels $labels) -}}
{{- end -}}

{{- /*
The `labels:` and `annotations:` of an object. Takes (dict root component annotations labels), where
annotations and labels may be left out. The user's global ones never replace the chart's own.
*/ -}}
{{- define "kserve-lite.metadata" -}}
{{- $root := .root -}}
{{- $annotations := mergeOverwrite dict $root.Values.global.annotations (.annotations | default dict) -}}
{{- $labels := mergeOverwrite dict $root.Values.global.labels (.labels | default dict) (include "kserve-lite.selector" . | fromJson) (dict
      "app.kubernetes.io/managed-by" $root.Release.Service
      "app.kubernetes.io/part-of" "kserve-lite"
      "app.kubernetes.io/version" (include "kserve-lite.version" $root)
      "helm.sh/chart" (printf "kserve-lite-%s" $root.Chart.Version | replace "+" "_")) -}}
labels:
  {{- toYaml $labels | nindent 2 }}
{{- with $annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- /*
An image: REGISTRY/REPOSITORY:TAG, or @DIGEST where there is one. Takes (dict root image), where
image is {registry, repository, tag, digest}.
*/ -}}
{{- define "kserve-lite.image" -}}
  {{- $image := .image -}}
  {{- $name := printf "%s/%s" (coalesce .root.Values.global.imageRegistry $image.registry) $image.repository -}}
  {{- if $image.digest -}}
    {{ $name }}@{{ $image.digest }}
  {{- else -}}
    {{ $name }}:{{ coalesce $image.tag (include "kserve-lite.version" .root) }}
  {{- end -}}
{{- end -}}

{{- /* The `imagePullSecrets:` of a pod, or nothing. Takes the root. */ -}}
{{- define "kserve-lite.imagePullSecrets" -}}
{{- with .Values.global.imagePullSecrets -}}
imagePullSecrets:
{{- range . }}
- name: {{ quote . }}
{{- end }}
{{- end -}}
{{- end -}}

{{- /*
The security context of a pod that meets Pod Security "restricted". On OpenShift the SCC sets the
user and the seccomp profile. Takes (dict root user overrides), where overrides may be left out.
*/ -}}
{{- define "kserve-lite.podSecurityContext" -}}
  {{- $context := dict "runAsNonRoot" true -}}
  {{- if eq .root.Values.platform "kubernetes" -}}
    {{- $context = mergeOverwrite $context (dict
          "runAsGroup" .user "runAsUser" .user
          "seccompProfile" (dict "type" "RuntimeDefault")) -}}
  {{- end -}}
  {{- toYaml (mergeOverwrite $context (.overrides | default dict)) -}}
{{- end -}}

{{- /*
The security context of a container that meets Pod Security "restricted" on its own, whatever pod it
lands in. Takes (dict root user asRoot writable overrides), of which all but root may be left out:
`user` is set outside OpenShift; `asRoot` is true for an image that must run as root; `writable` is
true for one that writes to its own file system; `overrides` is a dict.
*/ -}}
{{- define "kserve-lite.securityContext" -}}
  {{- $context := dict
        "allowPrivilegeEscalation" false
        "capabilities" (dict "drop" (list "ALL"))
        "privileged" false -}}
  {{- if not .writable -}}
    {{- $_ := set $context "readOnlyRootFilesystem" true -}}
  {{- end -}}
  {{- if not .asRoot -}}
    {{- $_ := set $context "runAsNonRoot" true -}}
  {{- end -}}
  {{- if eq .root.Values.platform "kubernetes" -}}
    {{- $_ := set $context "seccompProfile" (dict "type" "RuntimeDefault") -}}
    {{- with .user -}}
      {{- $_ := set $context "runAsUser" . -}}
    {{- end -}}
  {{- end -}}
  {{- toYaml (mergeOverwrite $context (.overrides | default dict)) -}}
{{- end -}}

{{- /*
A list of environment variables. Takes a dict whose values are strings or EnvVars without a name.
*/ -}}
{{- define "kserve-lite.env" -}}
{{- range $name, $value := . }}
- name: {{ quote $name }}
  {{- if kindIs "string" $value }}
  value: {{ quote $value }}
  {{- else }}
  {{- toYaml $value | nindent 2 }}
  {{- end }}
{{- end }}
{{- end -}}

{{- /* A duration such as 90s or 1h30m in milliseconds. Takes the duration. */ -}}
{{- define "kserve-lite.milliseconds" -}}
  {{- $units := dict "ms" 1 "s" 1000 "m" 60000 "h" 3600000 -}}
  {{- $sum := 0 -}}
  {{- range regexFindAll "[0-9]+[a-z]+" . -1 -}}
    {{- $sum = add $sum (mul (regexFind "[0-9]+" . | int64) (get $units (regexFind "[a-z]+" .))) -}}
  {{- end -}}
  {{- $sum -}}
{{- end -}}
