"""Upstream's own charts, at each version whose values `migrate` reads: from the Go module, unchanged."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import yaml

from codegen import upstream
from generator import process, tools
from generator.yaml.data import JsonObject
from tests.rendering import ROOT

# What go.sum would say of each; it takes one version of a module only.
SUMS = {
    "0.16": "h1:kDkcAU5VMiZf4zhdDXH+UdAIgzXhs10GMv0d9r4qvTs=",
    "0.17": "h1:IaynaBFzVQz1Xyrw5n3ncqzd5Y7L1RkO+YWvVwwtMQE=",
    "0.19": "h1:8Pbdm9Ekn1JEuHrobqJhZI4uRHyf5bk1ofb5+3kEI14=",
    "0.20": "h1:Bs7HxmGV4KFqqptDcWseKv+mwD4YOYHJWcuVgPG2Gug=",
}
RESOURCES, RUNTIMES = "kserve-resources", "kserve-runtime-configs"


@functools.cache
def module(version: str) -> Path:
    """KServe's Go module at a version such as 0.16, downloaded on first use."""
    name = f"{upstream.KSERVE}@v{version}.0"
    argv = [str(tools.go()), "mod", "download", "-json", name]
    found = json.loads(process.run(argv, cwd=ROOT / "tools" / "upstream"))
    assert found["Sum"] == SUMS[version], f"{name} is not the one that was compared"
    return Path(found["Dir"])


def chart(version: str, name: str) -> Path:
    """The folder of a chart."""
    return module(version) / "charts" / name


def values(version: str, name: str) -> JsonObject:
    """A chart's own values; none for a chart that the version has not."""
    file = chart(version, name) / "values.yaml"
    return yaml.safe_load(file.read_text("utf-8")) or {} if file.is_file() else {}


def config(version: str) -> dict[str, Any]:
    """What the quick install has in inferenceservice-config, less its example."""
    file = module(version) / "config" / "configmap" / "inferenceservice.yaml"
    data = yaml.safe_load(file.read_text("utf-8"))["data"]
    return {key: json.loads(text) for key, text in data.items() if key != "_example"}
