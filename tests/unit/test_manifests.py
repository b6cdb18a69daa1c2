import pytest

from generator import CHART, MODELS, manifests
from generator.errors import GeneratorError

OUTPUT = """---
# Source: kserve-lite/templates/a.yaml
# A comment that stays.
apiVersion: v1
kind: ConfigMap
metadata:
  labels:
    name: not-this-one
  name: one
  namespace: kserve
data:
  text: |
    ---
    kind: Deployment
---
# Source: kserve-lite/templates/b.yaml

---
# Source: kserve-lite/templates/b.yaml
apiVersion: networking.istio.io/v1
kind: Gateway
metadata:
  name: "two"
"""


def test_helms_output_is_split_as_text():
    one, two = manifests.split(OUTPUT)
    assert (one.kind, one.name, one.namespace, one.group) == ("ConfigMap", "one", "kserve", "")
    assert one.text.startswith("# A comment that stays.\napiVersion")
    assert one.text.endswith("    ---\n    kind: Deployment\n")
    assert (two.kind, two.name, two.namespace, two.group) == (
        "Gateway",
        "two",
        None,
        "networking.istio.io",
    )


def test_what_is_not_an_object_is_refused():
    with pytest.raises(GeneratorError, match="not an object"):
        list(manifests.split("---\nkind: Nothing\n"))


def manifest(
    kind: str, name: str, namespace: str | None = None, api: str = "v1", chart: str = CHART
) -> manifests.Manifest:
    place = f"  namespace: {namespace}\n" if namespace else ""
    text = f"apiVersion: {api}\nkind: {kind}\nmetadata:\n  name: {name}\n{place}"
    return manifests.manifest(text, chart)


def test_files_are_named_after_their_objects():
    files = manifests.files(
        [
            manifest("Namespace", "home"),
            manifest("ConfigMap", "a", "home"),
            manifest("ConfigMap", "a", "other"),
            manifest("Gateway", "g", "home", "networking.istio.io/v1"),
            manifest("Gateway", "g", "home", "gateway.networking.k8s.io/v1"),
            manifest("ClusterServingRuntime", "r", api="serving.kserve.io/v1alpha1"),
            manifest("InferenceService", "m", "models", "serving.kserve.io/v1beta1", MODELS),
            manifest("Service", "m", "models", chart=MODELS),
        ]
    )
    assert list(files) == [
        "00-crds/namespace-home.yaml",
        "10-platform/configmap-a.yaml",
        "10-platform/configmap-other-a.yaml",
        "10-platform/gateway-g.yaml",
        "10-platform/gateway-g-gateway.networking.k8s.io.yaml",
        "20-runtimes/clusterservingruntime-r.yaml",
        "30-models/inferenceservice-models-m.yaml",
        "30-models/service-models-m.yaml",
    ]


def test_an_object_that_is_there_twice_is_refused():
    twice = [manifest("Namespace", "home"), *[manifest("Secret", "s", "home")] * 3]
    with pytest.raises(GeneratorError, match="Secret s is rendered twice"):
        manifests.files(twice)
