{{- /*
What the roles for people cover: KServe's objects, and the routes that the models chart writes with these
values. Services and Secrets are in Kubernetes' own roles; Istio's policies say who may call, which is for
the cluster's administrators to give. Takes (dict root verbs).
*/ -}}
{{- define "kserve-lite.rbac.rules" -}}
{{- $routing := .root.Values.routing -}}
- apiGroups: [serving.kserve.io]
  resources:
  - inferencegraphs
  - inferenceservices
  - servingruntimes
  - trainedmodels
  verbs: [{{ join ", " .verbs }}]
{{- if and $routing.domain (eq $routing.mode "gatewayApi") $routing.gatewayApi.writeRoutes }}
- apiGroups: [gateway.networking.k8s.io]
  resources:
  - grpcroutes
  - httproutes
  verbs: [{{ join ", " .verbs }}]
{{- else if and $routing.domain (eq $routing.mode "virtualService") }}
- apiGroups: [networking.istio.io]
  resources:
  - destinationrules
  - virtualservices
  verbs: [{{ join ", " .verbs }}]
{{- end }}
{{- end -}}
