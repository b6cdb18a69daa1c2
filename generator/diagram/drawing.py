"""The diagram of an installation, from its values."""

from __future__ import annotations

import json
from collections.abc import Sequence

from generator import MODELS
from generator.diagram.parts import Diagram, Edge, Group, ends
from generator.diagram.platform import CONTROLLER, GATEWAYS, platform
from generator.diagram.requests import requests
from generator.errors import GeneratorError
from generator.manifests.parsing import Manifest
from generator.manifests.rendering import render
from generator.release import DEFAULT, Release
from generator.values.load import NOTHING, Values
from generator.yaml.data import JsonObject
from generator.yaml.document import parse

_CONFIG = "inferenceservice-config"


def draw(values: Values = NOTHING, release: Release = DEFAULT, only: Sequence[str] = ()) -> Diagram:
    """What the values install, and the ways of the requests for each model and graph.

    `only` names the models and graphs that are wanted; all are where it is empty. Raises
    GeneratorError for a name that the values do not declare, and what `render` raises.
    """
    manifests = render(values, release)
    own = [each for each in manifests if each.chart != MODELS]
    objects = [_data(each) for each in manifests if each.chart == MODELS]
    config = next(_data(each)["data"] for each in own if each.name == _CONFIG)
    whole = platform(own, f"the platform, in {release.namespace}")
    ways = requests(_wanted(objects, only), {key: json.loads(text) for key, text in config.items()})
    edges = tuple(dict.fromkeys(ways))
    if not edges:
        return whole
    (group,) = whole.groups
    objects_of_models = (node for node in ends(edges) if node.kind not in ("", *GATEWAYS))
    models = Group(f"models, in {release.models}", tuple(objects_of_models))
    (controller,) = (node for node in group.nodes if node.name == CONTROLLER)
    makes = Edge(controller, models, "makes most of it")
    return Diagram((group, models), (*whole.edges, makes, *edges))


def _wanted(objects: Sequence[JsonObject], only: Sequence[str]) -> list[JsonObject]:
    """The objects of some models and graphs, by the label that says whose each is."""
    label = "app.kubernetes.io/name"
    names = {each["metadata"]["labels"][label] for each in objects}
    if unknown := [name for name in only if name not in names]:
        known = ", ".join(sorted(names)) or "none"
        raise GeneratorError(
            f"{unknown[0]}: the values declare no such model or graph, but {known}"
        )
    return [each for each in objects if not only or each["metadata"]["labels"][label] in only]


def _data(each: Manifest) -> JsonObject:
    return dict(parse(each.text, each.source).data)
