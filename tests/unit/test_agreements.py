"""What is written in more than one file, since Helm cannot read the catalog, says the same."""

from __future__ import annotations

import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from generator import DATA, MODELS
from generator.catalog import Runtime, catalog
from generator.errors import ValuesError
from generator.importer.inferenceservice import from_manifest
from generator.values.load import Values
from generator.values.schema import values_schema
from tests.rendering import CHARTS, Object, helm_template, objects, of_kind, only, parse

GROUP = "serving.kserve.io"
MODEL = {"format": "onnx", "storageUri": "s3://m/one"}
# How model servers are told the port that gRPC requests come to: the rest_ and http_ ones are others.
GRPC_PORT = re.compile(r"--(?:grpc-)?port=(\d+)")


def models(tmp_path: Path, **entries: Any) -> list[Object]:
    """The objects of a values file with these models."""
    file = tmp_path / "models.yaml"
    file.write_text(
        yaml.safe_dump({"models": entries, "runtimes": {"openvino": {"enabled": True}}})
    )
    return parse(helm_template(CHARTS[MODELS], Values.parsed([file]), namespace="default", more=()))


def grpc_ports(runtime: Runtime) -> set[int]:
    """The ports at which the containers of a runtime listen for gRPC."""
    found = set()
    for container in runtime.spec["containers"]:
        found |= {
            int(match[1])
            for arg in container.get("args", [])
            if (match := GRPC_PORT.fullmatch(arg))
        }
        found |= {
            int(env["value"])
            for env in container.get("env", [])
            if env["name"].endswith("GRPC_PORT")
        }
    return found


def the_grpc_port() -> int:
    """The one port of all runtimes of the catalog that serve a gRPC protocol."""
    spoken = {
        key: grpc_ports(runtime)
        for key, runtime in catalog().runtimes.items()
        if any(name.startswith("grpc") for name in runtime.protocols)
    }
    ports = {key: found for key, found in spoken.items() if found}
    assert len(ports) >= 3
    (port,) = set().union(*ports.values())
    return port


def test_chart_and_importer_know_the_runtimes_grpc_port(tmp_path: Path) -> None:
    port = the_grpc_port()
    rendered = models(tmp_path, dense=MODEL | {"protocol": "grpc-v2"})
    service = only(rendered, "InferenceService", "dense")
    (declared,) = service["spec"]["predictor"]["model"]["ports"]
    assert declared["containerPort"] == port
    (opened,) = only(rendered, "Service", "dense")["spec"]["ports"]
    assert opened["targetPort"] == port
    taken = from_manifest(deepcopy(service))
    assert taken["protocol"] == "grpc-v2"
    assert not {"port", "spec"} & taken.keys()
    declared["containerPort"] = port + 1
    assert {"port", "spec"} & from_manifest(service).keys()


@pytest.mark.parametrize(
    ("component", "more"),
    [("predictor", {}), ("transformer", {"transformer": {"image": "a/b:1"}})],
)
def test_names_are_as_long_as_a_pods_label_allows(
    tmp_path: Path, component: str, more: dict[str, Any]
) -> None:
    """KServe labels pods `app: isvc.NAME-COMPONENT`, and a label has 63 characters at most."""
    longest = 63 - len(f"isvc.-{component}")
    if component == "predictor":
        assert values_schema()["properties"]["models"]["propertyNames"]["maxLength"] == longest
    assert models(tmp_path, **{"m" * longest: MODEL | more})
    with pytest.raises(ValuesError, match=f"{longest} are allowed"):
        models(tmp_path, **{"m" * (longest + 1): MODEL | more})


# --- the custom resources -------------------------------------------------------------------------


CRDS = {crd.plural: crd for crd in catalog().crds}


def definitions() -> dict[str, Object]:
    """The CRDs that the chart ships, by plural name."""
    read = [yaml.safe_load(file.read_text("utf-8")) for file in (DATA / "crds").iterdir()]
    return {crd["spec"]["names"]["plural"]: crd for crd in read}


def rules(kind: str, name: str) -> list[Object]:
    """The rules of a role about KServe's own kinds; those of its model cache, off here, left out."""
    found = only(objects("everything-on"), kind, name)["rules"]
    return [
        rule
        for rule in found
        if rule["apiGroups"] == [GROUP] and not rule["resources"][0].startswith("localmodel")
    ]


def plurals(found: list[Object]) -> set[str]:
    return {resource.partition("/")[0] for rule in found for resource in rule["resources"]}


def test_the_catalog_lists_the_crds_of_the_chart() -> None:
    shipped = {
        (spec["names"]["kind"], plural, spec["versions"][0]["name"])
        for plural, crd in definitions().items()
        for spec in [crd["spec"]]
    }
    assert {(crd.kind, crd.plural, crd.version) for crd in CRDS.values()} == shipped


def test_the_manager_may_work_on_each_custom_resource() -> None:
    assert plurals(rules("ClusterRole", "kserve-manager-role")) == set(CRDS)


@pytest.mark.parametrize("role", ["kserve-lite-edit", "kserve-lite-view"])
def test_teams_get_the_namespaced_custom_resources(role: str) -> None:
    namespaced = {
        plural for plural, crd in definitions().items() if crd["spec"]["scope"] == "Namespaced"
    }
    assert plurals(rules("ClusterRole", role)) == namespaced


def test_webhooks_name_custom_resources_as_their_crds_do() -> None:
    crds = definitions()
    seen = set()
    for manifest in of_kind(
        objects("everything-on"), "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"
    ):
        for rule in (rule for webhook in manifest["webhooks"] for rule in webhook["rules"]):
            if rule["apiGroups"] != [GROUP]:
                continue
            (plural,) = rule["resources"]
            assert rule["apiVersions"] == [CRDS[plural].version]
            assert rule.get("scope", "*") in ("*", crds[plural]["spec"]["scope"])
            seen.add(plural)
    # Upstream's manager has no webhook for how models are fetched.
    assert seen == set(CRDS) - {"clusterstoragecontainers"}
