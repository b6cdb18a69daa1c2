"""`migrate` through the front door: what becomes of values and objects of upstream's KServe."""

import copy
import json
import os
import re
import subprocess
import sys

import pytest
import yaml

from generator import build
from generator.migration.reading import read
from generator.migration.result import migrate
from generator.release import Release
from generator.values.check import read as read_values
from tests.rendering import ROOT


def run(*arguments, given=None):
    return subprocess.run(
        [sys.executable, "-m", "generator", "migrate", *map(str, arguments)],
        cwd=ROOT, input=given, capture_output=True, text=True, check=False,
    )  # fmt: skip


def text_of(**kserve):
    return yaml.safe_dump({"kserve": kserve})


@pytest.fixture
def result(tmp_path):
    """The values that become of a text, with the result's own account of them."""

    def made(text, **how):
        file = tmp_path / "upstream.yaml"
        file.write_text(text)
        return migrate(read([str(file)], **how).state)

    return made


def gateway(**settings):
    mode = settings.pop("mode", "Standard")
    ingress = {
        key: settings.pop(key)
        for key in ("enableGatewayApi", "createGateway", "kserveGateway", "className")
        if key in settings
    }
    return text_of(
        controller={"deploymentMode": mode, "gateway": {**settings, "ingressGateway": ingress}}
    )


# What was set below kserve.controller.gateway; what our routing is then; what is not carried.
ROUTING = {
    "ingress": (
        gateway(domain="models.example.org", className="nginx"),
        {"domain": "models.example.org", "ingressClass": {"name": "nginx"}},
        [],
    ),
    "upstream's defaults in mode Standard": (
        gateway(),
        {"domain": "example.com", "ingressClass": {"name": "istio"}},
        [],
    ),
    "inside only": (gateway(domain="svc.cluster.local"), None, []),
    "GKE": (
        gateway(domain="a.example.org", className="gce"),
        {
            "domain": "a.example.org",
            "ingressAnnotations": {"kubernetes.io/ingress.class": "gce"},
            "ingressClass": {"create": False},
        },
        [],
    ),
    "the cluster's default class": (
        gateway(domain="a.example.org", className=""),
        {"domain": "a.example.org", "ingressClass": {"create": False}},
        [],
    ),
    "a Gateway that exists": (
        gateway(
            domain="a.example.org",
            additionalIngressDomains=["b.example.org", "a.example.org"],
            enableGatewayApi=True,
            kserveGateway="infra/shared",
            disableHTTPRouteTimeout=True,
            urlScheme="https",
        ),
        {
            "mode": "gatewayApi",
            "domain": "a.example.org",
            "additionalDomains": ["b.example.org"],
            "urlScheme": "https",
            "gateway": {"create": False, "name": "shared", "namespace": "infra"},
            "httpRouteTimeouts": False,
        },
        [],
    ),
    "upstream's own Gateway": (
        gateway(domain="a.example.org", enableGatewayApi=True, createGateway=True),
        {"mode": "gatewayApi", "domain": "a.example.org", "gateway": {"className": "envoy"}},
        [],
    ),
    "no Ingresses": (
        gateway(domain="a.example.org", disableIngressCreation=True, className="nginx"),
        {"mode": "none", "domain": "a.example.org"},
        ["ingressGateway.className"],
    ),
    "what Ingresses cannot": (
        gateway(
            domain="a.example.org",
            additionalIngressDomains=["b.example.org"],
            pathTemplate="/serving/{{ .Namespace }}/{{ .Name }}",
        ),
        {"domain": "a.example.org", "ingressClass": {"name": "istio"}},
        ["additionalIngressDomains", "pathTemplate"],
    ),
    "what no domain has": (
        gateway(
            domain="svc.cluster.local",
            additionalIngressDomains=["b.example.org"],
            pathTemplate="/serving/{{ .Namespace }}/{{ .Name }}",
        ),
        None,
        ["additionalIngressDomains", "pathTemplate"],
    ),
    "Knative": (
        gateway(
            mode="Serverless",
            domain="a.example.org",
            pathTemplate="/serving/{{ .Namespace }}/{{ .Name }}",
            additionalIngressDomains=["b.example.org"],
            localGateway={"gateway": "istio-system/local"},
        ),
        {
            "domain": "a.example.org",
            "additionalDomains": ["b.example.org"],
            "pathTemplate": "/serving/{{ .Namespace }}/{{ .Name }}",
            "knative": {"localGateway": "istio-system/local"},
        },
        [],
    ),
    "Knative, by upstream's defaults": (gateway(mode="Knative"), None, []),
}


