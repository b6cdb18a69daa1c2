"""A diagram as Mermaid, which GitHub, GitLab and many editors draw.

The syntax: https://mermaid.js.org/syntax/flowchart.html
"""

from __future__ import annotations

from collections.abc import Iterator

from generator.diagram.parts import Diagram, Group, Node, Shape

# What would end a text in quotes, or be read as HTML, as Mermaid's entity codes.
_CODES = str.maketrans({"#": "#35;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "&": "#amp;"})
# Names are lower-case, so no two of them become one.
_WORD = str.maketrans({"-": "_", ".": "X", " ": "_"})
_SHAPES = {Shape.BOX: ('["', '"]'), Shape.ROUND: ('(["', '"])'), Shape.CYLINDER: ('[("', '")]')}


def lines(diagram: Diagram) -> Iterator[str]:
    """The lines of a flowchart: groups with their nodes, the other nodes, the edges."""
    words = _words(diagram)
    yield "flowchart LR"
    for group in diagram.groups:
        yield f'  subgraph {words[group]}["{_text(group.title)}"]'
        yield from (f"    {words[node]}{_box(node)}" for node in group.nodes)
        yield "  end"
    for node in diagram.outside:
        yield f"  {words[node]}{_box(node)}"
    for edge in diagram.edges:
        label = f'-- "{_text(edge.label)}" -->' if edge.label else "-->"
        yield f"  {words[edge.start]} {label} {words[edge.end]}"


def _words(diagram: Diagram) -> dict[Node | Group, str]:
    """What everything is called in the text: a node by kind and name, where that is a word."""
    nodes = [*(node for group in diagram.groups for node in group.nodes), *diagram.outside]
    words: dict[Node | Group, str] = {
        node: _word(node) or f"other_{number}" for number, node in enumerate(nodes, start=1)
    }
    return words | {group: f"group_{number}" for number, group in enumerate(diagram.groups, 1)}


def _word(node: Node) -> str:
    """The word for an object of the cluster or for plain words; nothing for any other text."""
    if node.kind:
        return f"{node.kind}_{node.name}".translate(_WORD)
    words = node.name.split()
    if not all(word.isalpha() and word.isascii() for word in words):
        return ""
    # A single word may have a meaning in Mermaid.
    return "_".join(words if len(words) > 1 else ("the", *words))


def _box(node: Node) -> str:
    before, after = _SHAPES[node.shape]
    return before + "<br>".join(map(_text, (node.title, *node.lines))) + after


def _text(text: str) -> str:
    return text.translate(_CODES)
