{{- /* What routing.mode cannot do, said before KServe does something else. Takes the root. */ -}}
{{- define "kserve-lite.routing.check" -}}
  {{- $routing := .Values.routing -}}
  {{- $mode := $routing.mode -}}
  {{- $gateway := $routing.gateway -}}
  {{- $standard := eq .Values.deploymentMode "Standard" -}}
  {{- if not $routing.domain }}
    {{- if $routing.additionalDomains }}
      ERROR: routing.additionalDomains: there is no routing.domain that they are in addition to; set routing.domain
    {{- end }}
    {{- if $routing.pathTemplate }}
      ERROR: routing.pathTemplate: is a path under routing.domain, which is empty; set routing.domain
    {{- end }}
    {{- if $gateway.tls.enabled }}
      ERROR: routing.gateway.tls: without routing.domain nothing is published; set routing.domain
    {{- end }}
  {{- else }}
    {{- if and $routing.additionalDomains $standard (has $mode (list "ingress" "none")) }}
      ERROR: routing.additionalDomains: in routing.mode {{ $mode }} nobody routes them; set routing.mode=gatewayApi or virtualService, or remove them
    {{- end }}
    {{- $known := dict $routing.domain "routing.domain" }}
    {{- range $domain := $routing.additionalDomains }}
      {{- with get $known $domain }}
        ERROR: routing.additionalDomains: {{ $domain }} is in {{ . }} already, and a gateway takes a host once; remove it
      {{- end }}
      {{- $_ := set $known $domain "routing.additionalDomains" }}
    {{- end }}
    {{- if and (eq $mode "gatewayApi") (gt (len $routing.additionalDomains) 15) }}
      ERROR: routing.additionalDomains: has {{ len $routing.additionalDomains }} domains, and a route of the Gateway API takes 15 beside routing.domain; remove some
    {{- end }}
    {{- if eq $mode "ingress" }}
      {{- include "kserve-lite.routing.checkClass" . }}
    {{- end }}
    {{- $written := and $standard (eq $mode "gatewayApi") $routing.gatewayApi.writeRoutes }}
    {{- $remedy := ternary "routing.mode=virtualService or routing.gatewayApi.writeRoutes=true" "routing.mode=virtualService" $standard }}
    {{- if and $routing.pathTemplate (eq $mode "gatewayApi") (not $written) }}
      ERROR: routing.pathTemplate: KServe's HTTPRoutes match the path alone and send the rest of the domain to one model; set {{ $remedy }}, or remove it
    {{- else if and $routing.pathTemplate $standard (ne $mode "virtualService") (not $written) }}
      ERROR: routing.pathTemplate: in routing.mode {{ $mode }} nobody routes it; set routing.mode=virtualService, or remove it
    {{- end }}
    {{- if and $gateway.tls.enabled (not (has $mode (list "gatewayApi" "virtualService"))) }}
      ERROR: routing.gateway.tls: there is no gateway in routing.mode {{ $mode }}; set routing.mode=gatewayApi or virtualService, or end TLS in front of the models and set routing.urlScheme=https
    {{- else if and $gateway.tls.enabled $gateway.create (not $gateway.tls.secretName) }}
      ERROR: routing.gateway.tls.secretName: is empty; set routing.gateway.tls.secretName to the Secret with the certificate
    {{- end }}
  {{- end }}
  {{- if and (eq $mode "gatewayApi") $gateway.create (hasPrefix "gke-" $gateway.className) }}
    {{- if not $routing.gatewayApi.writeRoutes }}
      ERROR: routing.gateway.className: KServe's HTTPRoutes match paths by regular expression, which GKE's own Gateway controller refuses in every class; set routing.gateway.className to a class that runs in the cluster, istio for instance, or routing.gatewayApi.writeRoutes=true
    {{- else if $routing.httpRouteTimeouts }}
      ERROR: routing.httpRouteTimeouts: GKE's own Gateway controller has none; set routing.httpRouteTimeouts=false, or routing.gateway.className to a class that runs in the cluster
    {{- end }}
  {{- end }}
  {{- if and $routing.gatewayApi.writeRoutes (ne $mode "gatewayApi") }}
    ERROR: routing.gatewayApi.writeRoutes: is for the Gateway API, and routing.mode is {{ $mode }}; set routing.mode=gatewayApi, or remove it
  {{- end }}
  {{- if and $gateway.create $gateway.tls.enabled (eq (int $gateway.httpPort) (int $gateway.httpsPort)) }}
    ERROR: routing.gateway.httpsPort: {{ int $gateway.httpsPort }} is routing.gateway.httpPort too; choose another
  {{- end }}
  {{- if and $gateway.create $gateway.namespace }}
    ERROR: routing.gateway.namespace: is for a gateway that exists; set routing.gateway.create=false
  {{- end }}
{{- end -}}

{{- /*
The class of the Ingresses, which a field and an older annotation can say. An API server refuses an
Ingress in which they differ (pkg/apis/networking/validation of Kubernetes), and GKE's controller acts on
the annotation alone (cloud.google.com, "GKE Ingress for Application Load Balancers", controller
behavior). Takes the root.
*/ -}}
{{- define "kserve-lite.routing.checkClass" -}}
  {{- $class := include "kserve-lite.routing.ingressClass" . -}}
  {{- $annotated := get .Values.routing.ingressAnnotations "kubernetes.io/ingress.class" -}}
  {{- $remedy := ternary "remove routing.ingressClass.name, and set routing.ingressClass.create=false" "set routing.ingressClass.create=false" (not (empty .Values.routing.ingressClass.name)) -}}
  {{- if and $annotated $class (ne $annotated $class) }}
    ERROR: routing.ingressAnnotations: kubernetes.io/ingress.class says {{ $annotated }}, KServe's Ingresses have the class {{ $class }}, and an API server refuses two; {{ $remedy }}
  {{- else if and (has $class (list "gce" "gce-internal")) (not $annotated) }}
    ERROR: routing.ingressClass.name: GKE acts on the annotation kubernetes.io/ingress.class alone; set that in routing.ingressAnnotations, {{ $remedy }}
  {{- end }}
{{- end -}}
