"""The compact CRDs against upstream's full ones, read from the Go module of the same version.

Needs Go, and the network the first time.
"""

from __future__ import annotations

import copy
import functools
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from codegen import crds, jsonschemas, upstream
from codegen.compact import close
from codegen.definitions import custom, kubernetes, overlay
from codegen.operations import Schema, references
from generator.yaml.document import load_fast

Difference = tuple[str, str]

OPAQUE = "x-kubernetes-preserve-unknown-fields"
COMPARED = (
    *("format", "enum", "pattern", "minimum", "maximum", "minLength", "maxLength", "minItems"),
    *("default", "x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-map-type"),
)

# All that may differ: what, where, and why.
INTENDED = {
    ("opaque", r".*Affinity\.(preferred|required)DuringSchedulingIgnoredDuringExecution(\[\])?"):
        "the terms of an affinity",
    ("opaque", r".*\.env\[\]\.valueFrom\.\w+Ref|.*\.envFrom\[\]\.\w+Ref"):
        "where a variable comes from: Kubernetes refuses a reference without a name",
    ("opaque", r".*\.(liveness|readiness|startup)Probe\.(exec|grpc|tcpSocket|httpGet\.httpHeaders\[\])"):
        "what a probe does other than an HTTP request",
    ("opaque", r".*\.lifecycle\.(postStart|preStop)"):
        "what a hook does",
    ("opaque", r".*\.securityContext\.(\w+Profile|seLinuxOptions|windowsOptions|sysctls\[\])"):
        "the parts of a security context",
    ("opaque", r".*\.volumes\[\]\.(?!emptyDir|persistentVolumeClaim)\w+"):
        "the sources of a volume",
    ("opaque", r".*\.behavior\.scale(Down|Up)\.policies\[\]"):
        "the policies of an autoscaler",
    ("opaque", r".*\.(dnsConfig|os|schedulingGroup)|.*\.(claims|ephemeralContainers|resizePolicy)\[\]"):
        "a Kubernetes type that hardly anybody writes",
    ("opaque", r".*\.(hostAliases|readinessGates|resourceClaims|restartPolicyRules)\[\]"):
        "a list of a Kubernetes type that hardly anybody writes",
    ("opaque", r".*\.(schedulingGates|volumeDevices)\[\]"):
        "a list of a Kubernetes type that hardly anybody writes",
    ("opaque", r".*\.initContainers\[\]\.(lifecycle|(liveness|readiness|startup)Probe)"):
        "fewer in init containers, see the overlay",
    ("opaque", r".*\.workerSpec\.(affinity\.\w+|topologySpreadConstraints\[\]|volumes\[\])"):
        "fewer in workers, see the overlay",
    ("opaque", r".*\.workerSpec\.(c|initC)ontainers\[\]\.(env\[\]\.valueFrom|(envFrom|ports|volumeMounts)\[\]|lifecycle|\w+Probe|securityContext)"):
        "shallow, see the overlay",
    ("opaque", r"spec(\.canary\[\])?\.predictor\.(?!model)\w+\.(env\[\]\.valueFrom|(envFrom|ports|volumeMounts)\[\]|lifecycle|\w+Probe|securityContext)|spec\.explainer\.art\.(env\[\]\.valueFrom|(envFrom|ports|volumeMounts)\[\]|lifecycle|\w+Probe|securityContext)"):
        "shallow, see the overlay",
    ("laxer list-(type|map-keys)", r".*\.(\w+Claims|claims|\w+Gates|\w+Constraints)"):
        "opaque items cannot be told apart",
    ("laxer list-(type|map-keys)", r".*\.(env|ports|volumeDevices|volumeMounts)"):
        "opaque items cannot be told apart",
    ("laxer pattern", r".*\.(limits\{\}|requests\{\}|overhead\{\}|averageValue|value|memory|sizeLimit|tolerance)"):
        "the webhook parses quantities",
    ("laxer required", r"spec\.canary\[\]\.predictor\.\w+"):
        "upstream lifts it for predictors, and forgets canaries",
    ("extra", r"spec\.predictor\.ephemeralContainers"):
        "upstream has it in canaries, which share the type",
    ("laxer required", r".*\.(\w+Probe|lifecycle\.\w+)\.(httpGet|tcpSocket)"):
        "upstream lifts it in some probes of predictors, which share the type",
}  # fmt: skip


