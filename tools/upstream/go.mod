// Modules whose CRDs and samples are read as data by codegen, tests/upstream and tests/cluster.
// Nothing here is built: sources.py runs `go mod download MODULE@VERSION`, go.sum pins what comes back.
module kserve-lite.invalid/tools/upstream

go 1.26.0

require (
	github.com/argoproj/argo-cd/v3 v3.5.7
	github.com/cert-manager/cert-manager v1.21.2
	github.com/external-secrets/external-secrets v1.3.2
	github.com/fluxcd/helm-controller v1.6.4
	github.com/fluxcd/kustomize-controller v1.9.6
	github.com/fluxcd/source-controller v1.9.6
	github.com/kedacore/keda/v2 v2.18.0
	github.com/kserve/kserve v0.20.0
	github.com/prometheus-operator/prometheus-operator v0.85.0
	istio.io/api v1.31.1
	knative.dev/serving v0.48.1
	sigs.k8s.io/gateway-api v1.5.1
)
