{{- /* What Prometheus cannot scrape. Takes the root. */ -}}
{{- define "kserve-lite.observability.check" -}}
  {{- $monitor := .Values.observability.serviceMonitor -}}
  {{- if $monitor.enabled -}}
    {{- if gt (include "kserve-lite.milliseconds" $monitor.scrapeTimeout | int64) (include "kserve-lite.milliseconds" $monitor.interval | int64) }}
      ERROR: observability.serviceMonitor.scrapeTimeout: {{ $monitor.scrapeTimeout }} is more than the interval, {{ $monitor.interval }}; lower it, or raise observability.serviceMonitor.interval
    {{- end -}}
    {{- if not .Values.observability.metrics.enabled }}
      ERROR: observability.serviceMonitor has nothing to scrape; set observability.metrics.enabled=true
    {{- end -}}
  {{- end -}}
{{- end -}}
