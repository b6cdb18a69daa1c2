"""`migrate` knows every value of upstream's charts, at every version that it reads, and its default.

Needs Go, and the network the first time.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from generator import CONFIG, process, tools
from generator.catalog import catalog
from generator.errors import GeneratorError
from generator.migration.reading import read
from generator.migration.result import migrate
from generator.migration.rules import rules, upstream_objects, upstream_runtimes, versions
from generator.yaml.path import key_of, value_at
from tests import upstreamcharts
from tests.upstreamcharts import RESOURCES, RUNTIMES

CHARTS = [
    (version, chart)
    for version in versions()
    for chart in (RESOURCES, RUNTIMES)
    if version != "0.16" or chart == RESOURCES
]
# What makes each value matter that would not by itself.
BASE = {
    RESOURCES: {"controller": {"deploymentMode": "Standard"}},
    RUNTIMES: {"servingruntime": {"enabled": True}},
}
# By the end of a path: another value than upstream's, as people set it.
OTHERS: dict[str, Any] = {
    "deploymentMode": "RawDeployment",
    "domainTemplate": "{{ .Name }}.{{ .Namespace }}.{{ .IngressDomain }}",
    "kserveGateway": "infra/gateway",
    "urlScheme": "https",
    "imagePullPolicy": "Never",
    "imagePullSecrets": [{"name": "pull"}],
    "additionalIngressDomains": ["more.example.org"],
    "tolerations": [{"key": "a", "operator": "Exists"}],
    "topologySpreadConstraints": [
        {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}
    ],
    "affinity": {"podAntiAffinity": {}},
    "scrapeInterval": "7s",
    "caBundleVolumeMountPath": "/etc/other",
    "CABundle": "/etc/other/ca.crt",
    "storageSecretNameAnnotation": "example.com/secret",
    "gateway": "other/gateway",
    "metricReceiverEndpoint": "other.keda.svc:4317",
    "metricScalerEndpoint": "other.keda.svc:4318",
    "gatewayService": "other.istio-system.svc.cluster.local",
    "knativeGatewayService": "other.istio-system.svc.cluster.local",
    "domain": "models.example.org",
    "region": "eu-west-1",
    "endpoint": "minio.minio:9000",
    "image": "registry.example.com/ours/image",
    "version": "v0.15.0",
    "useHttps": "0",
    "verifySSL": "0",
    "useVirtualBucket": "1",
    "useAnonymousCredential": "true",
}


def leaves(data: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every value, by its path as text."""
    if isinstance(data, dict) and data:
        for key, value in data.items():
            yield from leaves(value, (*path, key))
    else:
        yield ".".join(path), data


def rule_of(path: str, known):
    """The rule for a value, and where below the rule's own path the value is."""
    words = path.split(".")
    for end in range(len(words), 0, -1):
        if rule := known.get(".".join(words[:end])):
            return rule, tuple(words[end:])
    return None, ()


def known_to(version, chart):
    both = rules(RUNTIMES) | rules(RESOURCES) if version == "0.16" else rules(chart)
    return {path: rule for path, rule in both.items() if rule.is_in(version)}


def nothing(value):
    return "" if value in ({}, [], None) else value


@pytest.mark.parametrize(("version", "chart"), CHARTS)
def test_every_value_has_a_rule_and_every_rule_a_value(version, chart):
    known = known_to(version, chart)
    used = set()
    for path, default in leaves(upstreamcharts.values(version, chart)):
        rule, below = rule_of(path, known)
        assert rule, f"{path} has no rule in generator/data/migration.yaml"
        used.add(rule.path)
        own = nothing(value_at(rule.default, below) if below else rule.default)
        if rule.is_version:
            assert default in ("", f"v{version}.0"), path
        elif rule.path != "kserve.version":
            assert own == nothing(default), path
    assert used == {rule.path for rule in known.values()}