@functools.cache
def upstream_crds() -> dict[str, dict[str, Any]]:
    files = ["config/crd/full/*.yaml", "config/crd/full/clusterstoragecontainer/*.yaml"]
    return {crd["spec"]["names"]["kind"]: crd for crd in upstream.crds(upstream.KSERVE, *files)}


@functools.cache
def committed() -> dict[str, dict[str, Any]]:
    loaded = map(load_fast, sorted(crds.FOLDER.glob("*.yaml")))
    return {crd["spec"]["names"]["kind"]: crd for crd in loaded}


def schema_of(crd: dict[str, Any]) -> Schema:
    (version,) = crd["spec"]["versions"]
    schema: Schema = version["schema"]["openAPIV3Schema"]
    return schema


def differences(theirs: Schema, ours: Schema, path: str = "") -> Iterator[Difference]:
    """`(what, path)` of all that our schema says otherwise than upstream's, from the root down."""
    kinds = [(node.get("type"), node.get("x-kubernetes-int-or-string")) for node in (theirs, ours)]
    if kinds[0] != kinds[1]:
        yield "type", path
        return
    if ours.get(OPAQUE) and not ours.get("properties"):
        yield "opaque", path
        return
    if theirs.get(OPAQUE) and not ours.get(OPAQUE):
        yield "prunes", path
    for key in COMPARED:
        # A list is atomic by default.
        our, other = (
            None if node.get(key) == "atomic" else node.get(key) for node in (ours, theirs)
        )
        if our != other:
            what = "laxer" if our is None else "stricter"
            yield f"{what} {key.removeprefix('x-kubernetes-')}", path
    required = [set(node.get("required", [])) for node in (theirs, ours)]
    if required[0] != required[1]:
        yield ("laxer required" if required[1] < required[0] else "stricter required"), path
    yield from _differences_below(theirs, ours, path)


def _differences_below(theirs: Schema, ours: Schema, path: str) -> Iterator[Difference]:
    fields, known = theirs.get("properties", {}), ours.get("properties", {})
    for name in sorted(fields.keys() | known.keys()):
        here = f"{path}.{name}".removeprefix(".")
        if name in fields and name in known:
            yield from differences(fields[name], known[name], here)
        else:
            yield ("missing" if name in fields else "extra"), here
    for key, mark in (("items", "[]"), ("additionalProperties", "{}")):
        if isinstance(theirs.get(key), dict) and isinstance(ours.get(key), dict):
            yield from differences(theirs[key], ours[key], path + mark)
        elif key in theirs or key in ours:
            yield ("missing" if key in theirs else "stricter items"), path + mark


def intended(difference: Difference) -> tuple[str, str] | None:
    return next(
        (
            entry
            for entry in INTENDED
            if all(re.fullmatch(*pair) for pair in zip(entry, difference, strict=True))
        ),
        None,
    )


def unintended(kind: str, ours: Schema) -> list[Difference]:
    found = differences(schema_of(upstream_crds()[kind]), ours)
    return [difference for difference in found if not intended(difference)]


@pytest.mark.parametrize("kind", overlay()["kinds"])
def test_fields_are_upstreams(kind: str) -> None:
    assert unintended(kind, schema_of(committed()[kind])) == []


def test_every_exception_is_needed() -> None:
    used = {
        intended(difference)
        for kind, crd in committed().items()
        for difference in differences(schema_of(upstream_crds()[kind]), schema_of(crd))
    }
    assert set(INTENDED) - used == set()


def test_every_type_of_the_overlay_is_used() -> None:
    seen: set[str] = set()
    queue = [f"{facts['version'].capitalize()}{kind}" for kind, facts in overlay()["kinds"].items()]
    while queue:
        name = queue.pop()
        if name not in seen:
            seen.add(name)
            queue.extend(references(custom()[name]))
    shallow = {name for group in overlay()["shallow"] for name in group.get("types", [])}
    named = {*overlay()["types"], *overlay()["typed"], *shallow}
    kserves = {name for name in named if not name.startswith("io.k8s.")}
    assert kserves - seen == set(overlay()["embedded"])
    assert named - kserves <= kubernetes().keys()


@pytest.mark.parametrize("kind", overlay()["kinds"])
def test_names_scope_columns_and_subresources_are_upstreams(kind: str) -> None:
    theirs, ours = copy.deepcopy(upstream_crds()[kind]), copy.deepcopy(committed()[kind])
    for crd in (theirs, ours):
        del crd["spec"]["versions"][0]["schema"]
    assert ours["spec"] == theirs["spec"]
    # Ours are protected from pruning; law 9 says how.
    assert ours["metadata"].keys() == {"name", "annotations"}
    assert ours["metadata"]["name"] == theirs["metadata"]["name"]


