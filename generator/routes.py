"""The Istio routes of InferenceServices that somebody applies by hand.

They are those of the models chart: each InferenceService is put to it as an entry that has just
what its routes depend on.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from generator.errors import Problem, ValuesError
from generator.inferenceservice import Entry, from_manifest
from generator.manifests import DECLARED, DEFAULT, Release, models, split
from generator.models import inference_services
from generator.schema import Node, defaults, values_schema
from generator.values import merge, read

_DECIDING = (
    "annotations",
    "batcher",
    "clusterLocal",
    "deploymentMode",
    "labels",
    "logger",
    "port",
    "protocol",
)


def render(
    files: Sequence[Path], values: Sequence[Path], release: Release = DEFAULT
) -> Iterator[str]:
    """The text of every object that routes the InferenceServices in `files`.

    Raises ValuesError when the values do not ask for such routes.
    """
    given = read(values)
    routing = merge(defaults(values_schema()), given)["routing"]
    if routing["mode"] != "virtualService" or not routing["domain"]:
        where = str(values[-1]) if values else "values"
        message = "KServe writes the routes; set routing.mode=virtualService and routing.domain"
        raise ValuesError([Problem(where, 1, 1, "routing", message)])
    platform = {key: value for key, value in given.items() if key not in DECLARED}
    for manifest in (it for file in files for it in inference_services(file)):
        name, entry = from_manifest(manifest)
        namespace = manifest["metadata"].get("namespace", release.models)
        own = platform | {"models": {name: _deciding(entry, manifest["spec"])}}
        with tempfile.TemporaryDirectory(prefix="kserve-lite-") as folder:
            file = Path(folder) / "values.yaml"
            file.write_text(json.dumps(own), encoding="utf-8")
            text = models([file], replace(release, models=namespace))
        yield from (it.text for it in split(text) if it.kind != "InferenceService")


def _deciding(entry: Entry, spec: Node) -> Entry:
    """What of a model its routes depend on; what serves it is in the cluster already."""
    kept = {key: entry[key] for key in _DECIDING if key in entry}
    kept["image"] = "in-the-cluster"
    for component in ("transformer", "explainer"):
        if component in spec:
            kept[component] = {"image": "in-the-cluster"}
            if port := entry.get(component, {}).get("port"):
                kept[component]["port"] = port
    if spec.get("canary"):
        kept["canary"] = {
            it["predictor"]["name"]: {"trafficPercent": it["trafficPercent"]}
            for it in spec["canary"]
        }
    return kept