@pytest.mark.parametrize("version", versions())
def test_every_setting_of_the_config_has_a_rule(version):
    for path, _ in leaves(upstreamcharts.config(version)):
        assert rule_of(path, rules(CONFIG))[0], path


@pytest.mark.parametrize("version", versions())
@pytest.mark.parametrize("tag", ["latest", "VERSION"])
def test_upstreams_own_config_is_carried_whole(version, tag, tmp_path):
    """The ConfigMap of the manifests as it is, and with the tags that a release puts in."""
    own = upstreamcharts.module(version) / "config" / "configmap" / "inferenceservice.yaml"
    file = tmp_path / "config.yaml"
    file.write_text(
        own.read_text("utf-8").replace(":latest", f":{tag}").replace(":VERSION", f":v{version}.0")
    )
    for said in (version, ""):
        assert migrate(read([str(file)], version=said).state).lost == []


def result_of(tmp_path, data, *, version, chart):
    file = tmp_path / "values.yaml"
    file.write_text(yaml.safe_dump(data))
    return migrate(read([str(file)], version=version, chart=chart).state)


@pytest.mark.parametrize(("version", "chart"), CHARTS)
def test_upstreams_defaults_written_out_are_no_settings(version, chart, tmp_path):
    """As `helm get values --all` prints them."""
    written = result_of(
        tmp_path, upstreamcharts.values(version, chart), version=version, chart=chart
    )
    silent = result_of(tmp_path, {}, version=version, chart=chart)
    assert (written.values, written.lost) == (silent.values, [])


def other(path: str, value: Any) -> Any:
    """Another value of the same kind."""
    last = path.rpartition(".")[2]
    if "equest" in path.rpartition("resource")[2]:
        return "50m" if "cpu" in last else "50Mi"  # Less than the limit.
    if last in OTHERS:
        return OTHERS[last]
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, dict):
        return {"a": "b"}
    if isinstance(value, list):
        return [*value, "NET_RAW"]
    if str(value).lower() in ("true", "false"):
        return str(str(value).lower() == "false").lower()
    if str(value).isdecimal():
        return str(int(value) + 1)
    number = value.rstrip("Gimk")
    return f"{int(number) * 2}{value[len(number) :]}" if number.isdecimal() else f"{value}x"


def set_at(data: dict[str, Any], path: str, value: Any) -> None:
    *steps, last = path.split(".")
    for step in steps:
        data = data.setdefault(step, {})
    data[last] = value


@pytest.mark.parametrize(("version", "chart"), [CHARTS[0], *CHARTS[-2:]])
def test_no_change_goes_without_a_word(version, chart, tmp_path):
    """A changed value changes the result, or is named as not carried; one with a `to` arrives."""
    base = {"kserve": copy.deepcopy(BASE[chart])}
    known = known_to(version, chart)
    before = result_of(tmp_path, base, version=version, chart=chart)
    silent, not_there = [], []
    for path, value in leaves(upstreamcharts.values(version, chart)):
        data = copy.deepcopy(base)
        set_at(data, path, other(path, value))
        if data == base:  # What matters only when it is on is off by default.
            set_at(data, path, value)
        after = result_of(tmp_path, data, version=version, chart=chart)
        if str(after) == str(before):
            silent.append(path)
        rule, _ = rule_of(path, known)
        if rule.to and not rule.decided and not after.lost:
            try:
                value_at(after.values, key_of(rule.to))
            except LookupError:
                not_there.append(path)
        if after.lost:
            (problem,) = after.lost
            assert problem.path.startswith(rule.path) and problem.line, path
    assert (silent, not_there) == ([], [])


