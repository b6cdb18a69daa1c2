{{- /*
storage.s3 as the storage initializer reads it: a JSON object of environment variables, without those at
their default. Which ones it reads, and the spelling of S3_USER_VIRTUAL_BUCKET, is upstream's
(python/storage/kserve_storage/kserve_storage.py at the chart's appVersion). Takes the root.
*/ -}}
{{- define "kserve-lite.storage.settings" -}}
  {{- $s3 := .Values.storage.s3 -}}
  {{- $variables := dict -}}
  {{- with $s3.endpoint -}}
    {{- $_ := set $variables "AWS_ENDPOINT_URL" (printf "%s://%s" (ternary "https" "http" $s3.useHttps) .) -}}
  {{- end -}}
  {{- with $s3.region -}}
    {{- $_ := set $variables "AWS_DEFAULT_REGION" . -}}
  {{- end -}}
  {{- if not $s3.verifySSL -}}
    {{- $_ := set $variables "S3_VERIFY_SSL" "0" -}}
  {{- end -}}
  {{- if $s3.useVirtualBucket -}}
    {{- $_ := set $variables "S3_USER_VIRTUAL_BUCKET" "true" -}}
  {{- end -}}
  {{- if $s3.useAccelerate -}}
    {{- $_ := set $variables "S3_USE_ACCELERATE" "true" -}}
  {{- end -}}
  {{- if $s3.useAnonymousCredential -}}
    {{- $_ := set $variables "awsAnonymousCredential" "true" -}}
  {{- end -}}
  {{- with $s3.caBundle -}}
    {{- $_ := set $variables "AWS_CA_BUNDLE" . -}}
  {{- end -}}
  {{- toJson $variables -}}
{{- end -}}

{{- /*
The `command:` that starts the storage initializer with those variables where the pod has none of its
own. A plain `env:` would not do: KServe merges this container over the one that it gave the settings of
a model's Secret, so the Secret's would lose. Takes the variables.
*/ -}}
{{- define "kserve-lite.storage.command" -}}
command:
- /bin/sh
- -c
- |
  {{- range $name, $_ := . }}
  {{- if eq $name "AWS_CA_BUNDLE" }}
  # Mounted by storage.caBundle, or for the models that KServe gave their S3 settings.
  if [ -e "$DEFAULT_{{ $name }}" ]; then export {{ $name }}="${ {{- $name -}} -$DEFAULT_{{ $name }}}"; fi
  {{- else if eq $name "awsAnonymousCredential" }}
  # Credentials that the pod has from elsewhere are there to be used.
  if [ -z "$AWS_ACCESS_KEY_ID$AWS_ROLE_ARN$AWS_CONTAINER_CREDENTIALS_FULL_URI$STORAGE_CONFIG" ]; then
    export {{ $name }}="${ {{- $name -}} -$DEFAULT_{{ $name }}}"
  fi
  {{- else }}
  export {{ $name }}="${ {{- $name -}} -$DEFAULT_{{ $name }}}"
  {{- end }}
  {{- end }}
  exec /storage-initializer/scripts/initializer-entrypoint "$@"
- storage-initializer
{{- end -}}