@pytest.mark.parametrize("case", ROUTING)
def test_routes_stay_what_they_were(case, result, tmp_path):
    text, routing, lost = ROUTING[case]
    found = result(text)
    assert found.values.get("routing") == routing
    paths = [problem.path.removeprefix("kserve.controller.gateway.") for problem in found.lost]
    assert paths == lost
    ours = tmp_path / "ours.yaml"
    ours.write_text(str(found))
    build.validate(read_values([ours]), Release("kserve-lite", "kserve", "default"))


def test_a_file_as_people_have_it():
    given = """\
USER-SUPPLIED VALUES:
kserve:
  controller:
    deploymentMode: RawDeployment
    replicaz: 2
    image: registry.example.com/mirror/kserve-controller
    tag: v0.19.0
    rbacProxyImage: registry.example.com/proxy:1
    gateway: {domain: models.example.org}
  storage:
    s3: {useHttps: "0", endpoint: "http://minio:9000"}
"""
    done = run("-", given=given)
    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        "not carried: standard input:5:5: kserve.controller.replicaz: kserve-resources has no such value",
        "not carried: standard input:8:5: kserve.controller.rbacProxyImage: there is no kube-rbac-proxy in kserve-lite",
        "not carried: standard input:11:25: kserve.storage.s3.endpoint: storage.s3.endpoint takes no such "
        'value: "http://minio:9000" is not a host such as minio.storage.svc:9000; leave out http://',
    ]
    assert yaml.safe_load(done.stdout) == {
        "routing": {"domain": "models.example.org", "ingressClass": {"name": "istio"}},
        "storage": {
            "secretNameAnnotation": "serving.kserve.io/secretName",
            "s3": {"useHttps": False},
        },
        "controller": {
            "image": {"registry": "registry.example.com", "repository": "mirror/kserve-controller"}
        },
    }
    for comment in (
        "RawDeployment is what KServe calls Standard now",
        "v0.19.0 is a version of KServe, and kserve-lite runs v0.20.0",
        "Not carried: kserve.controller.rbacProxyImage:",
        "    # Upstream's default; the IngressClass is in the cluster already.\n    name: istio\n",
        "  # Upstream's default; kserve-lite's is serving.kserve.io/storageSecretName.\n"
        "  secretNameAnnotation: serving.kserve.io/secretName\n",
    ):
        assert comment in done.stdout.replace("\n# ", " ") or comment in done.stdout

    strict = run("-", "--strict", given=given)
    assert (strict.returncode, strict.stdout) == (1, done.stdout)
    as_data = json.loads(run("-", "--problems=json", given=given).stderr)
    assert [(each["severity"], each["line"]) for each in as_data] == [
        ("warning", 5),
        ("warning", 8),
        ("warning", 11),
    ]


def test_strict_takes_what_is_carried_whole():
    given = gateway(domain="a.example.org", className="nginx")
    done = run("-", "--strict", given=given)
    assert (done.returncode, done.stderr) == (0, "")


ONE = text_of(servingruntime={"enabled": True, "tritonserver": {"disabled": True}})


def test_two_charts_become_one_file(tmp_path):
    (tmp_path / "resources.yaml").write_text(gateway(domain="a.example.org", className="nginx"))
    (tmp_path / "runtimes.yaml").write_text(ONE)
    done = run(tmp_path / "resources.yaml", tmp_path / "runtimes.yaml")
    values = yaml.safe_load(done.stdout)
    assert (done.stderr, values["routing"]["domain"]) == ("", "a.example.org")
    assert values["runtimes"]["mlserver"] == {"enabled": True, "image": {"tag": "1.5.0"}}
    assert values["runtimes"]["vllm"] == {"enabled": True, "image": {"tag": "latest"}}
    assert "triton" not in values["runtimes"]
    assert "sklearn" not in values["runtimes"]


def enabled(found):
    return {name for name, own in found.values["runtimes"].items() if own.get("enabled")}


def test_a_version_has_the_runtimes_that_it_had(result):
    later = {"predictive", "autogluon", "vllm"}
    assert later <= enabled(result(ONE, version="0.20"))
    assert not later & enabled(result(text_of(version="v0.16.0", controller={"tolerations": []})))
    assert enabled(result(ONE, version="0.17")) & later == {"predictive"}


