"""The platform as a group of nodes: one per folder of the chart's templates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from textwrap import wrap

from generator.diagram.parts import Diagram, Edge, Group, Node
from generator.manifests.parsing import Manifest

CONTROLLER = "controller"
"""The node with KServe's own Deployment."""

GATEWAYS = ("Gateway", "IngressClass")
"""Kinds that requests pass: each object is a node of its own."""

# Kinds of which a reader looks for the name; of the others a node says how many there are.
_NAMED = (
    "Certificate",
    "ClusterServingRuntime",
    "ClusterStorageContainer",
    "ConfigMap",
    "Deployment",
    "Issuer",
    "Job",
    "ServiceMonitor",
)
# Characters in a line of a box; wide boxes make small pictures.
_WIDTH = 50
_STAYS = "\N{NO-BREAK SPACE}"  # between a number and its kind, where no line ends
_SERVER = Node("", "the API server")
# From, to, and what the first does with the second.
_EDGES = (
    ("webhook", CONTROLLER, "is served by"),
    (CONTROLLER, "config", "reads"),
    (CONTROLLER, "runtimes", "chooses from"),
    (CONTROLLER, "storage", "has models fetched by"),
    ("observability", CONTROLLER, "shows the metrics of"),
)


def platform(manifests: Sequence[Manifest], title: str) -> Diagram:
    """The diagram of the platform's objects; every one of them is in one node."""
    nodes = {node.name: node for node in _components(manifests)}
    edges = [
        Edge(nodes[start], nodes[end], label)
        for start, end, label in _EDGES
        if start in nodes and end in nodes
    ]
    if "webhook" in nodes:
        edges.insert(0, Edge(_SERVER, nodes["webhook"], "asks about each object of KServe"))
    gateways = [Node(each.kind, each.name) for each in manifests if each.kind in GATEWAYS]
    return Diagram((Group(title, (*nodes.values(), *gateways)),), tuple(edges))


def _components(manifests: Sequence[Manifest]) -> Iterator[Node]:
    """A node per component, with what it is made of."""
    components: dict[str, list[Manifest]] = {}
    for each in manifests:
        if each.kind not in GATEWAYS:
            components.setdefault(_component(each), []).append(each)
    for component, objects in components.items():
        named = [f"{each.kind} {each.name}" for each in objects if each.kind in _NAMED]
        counts = Counter(each.kind for each in objects if each.kind not in _NAMED)
        others = [
            kind if count == 1 else f"{count}{_STAYS}{_plural(kind)}"
            for kind, count in counts.items()
        ]
        lines = (line.replace(_STAYS, " ") for line in wrap(", ".join(others), _WIDTH))
        yield Node("", component, (*named, *lines))


def _component(each: Manifest) -> str:
    """The folder below `templates/` that renders an object."""
    parts = PurePosixPath(each.source).parts
    return parts[1] if parts[:1] == ("templates",) else "crds" if parts else "namespaces"


def _plural(kind: str) -> str:
    return f"{kind[:-1]}ies" if kind.endswith("y") else f"{kind}s"
