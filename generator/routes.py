"""The Istio routes of InferenceServices that somebody applies by hand.

They are those of the models chart: each InferenceService is put to it as an entry that has just
what its routes depend on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from generator.errors import ValuesError
from generator.inferenceservice import Entry, from_manifest
from generator.manifests import DECLARED, models, split
from generator.models import inference_services
from generator.release import DEFAULT, Release
from generator.schema import Node
from generator.values import Values

_DECIDING = (
    "annotations",
    "batcher",
    "clusterLocal",
    "deploymentMode",
    "labels",
    "logger",
    "port",
    "protocol",
    "timeout",
)


def render(files: Sequence[Path], values: Values, release: Release = DEFAULT) -> Iterator[str]:
    """The text of every object that routes the InferenceServices in `files`.

    Raises ValuesError when the values do not ask for such routes.
    """
    routing = values.whole["routing"]
    if routing["mode"] != "virtualService" or not routing["domain"]:
        message = "KServe writes the routes; set routing.mode=virtualService and routing.domain"
        raise ValuesError([values.problem(("routing",), message)])
    platform = {key: value for key, value in values.merged.items() if key not in DECLARED}
    for manifest in (it for file in files for it in inference_services(file)):
        name, entry = from_manifest(manifest)
        namespace = manifest["metadata"].get("namespace", release.models)
        own = platform | {"models": {name: _deciding(entry, manifest["spec"])}}
        text = models(Values.made(own), replace(release, models=namespace))
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
