"""kserve-lite: Helm charts and GitOps manifests for KServe from one values file."""

__version__ = "0.1.0"

CHART = "kserve-lite"
MODELS = "kserve-lite-models"