def test_a_running_quick_install_is_read(tmp_path):
    """Its ConfigMap and runtimes, as kubectl prints them, at every version."""
    for version in versions():
        folder = upstreamcharts.module(version) / "config"
        data = {key: json.dumps(each) for key, each in upstreamcharts.config(version).items()}
        listed = [
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "inferenceservice-config"},
                "data": data,
            }
        ]
        for name in ("sklearnserver", "lgbserver", "mlserver"):
            listed.append(yaml.safe_load((folder / "runtimes" / f"kserve-{name}.yaml").read_text()))
        file = tmp_path / f"{version}.json"
        file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": listed}))
        try:
            result = migrate(read([str(file)]).state)
        except GeneratorError as error:
            pytest.fail(f"{version}: {error}")
        assert {key for key, own in result.values["runtimes"].items() if own.get("enabled")} == {
            "lightgbm",
            "mlserver",
        }
        assert result.values["deploymentMode"] == "Knative"


@pytest.mark.parametrize("version", versions())
@pytest.mark.parametrize("by_helm", [True, False])
def test_upstreams_own_deployment_is_carried_whole(version, by_helm, tmp_path):
    """What its chart makes, and its manifests, with what an API server fills in."""
    if by_helm:
        argv = [str(tools.find("helm")), "template", "kserve"]
        text = process.run([*argv, str(upstreamcharts.chart(version, RESOURCES))])
    else:
        file = upstreamcharts.module(version) / "config" / "manager" / "manager.yaml"
        text = file.read_text("utf-8").replace(
            "ko://github.com/kserve/kserve/cmd/manager", "kserve/kserve-controller:latest"
        )
        text = text.replace("memory: 200Mi", "memory: 300Mi")  # As a patch of theirs has it.
    objects = [each for each in yaml.load_all(text, yaml.CSafeLoader) if each]
    (found,) = [
        each
        for each in objects
        if each["metadata"]["name"] == "kserve-controller-manager" and each["kind"] == "Deployment"
    ]
    pod = found["spec"]["template"]["spec"]
    pod |= {
        "dnsPolicy": "ClusterFirst",
        "restartPolicy": "Always",
        "serviceAccount": "kserve-controller-manager",
    }
    (manager,) = [each for each in pod["containers"] if each["name"] == "manager"]
    manager["terminationMessagePolicy"] = "File"
    file = tmp_path / "deployment.json"
    storage = [each for each in objects if each["kind"] == "ClusterStorageContainer"]
    if not by_helm:
        own = upstreamcharts.module(version) / "config" / "storagecontainers" / "default.yaml"
        storage = [yaml.safe_load(own.read_text("utf-8"))]
        storage[0]["spec"]["container"]["image"] = "kserve/storage-initializer:latest"
    assert len(storage) == 1
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": [found, *storage]}))
    result = migrate(read([str(file)]).state)
    assert (result.values, result.lost) == ({}, [])


# With what is off by default.
EVERYTHING = (
    "kserve.servingruntime.enabled=true",
    "kserve.controller.knativeAddressableResolver.enabled=true",
    "kserve.controller.gateway.ingressGateway.enableGatewayApi=true",
    "kserve.controller.gateway.ingressGateway.createGateway=true",
)


@pytest.mark.parametrize(("version", "chart"), CHARTS)
def test_every_object_of_upstreams_charts_is_known_to_the_commands(version, chart):
    """What the commands remove or take over, or leave for a reason, is all that the charts make."""
    argv = [
        str(tools.find("helm")),
        "template",
        "kserve",
        str(upstreamcharts.chart(version, chart)),
    ]
    rendered = process.run([*argv, *(f"--set={each}" for each in EVERYTHING)])
    known = {
        each.partition("/")[0].partition(".")[0] + each[each.index("/") :]
        for what in ("taken", "replaced", "certificates", "left")
        for each in upstream_objects(what)
    }
    runtimes = {catalog().runtimes[each.to].name for each in upstream_runtimes().values()}
    known |= {f"clusterservingruntime/{name}" for name in runtimes}
    objects = [each for each in yaml.load_all(rendered, yaml.CSafeLoader) if each]
    assert len(objects) > 10
    for each in objects:
        assert f"{each['kind'].lower()}/{each['metadata']['name']}" in known
