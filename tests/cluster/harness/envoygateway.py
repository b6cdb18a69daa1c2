"""Envoy Gateway, installed by its own chart, with the Envoy that PyPI has."""

from __future__ import annotations

import json
import shutil
import string
import tempfile
from pathlib import Path

from codegen import upstream
from generator import tools
from tests.cluster.harness.cluster import Cluster
from tests.rendering import Object

PROGRAM = "envoy-gateway"
NAMESPACE = "envoy-gateway-system"
CLASS = "envoy-gateway"
"""The GatewayClass that `install` makes; whoever installs Envoy Gateway names one."""

_CONTROLLER = "gateway.envoyproxy.io/gatewayclass-controller"
_TEMPLATE = {"GatewayImage": "docker.io/envoyproxy/gateway:built-here"}
# Its default has a digest too, which no image that is made here can have.
_IMAGE = {"image": "docker.io/envoyproxy/envoy:built-here"}
_VALUES = {
    "config": {
        "envoyGateway": {
            "envoyProxy": {
                "provider": {
                    "type": "Kubernetes",
                    "kubernetes": {"envoyDeployment": {"container": _IMAGE}},
                },
                "extraArgs": ["--disable-hot-restart"],
                "telemetry": {"accessLog": {"disable": True}},
            }
        }
    }
}


def install(cluster: Cluster) -> None:
    """`helm install` and a GatewayClass; returns when that is accepted.

    The CRDs of the Gateway API must be there.
    """
    namespace: Object = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    namespace["metadata"]["labels"] = {"pod-security.kubernetes.io/enforce": "restricted"}
    cluster.apply(namespace)
    with tempfile.TemporaryDirectory() as folder:
        chart = _chart(Path(folder, "chart"))
        values = Path(folder, "values.json")
        values.write_text(json.dumps(_VALUES), encoding="utf-8")
        where = ("--namespace", NAMESPACE, f"--values={values}")
        cluster.helm("install", "envoy-gateway", str(chart), *where, "--wait", "--timeout=5m")
    cluster.apply(
        {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "GatewayClass",
            "metadata": {"name": CLASS},
            "spec": {"controllerName": _CONTROLLER},
        }
    )
    cluster.kubectl("wait", f"gatewayclass/{CLASS}", "--for=condition=Accepted", "--timeout=60s")


def _chart(folder: Path) -> Path:
    """The chart as it is released, without the CRDs of the Gateway API.

    Upstream's sources have a template of its values. Helm 4 installs no CRD that somebody else owns.
    """
    source = upstream.source(tools.TOOLS[PROGRAM]) / "charts" / "gateway-helm"
    shutil.copytree(source, folder)
    (folder / "charts" / "crds" / "crds" / "gatewayapi-crds.yaml").unlink()
    template = string.Template((folder / "values.tmpl.yaml").read_text(encoding="utf-8"))
    text = template.substitute(_TEMPLATE, GatewayImagePullPolicy="IfNotPresent")
    (folder / "values.yaml").write_text(text, encoding="utf-8")
    return folder