def test_the_chart_is_told_by_the_keys_and_else_by_the_user():
    old = text_of(servingruntime={"sklearnserver": {"tag": "v9"}})
    done = run("-", given=old)
    assert "standard input:1:1: read as values of kserve-resources 0.16" in done.stderr
    assert yaml.safe_load(done.stdout)["runtimes"]["sklearn"] == {"image": {"tag": "v9"}}
    newer = run("-", "--from=0.19", given=old)
    assert (newer.stderr, yaml.safe_load(newer.stdout)["runtimes"]) == (
        "",
        {"sklearn": {"enabled": False, "image": {"tag": "v9"}}},
    )
    either = text_of(security={"autoMountServiceAccountToken": False})
    done = run("-", given=either)
    assert "standard input:1:1: read as values of kserve-resources" in done.stderr
    assert yaml.safe_load(done.stdout)["inference"] == {"automountServiceAccountToken": False}
    done = run("-", "--chart=kserve-runtime-configs", "--from=0.20", given=either)
    assert "reads it nowhere" in done.stderr


def test_a_version_that_nobody_could_get_is_named():
    done = run("-", "--from=0.18", given=gateway())
    assert done.returncode == 0
    assert done.stderr == (
        "not compared: KServe 0.18: its charts were not compared; their values are read as those of 0.19\n"
    )
    for said, nearest in (("v0.15.2", "0.16"), ("v0.21.0", "0.20")):
        done = run("-", given=text_of(version=said, controller={"deploymentMode": "Standard"}))
        assert f"are read as those of {nearest}\n" in done.stderr


# Of another kind than upstream's: what is given below `kserve`.
STRANGE = [
    {"controller": {"gateway": {"additionalIngressDomains": "a.example.org"}}},
    {"controller": {"gateway": {"domain": ["a"]}, "imagePullSecrets": {"name": "a"}}},
    {"controller": {"image": {"repository": "a"}, "tolerations": "none", "nodeSelector": ["a"]}},
    {"controller": {"resources": "small", "metricsBindPort": "http"}},
    {"version": "latest", "storage": {"uidModelcar": "root", "s3": {"useHttps": "maybe"}}},
    {"router": {"imagePullSecrets": "a", "tag": 5}, "servingruntime": {"enabled": "yes"}},
    {"controller": None, "storage": "none", "agent": ["a"]},
]


@pytest.mark.parametrize("kserve", STRANGE, ids=str)
def test_values_of_another_kind_are_named(kserve, result):
    found = result(text_of(**kserve), chart="kserve-resources", version="0.20")
    assert found.lost or kserve.get("controller", 0) is None
    assert all(problem.line for problem in found.lost)


# By upstream's version: nulls in values, and what is said of them.
NULLS = {
    "a boolean": (
        "0.20",
        {"storage": {"containerSecurityContext": {"runAsNonRoot": None}}},
        "storage.containerSecurityContext.runAsNonRoot: null takes upstream's default away, true; "
        "see storage.initializer.securityContext.runAsNonRoot",
    ),
    "a limit": (
        "0.16",
        {"controller": {"resources": {"limits": {"cpu": None}}}},
        "controller.resources.limits.cpu: null takes upstream's default away, 100m; "
        "see controller.resources.limits.cpu",
    ),
    "all of a value": (
        "0.20",
        {"controller": {"resources": None}},
        "controller.resources: null takes upstream's default away; see controller.resources",
    ),
    "what is decided with others": (
        "0.20",
        {"controller": {"gateway": {"domain": None}}},
        "controller.gateway.domain: null takes upstream's default away, example.com",
    ),
    "a branch": (
        "0.20",
        {"storage": None},
        "storage: null takes all of upstream's defaults below it away",
    ),
    "in what is not carried anyway": (
        "0.20",
        {"controller": {"rbacProxy": {"resources": {"limits": {"cpu": None}}}}},
        "controller.rbacProxy.resources: there is no kube-rbac-proxy in kserve-lite",
    ),
    "where there was nothing": (
        "0.20",
        {"controller": {"nodeSelector": None, "resources": {"limits": {"a": None}}, "tag": None}},
        "",
    ),
}


@pytest.mark.parametrize("what", NULLS)
def test_a_null_that_takes_a_default_away_is_named(what, result):
    version, kserve, said = NULLS[what]
    found = result(text_of(**kserve), version=version, chart="kserve-resources")
    assert [f"{each.path}: {each.message}" for each in found.lost] == [f"kserve.{said}"] * bool(
        said
    )
    assert all(each.line > 1 for each in found.lost)
    done = run("-", "--strict", f"--from={version}", given=text_of(**kserve))
    assert done.returncode == bool(said)
    assert done.stderr.count("not carried:") == bool(said)


