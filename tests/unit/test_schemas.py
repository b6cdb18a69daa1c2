"""The committed JSON schemas: small, offline, strict; and the functions that make them so."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from codegen.compact import bundle, close
from generator import tools

FOLDER = Path(__file__).parents[2] / "generator" / "data" / "schemas"
LOCATION = f"{FOLDER}/{{{{.Group}}}}/{{{{.ResourceKind}}}}_{{{{.ResourceAPIVersion}}}}.json"
KINDS = sorted(FOLDER.glob("*/*.json"))

# A good object of each kind that the charts render or that stands beside them. A field in <> is
# misspelt for the test that it is refused.
OBJECTS = """
v1 ConfigMap: {data: {a: b}, <binaryData>: {}}
v1 Namespace: {metadata: {name: a, <labels>: {}}}
v1 Secret: {<stringData>: {a: b}}
v1 Service: {spec: {ports: [{port: 80, <targetPort>: http}], selector: {a: b}}}
v1 ServiceAccount: {<imagePullSecrets>: [{name: a}]}
apps/v1 Deployment: {spec: {selector: {}, template: {spec: {containers: [{name: a, <securityContext>: {}, resources: {limits: {cpu: 0.5}}}]}}}}
batch/v1 Job: {spec: {<backoffLimit>: 6, template: {spec: {restartPolicy: OnFailure, containers: [{name: a}]}}}}
policy/v1 PodDisruptionBudget: {spec: {<maxUnavailable>: 1}}
rbac.authorization.k8s.io/v1 ClusterRole: {rules: [{apiGroups: [""], resources: [pods], <verbs>: [get]}]}
rbac.authorization.k8s.io/v1 RoleBinding: {roleRef: {apiGroup: a, kind: Role, name: a}, <subjects>: []}
networking.k8s.io/v1 IngressClass: {spec: {<controller>: istio.io/ingress-controller}}
networking.k8s.io/v1 NetworkPolicy: {spec: {podSelector: {}, <ingress>: [{ports: [{port: 9443}]}]}}
admissionregistration.k8s.io/v1 MutatingWebhookConfiguration: {webhooks: [{name: a.b.c, admissionReviewVersions: [v1], sideEffects: None, clientConfig: {}, <timeoutSeconds>: 10}]}
admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration: {webhooks: [{name: a.b.c, admissionReviewVersions: [v1], sideEffects: None, clientConfig: {<caBundle>: ""}}]}
apiextensions.k8s.io/v1 CustomResourceDefinition: {spec: {group: a, names: {kind: A, plural: as}, scope: Cluster, versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, properties: {a: {type: array, items: {<nullable>: true}}}}}}]}}
serving.kserve.io/v1beta1 InferenceService: {spec: {predictor: {model: {modelFormat: {name: sklearn}, storageUri: "gs://a", resources: {limits: {cpu: "1", memory: 2Gi}}, securityContext: {<runAsNonRoot>: true}}}}}
serving.kserve.io/v1alpha1 InferenceGraph: {spec: {nodes: {root: {routerType: Sequence, steps: [{<serviceName>: a}]}}}}
serving.kserve.io/v1alpha1 TrainedModel: {spec: {<inferenceService>: a, model: {framework: sklearn, memory: 1Gi, storageUri: "gs://a"}}}
serving.kserve.io/v1alpha1 ServingRuntime: {spec: {containers: [{name: a, livenessProbe: {httpGet: {path: /, <port>: 8080}}}]}}
serving.kserve.io/v1alpha1 ClusterServingRuntime: {spec: {containers: [{name: a}], affinity: {<nodeAffinity>: {}}, supportedModelFormats: [{name: a, autoSelect: true, priority: 1}]}}
serving.kserve.io/v1alpha1 ClusterStorageContainer: {spec: {container: {name: a, image: b}, supportedUriFormats: [{<prefix>: "s3://"}]}}
networking.istio.io/v1 Gateway: {spec: {selector: {istio: ingress}, servers: [{port: {number: 443, name: https, protocol: HTTPS}, hosts: ["*"], tls: {mode: SIMPLE, <credentialName>: a}}]}}
networking.istio.io/v1 VirtualService: {spec: {gateways: [a], hosts: [a.b], http: [{<rewrite>: {uri: /}, match: [{uri: {prefix: /}}], route: [{destination: {host: a, port: {number: 80}}}]}]}}
networking.istio.io/v1 DestinationRule: {spec: {host: a, trafficPolicy: {tls: {<mode>: DISABLE}}}}
networking.istio.io/v1beta1 ServiceEntry: {spec: {hosts: [a.b], <resolution>: DNS}}
security.istio.io/v1 AuthorizationPolicy: {spec: {rules: [{from: [{source: {<namespaces>: [a]}}]}]}}
security.istio.io/v1 PeerAuthentication: {spec: {mtls: {<mode>: STRICT}}}
gateway.networking.k8s.io/v1 GatewayClass: {spec: {<controllerName>: istio.io/gateway-controller}}
gateway.networking.k8s.io/v1 Gateway: {spec: {gatewayClassName: istio, listeners: [{name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {<from>: All}}}]}}
gateway.networking.k8s.io/v1 HTTPRoute: {spec: {<hostnames>: [a.b], rules: [{backendRefs: [{name: a, port: 80}]}]}}
gateway.networking.k8s.io/v1 GRPCRoute: {spec: {rules: [{<matches>: []}]}}
gateway.networking.k8s.io/v1beta1 ReferenceGrant: {spec: {from: [{group: a, kind: b, <namespace>: c}], to: [{group: "", kind: Service}]}}
cert-manager.io/v1 Certificate: {spec: {secretName: a, issuerRef: {name: a}, dnsNames: [a.b], <renewBefore>: 1h}}
cert-manager.io/v1 Issuer: {spec: {<selfSigned>: {}}}
cert-manager.io/v1 ClusterIssuer: {spec: {ca: {<secretName>: a}}}
monitoring.coreos.com/v1 ServiceMonitor: {spec: {selector: {}, endpoints: [{<scrapeTimeout>: 10s}]}}
monitoring.coreos.com/v1 PodMonitor: {spec: {selector: {}, podMetricsEndpoints: [{<port>: metrics}]}}
monitoring.coreos.com/v1 PrometheusRule: {spec: {groups: [{name: a, rules: [{alert: a, expr: up == 0, <for>: 1m}]}]}}
external-secrets.io/v1 ExternalSecret: {spec: {<refreshInterval>: 1h}}
keda.sh/v1alpha1 ScaledObject: {spec: {scaleTargetRef: {name: a}, triggers: [{type: cron, <metadata>: {}}]}}
argoproj.io/v1alpha1 Application: {spec: {project: default, destination: {}, <source>: {repoURL: a}}}
helm.toolkit.fluxcd.io/v2 HelmRelease: {spec: {interval: 1h, chart: {spec: {chart: a, sourceRef: {kind: HelmRepository, name: a}}}, install: {<crds>: CreateReplace}}}
kustomize.toolkit.fluxcd.io/v1 Kustomization: {spec: {interval: 1h, prune: true, <path>: ./a, sourceRef: {kind: GitRepository, name: a}}}
source.toolkit.fluxcd.io/v1 GitRepository: {spec: {interval: 1h, <url>: "https://a.b/c"}}
""".strip().splitlines()


def manifest(line: str) -> str:
    gvk, _, body = line.partition(": ")
    version, kind = gvk.split()
    metadata = "" if "metadata: {name" in body else ", metadata: {name: a}"
    return f"{{apiVersion: {version}, kind: {kind}{metadata}, {body.removeprefix('{')}"


def good(line: str) -> str:
    return manifest(re.sub(r"<(\w+)>", r"\1", line))


def misspelt(line: str) -> tuple[str, str]:
    """The object with its field in <> misspelt, and the misspelling."""
    return manifest(re.sub(r"<(\w+)>", r"\1x", line)), re.findall(r"<(\w+)>", line)[0] + "x"


def kubeconform(*manifests: str) -> dict[str, Any]:
    """kubeconform's report, made without a way into the network."""
    argv = [str(tools.find("kubeconform")), "-strict", "-summary", "-verbose", "-output", "json"]
    nowhere = "http://127.0.0.1:9"
    done = subprocess.run(
        [*argv, "-schema-location", LOCATION],
        input="\n---\n".join(manifests),
        env=os.environ | {"HTTPS_PROXY": nowhere, "HTTP_PROXY": nowhere, "NO_PROXY": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    report: dict[str, Any] = json.loads(done.stdout)
    return report


@cache
def schema_of(file: Path) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return schema


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    for child in value if isinstance(value, list) else ():
        yield from nodes(child)


@pytest.mark.parametrize("file", [*KINDS, FOLDER / "definitions.json"], ids=lambda file: file.stem)
def test_a_schema_stays_offline(file: Path) -> None:
    schema = schema_of(file)
    assert schema["$comment"].startswith("Generated by kserve-lite (`make schemas`) from ")
    assert "$id" not in schema
    for node in nodes(schema):
        if isinstance(reference := node.get("$ref"), str):
            assert len(node) == 1  # Draft 7 overlooks what stands beside a reference.
            root, group, name = reference.split("/")
            assert root == "#"
            assert name in schema[group]
        if isinstance(pattern := node.get("pattern"), str):
            re.compile(pattern)


def test_definitions_are_a_schema() -> None:
    """kubeconform compiles the others, see below."""
    Draft202012Validator.check_schema(schema_of(FOLDER / "definitions.json"))


def test_no_prose_is_committed() -> None:
    """A field may be called `description`; a keyword of that name is a text."""
    for file in KINDS:
        assert not [
            node for node in nodes(schema_of(file)) if isinstance(node.get("description"), str)
        ]


def test_they_are_small() -> None:
    assert sum(file.stat().st_size for file in FOLDER.rglob("*.json")) < 1_500_000
    assert (FOLDER / "definitions.json").stat().st_size < 100_000


def test_kubeconform_finds_and_compiles_every_schema() -> None:
    heads = [schema_of(file)["properties"] for file in KINDS]
    report = kubeconform(
        *(
            json.dumps(
                {key: head[key]["const"] for key in ("apiVersion", "kind")}
                | {"metadata": {"name": "a"}}
            )
            for head in heads
        )
    )
    summary = report["summary"]
    assert summary["errors"] == summary["skipped"] == 0
    assert summary["valid"] + summary["invalid"] == len(KINDS) > 150


def test_kubeconform_accepts_a_good_object_of_each_kind() -> None:
    report = kubeconform(*map(good, OBJECTS))
    assert [found["msg"] for found in report["resources"] if found["msg"]] == []
    assert report["summary"] == {"valid": len(OBJECTS), "invalid": 0, "errors": 0, "skipped": 0}


@cache
def report_on_misspelt() -> dict[str, dict[str, str]]:
    resources = kubeconform(*(misspelt(line)[0] for line in OBJECTS))["resources"]
    return {f"{found['version']} {found['kind']}": found for found in resources}


@pytest.mark.parametrize("line", OBJECTS, ids=lambda line: line.partition(":")[0])
def test_kubeconform_names_the_misspelt_field(line: str) -> None:
    found = report_on_misspelt()[line.partition(":")[0]]
    assert found["status"] == "statusInvalid"
    assert f"'{misspelt(line)[1]}' not allowed" in found["msg"]


def test_kubeconform_does_not_know_every_kind() -> None:
    report = kubeconform("{apiVersion: a.b/v1, kind: Unheard, metadata: {name: a}}")
    assert report["summary"]["errors"] == 1


@pytest.mark.parametrize(
    "kind",
    [
        *("Affinity", "Container", "DeploymentStrategy", "EnvVar", "LabelSelector"),
        *(
            "LocalObjectReference",
            "NetworkPolicyPeer",
            "ObjectMeta",
            "PodSecurityContext",
            "PodSpec",
        ),
        *("Probe", "ResourceRequirements", "SecurityContext", "Toleration"),
        *("TopologySpreadConstraint", "Volume", "VolumeMount", "AllowedRoutes"),
        *("GatewayInfrastructure", "RelabelConfig", "InferenceServiceSpec", "PredictorSpec"),
        *("ServingRuntimeSpec", "StorageContainerSpec", "InferenceGraphSpec"),
    ],
)
def test_a_definition_refuses_unknown_fields(kind: str) -> None:
    schema = schema_of(FOLDER / "definitions.json") | {"$ref": f"#/$defs/{kind}"}
    (error,) = (
        error
        for error in Draft202012Validator(schema).iter_errors({"unheard": 1})
        if error.validator == "additionalProperties"
    )
    assert "unheard" in error.message


def test_definitions_take_what_kubernetes_takes() -> None:
    definitions = schema_of(FOLDER / "definitions.json")
    resources = Draft202012Validator(definitions | {"$ref": "#/$defs/ResourceRequirements"})
    assert resources.is_valid({"limits": {"cpu": 0.5, "memory": "1Gi"}, "requests": None})
    assert not resources.is_valid({"limits": {"memory": "1GB"}})


def test_close_keeps_what_validates() -> None:
    schema = {
        "type": "object",
        "description": "Prose.",
        "properties": {
            "description": {"type": "string", "format": "hostname", "default": "a"},
            "port": {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}]},
            "open": {
                "type": "object",
                "x-kubernetes-preserve-unknown-fields": True,
                "properties": {},
            },
            "none": {"type": "string", "nullable": True, "enum": ["a"]},
        },
        "oneOf": [{"required": ["port"], "properties": {"port": {}}}],
        "x-kubernetes-validations": [{"rule": "true"}],
    }
    assert close(schema) == {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "description": {"type": "string"},
            "port": {"type": ["integer", "string"]},
            "open": {"type": "object", "properties": {}},
            "none": {"type": ["string", "null"], "enum": ["a", None]},
        },
        "oneOf": [{"required": ["port"], "properties": {"port": {}}}],
    }


def test_bundle_takes_what_is_reachable_and_keeps_names_apart() -> None:
    definitions = {
        "a.v1.Port": {"type": "integer"},
        "b.v1.Port": {"type": "string"},
        "a.v1.Pod": {"properties": {"$ref": {"$ref": "#/$defs/a.v1.Port"}}},
        "a.v1.Unused": {},
    }
    root = {"items": {"$ref": "#/$defs/a.v1.Pod"}}
    one = bundle(root, definitions)
    assert one == {
        "items": {"$ref": "#/$defs/Pod"},
        "$defs": {
            "Pod": {"properties": {"$ref": {"$ref": "#/$defs/Port"}}},
            "Port": {"type": "integer"},
        },
    }
    both = bundle({"anyOf": [root, {"$ref": "#/$defs/b.v1.Port"}]}, definitions)
    assert sorted(both["$defs"]) == ["Pod", "a.v1.Port", "b.v1.Port"]
