"""The PodMonitor of docs/metrics.md, and where a Prometheus would look by it."""

from __future__ import annotations

import re

import yaml

from tests.rendering import ROOT, Object


def of_the_page() -> Object:
    """The first YAML on the page."""
    page = (ROOT / "docs/metrics.md").read_text("utf-8")
    monitor: Object = yaml.safe_load(page.partition("```yaml\n")[2].partition("```")[0])
    return monitor


def selects(monitor: Object, labels: dict[str, str]) -> bool:
    """Whether a pod has the labels that it selects by."""
    selector = monitor["spec"]["selector"]
    exist = [each["key"] for each in selector["matchExpressions"] if each["operator"] == "Exists"]
    assert len(exist) == len(selector["matchExpressions"])
    return selector["matchLabels"].items() <= labels.items() and set(exist) <= labels.keys()


def targets(monitor: Object, pod: Object) -> list[tuple[str, str]]:
    """The addresses and paths that a pod's containers come to, as Prometheus discovers them.

    A container without ports is one target; one with several is as many, which are the same here.
    """
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    spec = pod["spec"]
    found = []
    for container in [*spec.get("initContainers", []), *spec["containers"]]:
        labels = _discovered(pod, container)
        if all(_relabelled(rule, labels) for rule in endpoint["relabelings"]):
            found.append((labels["__address__"], labels["__metrics_path__"]))
    return found


def _discovered(pod: Object, container: Object) -> dict[str, str]:
    meta = pod["metadata"]
    labels = {
        "__address__": pod["status"]["podIP"],
        "__metrics_path__": "/metrics",
        "__meta_kubernetes_pod_ip": pod["status"]["podIP"],
        "__meta_kubernetes_pod_container_name": container["name"],
    }
    for kind in ("annotation", "label"):
        for key, value in meta.get(f"{kind}s", {}).items():
            labels[f"__meta_kubernetes_pod_{kind}_" + re.sub(r"\W", "_", key)] = value
    return labels


def _relabelled(rule: Object, labels: dict[str, str]) -> bool:
    """Applies a rule; whether the target is kept."""
    separator = rule.get("separator", ";")
    text = separator.join(labels.get(name, "") for name in rule["sourceLabels"])
    match = re.fullmatch(rule.get("regex", "(.*)"), text)
    action = rule.get("action", "replace")
    if action == "keep":
        return match is not None
    assert action == "replace"
    if match:
        labels[rule["targetLabel"]] = match[1]
    return True