def test_one_list_and_one_policy_for_all_images(result):
    found = result(
        text_of(
            controller={"imagePullSecrets": [{"name": "a"}], "imagePullPolicy": "Never"},
            router={"imagePullSecrets": ["a", "b"], "imagePullPolicy": "Never"},
        )
    )
    assert found.values["global"] == {"imagePullSecrets": ["a", "b"], "imagePullPolicy": "Never"}
    found = result(
        text_of(controller={"imagePullPolicy": "Never"}, router={"imagePullPolicy": "Always"})
    )
    assert [problem.path.rpartition(".")[2] for problem in found.lost] == ["imagePullPolicy"] * 2


CONFIG = {
    "deploy": {
        "defaultDeploymentMode": "RawDeployment",
        "deploymentRolloutStrategy": {"defaultRollout": {"maxSurge": "1%", "maxUnavailable": "2%"}},
    },
    "ingress": {"ingressDomain": "a.example.org", "ingressClassName": "nginx", "newKey": {"a": 1}},
    "agent": {"image": "quay.io/ours/agent:v1@sha256:" + "0" * 64, "cpuLimit": "2"},
    "logger": {"image": "kserve/agent:v0.20.0", "cpuLimit": "3"},
    "router": {"headers": {"propagate": ["Authorization"]}, "imagePullSecrets": ["a"]},
    "localModel": {"enabled": True},
}


def listed(*objects):
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})


def named(kind, name, api="v1", **more):
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name}, **more}


def config_map(**data):
    return named("ConfigMap", "inferenceservice-config", data=data)


def test_the_objects_of_a_quick_install():
    runtime = {
        "disabled": False,
        "supportedModelFormats": [{"name": "mine", "version": "1", "autoSelect": True}],
        "containers": [{"name": "kserve-container", "image": "registry.example.com/mine:1"}],
    }
    pod = {
        "nodeSelector": {"pool": "system"},
        "containers": [
            {"name": "kube-rbac-proxy", "image": "quay.io/brancz/kube-rbac-proxy:v0.18.0"},
            {
                "name": "manager",
                "image": "kserve/kserve-controller:v0.20.0",
                "resources": {"limits": {"memory": "1Gi"}},
            },
        ],
    }
    done = run(
        "-",
        given=listed(
            config_map(
                _example="not: json", **{key: json.dumps(own) for key, own in CONFIG.items()}
            ),
            named("ClusterServingRuntime", "mine", "serving.kserve.io/v1alpha1", spec=runtime),
            named(
                "Deployment",
                "kserve-controller-manager",
                "apps/v1",
                spec={"replicas": 2, "template": {"spec": pod}},
            ),
            named("Secret", "of-no-interest"),
        ),
    )
    assert done.returncode == 0, done.stderr
    assert yaml.safe_load(done.stdout) == {
        "global": {"imagePullSecrets": ["a"]},
        "routing": {"domain": "a.example.org", "ingressClass": {"name": "nginx"}},
        "runtimes": {"sklearn": {"enabled": False}},
        "customRuntimes": {"mine": {"spec": runtime}},
        "storage": {"secretNameAnnotation": "serving.kserve.io/secretName"},
        "inference": {
            "rollout": {"maxSurge": "1%", "maxUnavailable": "2%"},
            "agent": {
                "image": {
                    "registry": "quay.io",
                    "repository": "ours/agent",
                    "tag": "v1",
                    "digest": f"sha256:{'0' * 64}",
                },
                "resources": {"limits": {"cpu": "2"}},
            },
            "router": {"propagateHeaders": ["Authorization"]},
        },
        "controller": {
            "replicas": 2,
            "resources": {"limits": {"memory": "1Gi"}},
            "nodeSelector": {"pool": "system"},
        },
        "configOverrides": {"ingress": {"newKey": {"a": 1}}},
    }
    said = "\n".join(done.stderr.splitlines())
    for words in (
        "data.localModel: enabled: the model cache is another component",
        "data.logger: cpuLimit: KServe gives the agent the resources of its key agent",
        "data.logger: image: KServe injects the image of its key agent",
    ):
        assert words in said
    assert "  # kserve-lite has no value for it.\n" in done.stdout


