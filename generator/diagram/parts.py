"""Nodes and edges, of which a diagram is made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from generator.yaml.data import JsonObject


class Shape(Enum):
    """How a node looks: what people ask from is round, what data lies in is a cylinder."""

    BOX = "box"
    ROUND = "round"
    CYLINDER = "cylinder"


@dataclass(frozen=True)
class Node:
    """What one box stands for: an object of the cluster, or, with an empty kind, anything else.

    `lines` are what else the box says, `shape` is how it looks. Two nodes of the same kind and name
    are the same.
    """

    kind: str
    name: str
    lines: tuple[str, ...] = field(default=(), compare=False)
    shape: Shape = field(default=Shape.BOX, compare=False)

    @property
    def title(self) -> str:
        """The first line of the box, such as `Service iris`."""
        return f"{self.kind} {self.name}".strip()


@dataclass(frozen=True)
class Group:
    """Nodes that stand together, in a frame with a title."""

    title: str
    nodes: tuple[Node, ...]


@dataclass(frozen=True)
class Edge:
    """An arrow from a node to another, or to a group; `label` says what goes along it."""

    start: Node
    end: Node | Group
    label: str = ""


@dataclass(frozen=True)
class Diagram:
    """Groups of nodes, and edges between these and nodes outside of any group."""

    groups: tuple[Group, ...]
    edges: tuple[Edge, ...]

    @property
    def outside(self) -> tuple[Node, ...]:
        """The nodes of edges that are in no group, each once."""
        grouped = {node for group in self.groups for node in group.nodes}
        return tuple(node for node in ends(self.edges) if node not in grouped)

    def as_json(self) -> JsonObject:
        """All of it for a program; an edge names its ends by kind and name, or a group's title."""
        groups = [
            {"title": group.title, "nodes": [_described(node) for node in group.nodes]}
            for group in self.groups
        ]
        edges = [
            {"from": _named(edge.start), "to": _named(edge.end), "label": edge.label}
            for edge in self.edges
        ]
        nodes = [_described(node) for node in self.outside]
        return {"groups": groups, "nodes": nodes, "edges": edges}


def _named(end: Node | Group) -> JsonObject:
    if isinstance(end, Group):
        return {"group": end.title}
    return {"kind": end.kind, "name": end.name}


def _described(node: Node) -> JsonObject:
    return {**_named(node), "lines": list(node.lines), "shape": node.shape.value}


def ends(edges: Iterable[Edge]) -> tuple[Node, ...]:
    """The nodes that edges lead from or to, each once."""
    both = (end for edge in edges for end in (edge.start, edge.end))
    return _distinct(end for end in both if isinstance(end, Node))


def _distinct(nodes: Iterable[Node]) -> tuple[Node, ...]:
    """Each node once, in order; what says more of itself stands for what says less."""
    found: dict[Node, Node] = {}
    for node in nodes:
        if len(node.lines) > len(found.setdefault(node, node).lines):
            found[node] = node
    return tuple(found.values())
