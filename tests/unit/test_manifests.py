import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator import CHART, MODELS
from generator.errors import GeneratorError, ValuesError
from generator.manifests import layout, parsing, rendering
from generator.release import Release
from generator.values.check import read

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
    one, two = parsing.split(OUTPUT)
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
    text = "---\n# Source: kserve-lite/templates/a.yaml\nkind: Nothing\n"
    with pytest.raises(GeneratorError) as caught:
        list(parsing.split(text))
    assert str(caught.value) == (
        "templates/a.yaml of kserve-lite renders something that is not an object with apiVersion, "
        'kind and metadata.name; it begins "kind: Nothing"'
    )


def manifest(
    kind: str, name: str, namespace: str | None = None, api: str = "v1", chart: str = CHART
) -> parsing.Manifest:
    line = f"  namespace: {namespace}\n" if namespace else ""
    text = f"apiVersion: {api}\nkind: {kind}\nmetadata:\n  name: {name}\n{line}"
    return parsing.manifest(text, chart)


def test_files_are_named_after_their_objects():
    files = layout.files(
        [
            manifest("Namespace", "home"),
            manifest("ConfigMap", "a", "home"),
            manifest("ConfigMap", "a", "other"),
            manifest("Gateway", "g", "home", "networking.istio.io/v1"),
            manifest("Gateway", "g", "home", "gateway.networking.k8s.io/v1"),
            manifest("ClusterServingRuntime", "r", api="serving.kserve.io/v1alpha1"),
            manifest("InferenceService", "m", "models", "serving.kserve.io/v1beta1", MODELS),
            manifest("Service", "m", "models", chart=MODELS),
            manifest("Service", "n", chart=MODELS),
        ],
        Release(namespace="home", models="default"),
    )
    assert list(files) == [
        "00-crds/namespace-home.yaml",
        "10-platform/configmap-a.yaml",
        "10-platform/configmap-other-a.yaml",
        "10-platform/gateway-g.yaml",
        "10-platform/gateway-g-gateway.networking.k8s.io.yaml",
        "20-runtimes/clusterservingruntime-r.yaml",
        "30-models/models/inferenceservice-m.yaml",
        "30-models/models/service-m.yaml",
        "30-models/default/service-n.yaml",
    ]


def test_files_have_names_on_every_system():
    names = ["system:Reader", "system:reader", "system_reader", "a" * 253, "a" * 252 + "b"]
    api = "rbac.authorization.k8s.io/v1"
    objects = [manifest("ClusterRole", name, api=api) for name in names]
    files = [Path(path).name for path in layout.files([manifest("Namespace", "home"), *objects])]
    assert files[1:3] == [
        "clusterrole-system_reader.yaml",
        "clusterrole-system_reader-rbac.authorization.k8s.io.yaml",
    ]
    assert len({name.lower() for name in files}) == len(files) == 6
    assert all(re.fullmatch(r"[a-z0-9._-]{1,210}", name) for name in files)


def test_an_object_that_is_there_twice_is_refused():
    twice = [manifest("Namespace", "home"), *[manifest("Secret", "s", "home")] * 3]
    with pytest.raises(GeneratorError, match="Secret s is rendered twice"):
        layout.files(twice)


NAMES = st.sampled_from(
    ["a", "a-b", "b", "b-c", "c", "a-b-c", "role", "b-rbac.authorization.k8s.io"]
)
OBJECTS = st.tuples(
    st.sampled_from(["Role", "Gateway", "Service"]),
    NAMES,
    st.none() | NAMES,
    st.sampled_from(["v1", "networking.istio.io/v1", "rbac.authorization.k8s.io/v1"]),
)


@given(st.lists(OBJECTS, unique=True, max_size=12))
def test_every_object_has_a_file_of_its_own(objects):
    them = [manifest("Namespace", "home"), *[manifest(*arguments) for arguments in objects]]
    files = layout.files(them)
    assert len(files) == len(them)
    assert not any(path.endswith("-.yaml") for path in files)


def test_a_release_knows_the_names_it_may_have():
    for name in ("a", "123", "a-b.c", "x" * 46):
        assert Release(name).models_name == f"{name}-models"
    for name in ("a b", "A", "-a", "a-", "a..b", "", "a/b", "x" * 47, "a\n"):
        with pytest.raises(GeneratorError, match="--release"):
            Release(name)
    for namespace in ("a.b", "x" * 64, "_"):
        with pytest.raises(GeneratorError, match="--models-namespace"):
            Release(models=namespace)


def refused(values: str, folder) -> str:
    file = folder / "my.yaml"
    file.write_text(values)
    with pytest.raises(ValuesError) as caught:
        rendering.render(read([file]))
    return str(caught.value).replace(str(file), "my.yaml")


EXTRA = "extraObjects:\n  x: {apiVersion: v1, kind: ConfigMap, metadata: {name: %s}}\n"


@pytest.mark.parametrize(
    "name", ["inferenceservice-config", "inferenceservice-config, namespace: kserve"]
)
def test_an_object_of_the_chart_cannot_be_declared_again(name, tmp_path):
    assert refused(EXTRA % name, tmp_path) == (
        "my.yaml:2:3: extraObjects.x: ConfigMap inferenceservice-config is rendered twice, by "
        "kserve-lite/templates/config/configmap.yaml and by this; "
        "use a value of the chart to change its object, or rename it"
    )


def test_an_object_of_the_models_cannot_be_declared_again_either(tmp_path):
    models = "models: {m: {format: sklearn, storageUri: 's3://a/b'}}\n"
    twice = EXTRA.replace("ConfigMap", "Service") % "m, namespace: default"
    assert "my.yaml:2:3: extraObjects.x: Service m is rendered twice" in refused(
        twice + models, tmp_path
    )
    # In another namespace it is another object.
    (tmp_path / "other.yaml").write_text(twice.replace("default", "elsewhere") + models)
    services = [
        one for one in rendering.render(read([tmp_path / "other.yaml"])) if one.kind == "Service"
    ]
    assert len([service for service in services if service.name == "m"]) == 2


def test_one_object_may_not_be_declared_twice(tmp_path):
    first = EXTRA % "a"
    second = "  z: {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n"
    assert refused(first + second, tmp_path) == (
        "my.yaml:3:3: extraObjects.z: ConfigMap a is the same object as extraObjects.x; leave one of them out"
    )


@pytest.mark.parametrize(
    ("values", "path"),
    [
        (EXTRA % "a b", "extraObjects.x.metadata.name"),
        (EXTRA % "A", "extraObjects.x.metadata.name"),
        (EXTRA % "a/b", "extraObjects.x.metadata.name"),
        (EXTRA % "'a: b'", "extraObjects.x.metadata.name"),
        (EXTRA % "a, namespace: a b", "extraObjects.x.metadata.namespace"),
        ('customRuntimes: {"a b": {spec: {containers: []}}}', 'customRuntimes["a b"]'),
        ("controller: {serviceAccount: {name: 'a b'}}", "controller.serviceAccount.name"),
    ],
)
def test_a_name_that_no_object_can_have_is_refused_where_it_stands(values, path, tmp_path):
    said = refused(values, tmp_path)
    assert f": {path}: " in said
    assert "not a name" in said
    assert len(said.splitlines()) == 1


def test_a_role_may_have_the_name_of_a_role(tmp_path):
    file = tmp_path / "my.yaml"
    role = "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: 'system:x'}}"
    file.write_text(f"extraObjects: {{x: {role}}}\n")
    assert [one for one in rendering.render(read([file])) if one.name == "system:x"]