def test_what_was_changed_at_the_controller_is_carried_or_named():
    manager = {
        "name": "manager",
        "image": "kserve/kserve-controller:v0.20.0",
        "imagePullPolicy": "Never",
        "args": [
            "--metrics-addr=0.0.0.0:9090",
            "-zap-log-level",
            "debug",
            "--new=1",
            "--leader-elect",
        ],
        "env": [
            {"name": "SECRET_NAME", "value": "kserve-webhook-server-cert"},
            {"name": "HTTPS_PROXY", "value": "http://proxy:3128"},
            {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
        ],
        "livenessProbe": {"httpGet": {"path": "/other", "port": 8081}},
        "volumeMounts": [{"name": "more", "mountPath": "/more"}],
    }
    pod = {
        "containers": [manager, {"name": "kube-rbac-proxy"}, {"name": "mine", "image": "a"}],
        "hostNetwork": True,
        "imagePullSecrets": [{"name": "pull"}],
        "priorityClassName": "system-cluster-critical",
        "securityContext": {"runAsNonRoot": True, "fsGroup": 5},
        "terminationGracePeriodSeconds": 60,
        "dnsPolicy": "ClusterFirst",
    }
    storage = {
        "container": {
            "name": "storage-initializer",
            "image": "kserve/storage-initializer:v0.20.0",
            "env": [{"name": "HTTPS_PROXY", "value": "http://proxy:3128"}],
            "resources": {"limits": {"memory": "8Gi"}},
            "volumeMounts": [{"name": "more", "mountPath": "/more"}],
        },
        "supportedUriFormats": [{"prefix": "mine://"}],
    }
    changed = deployment(**pod)
    # These are not read, which docs/migrate.md says.
    changed["metadata"] |= {"labels": {"a": "b"}, "annotations": {"a": "b"}}
    changed["spec"]["template"]["metadata"] = {"labels": {"a": "b"}, "annotations": {"a": "b"}}
    changed["spec"]["strategy"] = {"type": "Recreate"}
    done = run(
        "-",
        given=listed(
            changed,
            named("ClusterStorageContainer", "default", "serving.kserve.io/v1alpha1", spec=storage),
        ),
    )
    assert yaml.safe_load(done.stdout) == {
        "global": {"imagePullPolicy": "Never", "imagePullSecrets": ["pull"]},
        "storage": {
            "initializer": {
                "env": {"HTTPS_PROXY": "http://proxy:3128"},
                "resources": {"limits": {"memory": "8Gi"}},
            }
        },
        "controller": {
            "logging": {"level": "debug"},
            "extraArgs": ["--new=1"],
            "extraEnv": {
                "HTTPS_PROXY": "http://proxy:3128",
                "NODE": {"valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
            },
            "podSecurityContext": {"fsGroup": 5},
            "priorityClassName": "system-cluster-critical",
            "terminationGracePeriodSeconds": 60,
        },
    }
    named_paths = [line.split(": ")[2] for line in done.stderr.splitlines()]
    assert sorted(named_paths) == [
        "items[0].spec.template.spec",
        "items[0].spec.template.spec.containers[0].livenessProbe",
        "items[0].spec.template.spec.containers[0].volumeMounts",
        "items[0].spec.template.spec.containers[2]",
        "items[0].spec.template.spec.hostNetwork",
        "items[1].spec.container.volumeMounts",
        "items[1].spec.supportedUriFormats",
    ]
    assert "kserve-lite sets this argument; see observability.metrics" in done.stderr


@pytest.mark.parametrize("version", ["v0.20.0", "v0.17.0"])
def test_the_images_of_a_version_are_no_settings(version):
    manager = {"name": "manager", "image": f"kserve/kserve-controller:{version}"}
    server = {"name": "kserve-container", "image": f"kserve/sklearnserver:{version}"}
    storage = {"image": f"kserve/storage-initializer:{version}", "ociModelMode": ""}
    done = run(
        "-",
        given=listed(
            config_map(
                storageInitializer=json.dumps(storage),
                deploy='{"defaultDeploymentMode": "Standard"}',
            ),
            named(
                "Deployment",
                "kserve-controller-manager",
                "apps/v1",
                spec={"template": {"spec": {"containers": [manager]}}},
            ),
            {**SKLEARN, "spec": {"containers": [server]}},
        ),
    )
    values = yaml.safe_load(done.stdout)
    assert "runtimes" not in values
    assert values["storage"] == {"secretNameAnnotation": "serving.kserve.io/secretName"}
    assert "kserve-sklearnserver differs from kserve-lite's in " in done.stderr


def test_a_key_that_kserve_does_not_have_stops_nothing():
    config = config_map(
        teamNotes="owner: ml platform", deploy='{"defaultDeploymentMode": "Standard"}'
    )
    done = run("-", given=listed(config))
    assert done.returncode == 0
    assert yaml.safe_load(done.stdout)["storage"]
    remark = "teamNotes: KServe has no such key; keep it in a ConfigMap of your own"
    assert f"# Not carried: items[0].data.{remark}." in done.stdout
    assert f"data.{remark}" in done.stderr
    assert run("-", "--strict", given=listed(config)).returncode == 1


@pytest.mark.parametrize(
    "key", ["deploy", "logger", "scheduler", "autoscaling-wva-controller-config"]
)
def test_a_key_that_kserve_reads_as_json_has_to_be_json(key):
    """Every one that v0.20.0 looks for: KServe itself stops at it."""
    done = run("-", given=listed(config_map(**{key: "owner: ml platform"})))
    assert (done.returncode, done.stdout) == (1, "")
    assert f"data.{key}: is not JSON, which KServe wants there" in done.stderr


# Of another kind than KServe's: the JSON of a key of the ConfigMap, and what is said of it.
STRANGE_CONFIG = {
    '{"additionalIngressDomains": [{"a": 1}]}': "ingress: additionalIngressDomains: KServe wants a list of texts here",
    '{"additionalIngressDomains": "a.example.org"}': "ingress: additionalIngressDomains: KServe wants a list of texts here",
    '{"ingressDomain": ["a"]}': "ingress: ingressDomain: KServe wants text, a number, true or false here",
    '{"defaultDeploymentMode": {"a": 1}}': "deploy: defaultDeploymentMode: KServe wants text, a number, true or false here",
    '{"imagePullSecrets": [{"a": 1}]}': "router: imagePullSecrets: KServe wants a list of names here",
}  # fmt: skip


@pytest.mark.parametrize("text", STRANGE_CONFIG)
def test_settings_of_another_kind_in_the_config_are_named(text):
    said = STRANGE_CONFIG[text]
    done = run("-", "--strict", given=yaml.safe_dump(config_map(**{said.partition(":")[0]: text})))
    assert (done.returncode, bool(done.stdout)) == (1, True)
    assert done.stderr == f"not carried: standard input:3:3: data.{said}\n"


WRONG = {
    "no JSON": (listed(config_map(ingress="{")), "data.ingress: is not JSON"),
    "a list": ("- a\n", "1:1: is no mapping; values of a chart are one"),
    "text": ("hello\n", "1:1: is no mapping"),
    "nothing": ("\n", "ends without a value"),
    "null": ("null\n", "is empty, and says of no chart; name it with --chart"),
    "no YAML": ("a: [\n", "not valid YAML"),
    "two files in one": ("kserve: {}\n---\nkserve: {}\n", "a second document begins here"),
    "a name that is a number": (
        "kind: A\napiVersion: v1\nmetadata: {name: 5}\n",
        "3:12: metadata.name: is read as the number 5; quote it",
    ),
    "a kind that is a boolean": (
        "kind: true\napiVersion: v1\nmetadata: {name: a}\n",
        "1:1: kind: is read as the boolean true; quote it",
    ),
    "objects and something": (
        "kind: A\napiVersion: v1\nmetadata: {name: a}\n---\na: 1\n",
        "it does not say apiVersion, kind and metadata.name",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_said_with_its_line(what):
    text, message = WRONG[what]
    done = run("-", given=text)
    assert (done.returncode, done.stdout) == (1, "")
    assert message in done.stderr
    assert done.stderr.startswith("standard input:")


def test_no_values_at_all_are_upstreams_defaults():
    done = run("-", "--chart=kserve-resources", "--from=0.20", given="null\n")
    assert yaml.safe_load(done.stdout)["deploymentMode"] == "Knative"
    assert run("-", "--chart=kserve-crd", given="{}\n").stdout.endswith("\n{}\n")


PAGE = (ROOT / "docs" / "migrate.md").read_text()


def test_the_pages_example_is_what_is_printed():
    given, printed = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    done = run("-", given=given)
    assert done.stdout.endswith(f"\n{printed}")
    assert "not carried: standard input:4:5: kserve.controller.rbacProxyImage" in done.stderr


def inference_service(name, *, ready=True, mode=None, **spec):
    predictor = {"model": {"modelFormat": {"name": "sklearn"}, "runtime": "kserve-sklearnserver"}}
    made = named("InferenceService", name, "serving.kserve.io/v1beta1")
    made["metadata"]["namespace"] = "team"
    made["spec"] = {"predictor": spec or predictor}
    made["status"] = {"conditions": [{"type": "Ready", "status": str(ready)}]}
    if mode:
        made["metadata"]["annotations"] = {"serving.kserve.io/deploymentMode": mode}
    return made


def of_release(release, made):
    own = {"meta.helm.sh/release-name": release, "meta.helm.sh/release-namespace": "kserve"}
    made["metadata"]["annotations"] = own
    return made


def commands(tmp_path, *objects, values="{}\n", more=()):
    ours = tmp_path / "my values.yaml"
    ours.write_text(values)
    done = run("-", "--commands", ours, *more, given=listed(*objects))
    return done, done.stdout.replace(str(tmp_path), "")


MANAGER = {"name": "manager", "image": "kserve/kserve-controller:v0.20.0"}
CONTROLLER = named(
    "Deployment",
    "kserve-controller-manager",
    "apps/v1",
    spec={"template": {"spec": {"containers": [MANAGER]}}},
)
SKLEARN = named(
    "ClusterServingRuntime",
    "kserve-sklearnserver",
    "serving.kserve.io/v1alpha1",
    spec={"containers": [{"name": "kserve-container", "image": "kserve/sklearnserver:v0.20.0"}]},
)


def test_the_commands_of_an_install_by_helm(tmp_path):
    done, text = commands(
        tmp_path,
        of_release("kserve", config_map(deploy='{"defaultDeploymentMode": "RawDeployment"}')),
        of_release("runtimes", copy.deepcopy(SKLEARN)),
        CONTROLLER,
        inference_service("ready"),
        inference_service("other", containers=[{"image": "registry.example.com/a:1"}]),
        inference_service("late", ready=False),
        inference_service("serverless", mode="Serverless"),
        named("InferenceGraph", "graph", "serving.kserve.io/v1alpha1"),
    )
    assert done.returncode == 0
    assert done.stderr == (
        "not adoptable: InferenceService team/serverless runs on Knative; serve it in mode Standard first\n"
    )
    records = "-n kserve -l 'owner=helm,name in (kserve,kserve-crd,runtimes)'"
    for line in (
        "# Not adoptable, since they run on Knative: team/serverless.",
        "kubectl annotate inferenceservice ready -n team serving.kserve.io/disable-auto-update=true --overwrite",
        "# team/late is not Ready, and cannot be held.",
        "# Graph default/graph cannot be held; step 6 replaces its router, pod by pod.",
        f"kubectl get secrets {records} -o yaml > kserve-releases.yaml",
        f"kubectl delete secrets {records}",
        "kubectl replace -f charts/kserve-lite/crds",
        "  clusterservingruntime/kserve-sklearnserver \\",
        "helm install kserve-lite charts/kserve-lite -n kserve -f '/my values.yaml' --take-ownership "
        "--force-conflicts --wait",
        "# team/other does not restart.",
    ):
        assert line in text.splitlines(), line
    assert "disable-auto-update=true" not in re.findall(r"^.* late .*$", text, re.MULTILINE)[0]
    (why,) = re.findall(r"^# team/ready restarts, by a rolling update: (.*)$", text, re.MULTILINE)
    assert why.startswith("its runtime kserve-sklearnserver differs: ")
    assert why.count("serverless") == 0


def test_the_commands_differ_by_what_is_there(tmp_path):
    config = config_map(deploy='{"defaultDeploymentMode": "Standard"}')
    old = copy.deepcopy(CONTROLLER)
    old["spec"]["template"]["spec"]["containers"][0]["image"] = "kserve/kserve-controller:v0.17.0"
    done, text = commands(
        tmp_path,
        config,
        old,
        inference_service("ready"),
        more=("--helm=3", "--release=mine", "-n", "ml"),
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (
        "helm install mine charts/kserve-lite -n ml -f '/my values.yaml' --take-ownership --wait"
        in text
    )
    assert "No release of Helm to forget" in text
    assert "owner=helm" not in text
    assert (
        "the runtime kserve-sklearnserver was not given, and may differ; KServe v0.17.0 may" in text
    )


def test_a_model_that_was_held_before_stays_held(tmp_path):
    """KServe looks for the word true, and for no other."""
    objects = [config_map(), CONTROLLER]
    for name, ready, word in (
        ("on", True, "true"),
        ("off", True, "false"),
        ("late", False, "true"),
    ):
        made = inference_service(name, ready=ready, mode="Standard")
        made["metadata"]["annotations"]["serving.kserve.io/disable-auto-update"] = word
        objects.append(made)
    done, text = commands(tmp_path, *objects)
    assert (done.returncode, done.stderr) == (0, "")
    hold, release = text[text.index("# 1.") :].split("# 2.")[0], text.split("# 7.")[1]
    annotate = (
        "kubectl annotate inferenceservice {} -n team serving.kserve.io/disable-auto-update{}"
    )
    assert hold.splitlines()[1:] == [
        "# team/late is not Ready, and cannot be held.",
        annotate.format("off", "=true --overwrite"),
        "# team/on has it already.",
        "",
    ]
    kept = "# It had the annotation before, and keeps it. To let it go all the same:"
    why = "may restart, by a rolling update: the runtime kserve-sklearnserver was not given, and may differ."
    assert release.splitlines()[1:] == [
        f"# team/late {why}",
        kept,
        f"# {annotate.format('late', '-')}",
        f"# team/off {why}",
        annotate.format("off", "-"),
        f"# team/on {why}",
        kept,
        f"# {annotate.format('on', '-')}",
    ]


@pytest.mark.parametrize("name", ["a; rm -rf x", "a\nkubectl delete ns a"])
def test_no_name_becomes_a_command(tmp_path, name):
    done, text = commands(tmp_path, config_map(), inference_service(name))
    assert (done.returncode, text) == (1, "")
    assert "is not a name that Kubernetes takes" in done.stderr


def test_without_its_config_no_install_is_adopted(tmp_path):
    done, text = commands(tmp_path, inference_service("ready"))
    assert (done.returncode, text) == (1, "")
    assert "--commands needs the ConfigMap inferenceservice-config" in done.stderr
    assert run("-", "--commands", "-", given="a: 1").returncode == 2


def test_strict_does_not_take_a_model_on_knative(tmp_path):
    on = inference_service("m", mode="Knative")
    done, text = commands(tmp_path, config_map(), on, more=("--strict",))
    assert (done.returncode, "# 7." in text) == (1, True)


CONFIG_MAP = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "inferenceservice-config", "namespace": "kserve"},
}


def test_a_dot_in_a_key_of_the_config_parts_nothing():
    data = {"ingress": '{"foo.bar": "x", "a[b": {"c": 1}}', "my.key": '{"d": 2}'}
    done = run("-", given=yaml.safe_dump({**CONFIG_MAP, "data": data}))
    assert done.returncode == 0, done.stderr
    assert yaml.safe_load(done.stdout)["configOverrides"] == {
        "ingress": {"foo.bar": "x", "a[b": {"c": 1}},
        "my.key": {"d": 2},
    }


def deployment(**pod):
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "kserve-controller-manager", "namespace": "kserve"},
        "spec": {"template": {"spec": pod.get("spec", pod)}},
    }


ODD = {
    "domains": {"kserve": {"controller": {"gateway": {"domain": "x.y", "additionalIngressDomains": [{"a": "b"}]}}}},
    "a pod that is a text": deployment(spec="foo"),
    "containers that are a number": deployment(containers=5),
    "a config twice": {"apiVersion": "v1", "kind": "List", "items": [{**CONFIG_MAP, "data": {"foo": "5"}}, {**CONFIG_MAP, "data": {"foo": '{"bar": 1}'}}]},
    "a deep config": {**CONFIG_MAP, "data": {"foo": '{"a":' * 100 + "1" + "}" * 100}},
    "a bottomless config": {**CONFIG_MAP, "data": {"foo": "[" * 20_000 + "]" * 20_000}},
}  # fmt: skip


@pytest.mark.parametrize("what", ODD)
def test_what_no_cluster_has_is_no_mistake_of_ours(what):
    done = run("-", given=json.dumps(ODD[what]))
    assert "a mistake in kserve-lite" not in done.stderr
    assert done.returncode in (0, 1)
    if what == "a config twice":
        assert "is inferenceservice-config once more; leave one of them out" in done.stderr
    if what == "domains":
        assert "upstream's chart wants a list of texts here" in done.stderr


def test_odd_objects_are_no_mistake_of_ours_when_they_are_adopted(tmp_path):
    values = tmp_path / "my.yaml"
    values.write_text("{}\n")
    model = {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": "iris", "namespace": "default"},
        "spec": {"predictor": {"model": {"modelFormat": {"name": "sklearn"}}}},
        "status": {"conditions": 5},
    }
    released = {
        **CONFIG_MAP,
        "metadata": {**CONFIG_MAP["metadata"], "annotations": {"meta.helm.sh/release-name": 5}},
    }
    items = [released, deployment(containers=[{"name": "manager"}]), model]
    given = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    done = run("-", "--commands", values, given=given)
    assert "a mistake in kserve-lite" not in done.stderr
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    done = run("-", "--commands", pipe, given=given)
    assert done.returncode == 2
    assert "--commands takes a file" in done.stderr
