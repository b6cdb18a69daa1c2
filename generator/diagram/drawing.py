"""The diagram of an installation, from its values."""

from __future__ import annotations

import json
from collections.abc import Sequence

from generator import CONFIG, MODELS
from generator.diagram.parts import Diagram, Edge, Group, ends
from generator.diagram.platform import CONTROLLER, GATEWAYS, platform
from generator.diagram.requests import DECLARED, requests
from generator.errors import GeneratorError
from generator.manifests.parsing import Manifest
from generator.manifests.rendering import render
from generator.release import DEFAULT, Release
from generator.values.load import NOTHING, Values
from generator.values.messages import nearest
from generator.yaml.data import JsonObject
from generator.yaml.document import parse
from generator.yaml.embedded import opened


def draw(values: Values = NOTHING, release: Release = DEFAULT, only: Sequence[str] = ()) -> Diagram:
    """What the values install, and the ways of the requests for each model and graph.

    `only` names the models and graphs that are wanted; all are where it is empty. Raises
    GeneratorError for a name that the values do not declare, and what `render` raises.
    """
    manifests = render(values, release)
    own = [each for each in manifests if each.chart != MODELS]
    objects = [_data(each) for each in manifests if each.chart == MODELS]
    config = next(opened(_data(each))["data"] for each in own if each.name == CONFIG)
    whole = platform(own, f"the platform, in {release.namespace}")
    edges = tuple(dict.fromkeys(requests(objects, config, _wanted(objects, only))))
    if not edges:
        return whole
    (group,) = whole.groups
    objects_of_models = (node for node in ends(edges) if node.kind not in ("", *GATEWAYS))
    models = Group(f"models, in {release.models}", tuple(objects_of_models))
    (controller,) = (node for node in group.nodes if node.name == CONTROLLER)
    makes = Edge(controller, models, "makes most of it")
    return Diagram((group, models), (*whole.edges, makes, *edges))


def _wanted(objects: Sequence[JsonObject], only: Sequence[str]) -> set[str]:
    """The names of the models and graphs that are drawn."""
    known = {each["metadata"]["name"] for each in objects if each["kind"] in DECLARED}
    for name in only:
        if name not in known:
            near = nearest(name, sorted(known))
            all_known = ", ".join(sorted(known)) or "none"
            remedy = f"did you mean {near}?" if near else f"they declare {all_known}"
            fact = "the values declare no such model or graph"
            raise GeneratorError(f"{name or json.dumps(name)}: {fact}; {remedy}")
    return set(only) or known


def _data(each: Manifest) -> JsonObject:
    return dict(parse(each.text, each.source).data)