MUTATIONS: dict[str, Callable[[dict[str, Any]], object]] = {
    "missing spec.predictor.minReplicas": lambda predictor: predictor.pop("minReplicas"),
    "type spec.predictor.timeout": lambda predictor: predictor["timeout"].update(type="string"),
    "stricter enum spec.predictor.scaleMetric": lambda predictor: predictor["scaleMetric"].update(
        enum=["cpu"]
    ),
    "laxer enum spec.predictor.scaleMetric": lambda predictor: predictor["scaleMetric"].pop("enum"),
    "stricter required spec.predictor.model": lambda predictor: predictor["model"].update(
        required=["modelFormat"]
    ),
    "opaque spec.predictor.model": lambda predictor: predictor.update(
        model={"type": "object", OPAQUE: True}
    ),
    "laxer default spec.predictor.containers[].ports[].protocol": lambda predictor: predictor[
        "containers"
    ]["items"]["properties"]["ports"]["items"]["properties"]["protocol"].pop("default"),
    "stricter format spec.predictor.timeout": lambda predictor: predictor["timeout"].update(
        format="int32"
    ),
}


@pytest.mark.parametrize("report", MUTATIONS)
def test_a_changed_schema_is_reported(report: str) -> None:
    ours = copy.deepcopy(schema_of(committed()["InferenceService"]))
    MUTATIONS[report](ours["properties"]["spec"]["properties"]["predictor"]["properties"])
    what, _, path = report.rpartition(" ")
    assert unintended("InferenceService", ours) == [(what, path)]


@functools.cache
def samples() -> dict[str, dict[str, Any]]:
    """Upstream's own manifests of the six kinds in their current versions, by file and place."""
    root = upstream.folder(upstream.KSERVE)
    versions = {
        (f"{overlay()['group']}/{facts['version']}", kind)
        for kind, facts in overlay()["kinds"].items()
    }
    found = {}
    for folder in ("docs", "config/runtimes", "config/storagecontainers", "test"):
        for file in sorted((root / folder).rglob("*.yaml")):
            try:
                documents = list(yaml.load_all(file.read_bytes(), Loader=yaml.CSafeLoader))
            except yaml.YAMLError:
                continue  # Placeholders that are not YAML, such as `{{ ... }}`.
            for index, document in enumerate(documents):
                if isinstance(document, dict):
                    gvk = (str(document.get("apiVersion")), str(document.get("kind")))
                    if gvk in versions:
                        found[f"{file.relative_to(root)}#{index}"] = document
    return found


def complaints(schema: Schema, instance: dict[str, Any]) -> Counter[str]:
    """What is wrong with an object, unknown fields above all, one text for each."""
    errors = Draft202012Validator(schema).iter_errors(instance)
    return Counter(f"{error.json_path} {error.validator}: {error.message}" for error in errors)


@functools.cache
def complaints_upstream() -> dict[str, Counter[str]]:
    closed = {kind: close(schema_of(crd)) for kind, crd in upstream_crds().items()}
    return {name: complaints(closed[sample["kind"]], sample) for name, sample in samples().items()}


def test_samples_lose_nothing() -> None:
    """An object that upstream's CRDs take is taken whole by ours; what they refuse, ours do too."""
    closed = {kind: close(schema_of(crd)) for kind, crd in committed().items()}
    for name, sample in samples().items():
        assert complaints(closed[sample["kind"]], sample) == complaints_upstream()[name], name
    counts = Counter(sample["kind"] for sample in samples().values())
    assert counts["InferenceService"] > 80
    assert counts["ClusterServingRuntime"] > 14
    assert {"InferenceGraph", "TrainedModel", "ClusterStorageContainer"} < set(counts)


def test_schemas_know_every_field_of_the_samples() -> None:
    """The deep schemas for kubeconform refuse nothing that upstream's CRDs take."""
    for name, sample in samples().items():
        kind, version = sample["kind"], sample["apiVersion"].partition("/")[2]
        file = jsonschemas.FOLDER / overlay()["group"] / f"{kind.lower()}_{version}.json"
        schema = json.loads(file.read_text("utf-8"))
        assert complaints(schema, sample) == complaints_upstream()[name], name


@pytest.mark.parametrize("what", ["crds", "schemas"])
def test_committed_files_are_current_whatever_the_hash_seed(what: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "codegen", what, "--check"],
        cwd=Path(__file__).parents[2],
        env=os.environ | {"PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
