"""A comparison as people read it: text, Markdown for a pull request, or JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate
from typing import Any

from generator.comparison.access import crd_summary
from generator.comparison.change import Change, Pair
from generator.comparison.risks import Risk
from generator.yaml.embedded import opened
from generator.yaml.fields import ABSENT, Field, compare

LONGEST = 65_000
"""Characters of a report in Markdown: GitHub takes 65,536 in a comment."""

_OFTEN = 4  # An equal change in as many objects is told once.
_WIDE = 100  # characters of a value on a line
_ROOM = 400  # characters of a report's own words


@dataclass(frozen=True)
class Entry:
    """An object that differs: `sign` is + for new, - for gone, ~ for changed."""

    sign: str
    label: str
    fields: tuple[Field, ...] = ()
    note: str = ""


def entries(change: Change) -> list[Entry]:
    """What differs, object by object."""
    return [entry for pair in change.pairs if (entry := _entry(pair))]


def _entry(pair: Pair) -> Entry | None:
    if pair.old is None or pair.new is None:
        return Entry("+" if pair.old is None else "-", pair.label)
    if pair.kind == "CustomResourceDefinition":
        summary = crd_summary(pair.old, pair.new)
        return Entry("~", pair.label, tuple(compare(_head(pair.old), _head(pair.new))), summary)
    # JSON may differ in nothing but how it is written.
    inside = tuple(compare(opened(pair.old), opened(pair.new)))
    fields = inside or tuple(compare(pair.old, pair.new))
    if pair.kind == "Secret":
        fields = tuple(_masked(field) for field in fields)
    return Entry("~", pair.label, fields)


def _head(crd: dict[str, Any]) -> dict[str, Any]:
    """A CRD without its schemas, which are told in a line."""
    spec = crd.get("spec") or {}
    versions = [
        {key: value for key, value in version.items() if key != "schema"}
        for version in spec.get("versions") or []
    ]
    return crd | {"spec": spec | {"versions": versions}}


def _masked(field: Field) -> Field:
    """A field of a Secret: that it differs, and not what it is.

    kubectl keeps the whole Secret in an annotation of it.
    """
    if not field.path.startswith(("data", "stringData", "metadata.annotations")):
        return field
    hide = ("(hidden)", "(hidden, another)")
    return Field(
        field.path,
        *(
            value if value is ABSENT else word
            for value, word in zip((field.old, field.new), hide, strict=True)
        ),
    )


def as_text(
    risks: Sequence[Risk], found: Sequence[Entry], unseen: Sequence[str] = ()
) -> Iterator[str]:
    """The report for a terminal, line by line: the risks, then what differs."""
    if risks:
        yield "risks:"
        for risk in risks:
            yield f"! {risk.risk}: {risk.where}: {risk.reason}"
        yield ""
    yield from changes(found)
    yield summary(risks, found, unseen)


def changes(found: Sequence[Entry]) -> Iterator[str]:
    """What differs, line by line: what many objects have alike first, then object by object."""
    often, rest = _grouped(found)
    for field, labels in often:
        yield f"~ {len(labels)} objects: {_line(field)}"
    for entry in rest:
        yield f"{entry.sign} {entry.label}" + (f": {entry.note}" if entry.note else "")
        for field in entry.fields:
            yield f"    {_line(field)}"


def as_markdown(risks: Sequence[Risk], found: Sequence[Entry], unseen: Sequence[str] = ()) -> str:
    """The report for a pull request, at most LONGEST characters; what is cut is counted."""
    table = [row(risk.risk, f"`{risk.where}`", risk.reason) for risk in risks]
    head = ("risk", "object", "why")
    return markdown(summary(risks, found, unseen), head, table, list(changes(found)))


def markdown(title: str, head: Sequence[str], table: Sequence[str], body: Sequence[str]) -> str:
    """A report in Markdown: a table, and lines of a diff; what there is no room for is counted."""
    # Half of the room is for the risks, and all that they leave is for the rest.
    first = _fitting(table, LONGEST // 2)
    second = _fitting(body, LONGEST - sum(map(len, first)) - len(first) - _ROOM)
    lines = [f"### kserve-lite: {title}", ""]
    if first:
        lines += [row(*head), f"|{'---|' * len(head)}", *first, ""]
    if second:
        lines += ["```diff", *second, "```"]
    if cut := len(table) - len(first) + len(body) - len(second):
        lines.append(f"… and {cut} lines more; `diff` in a terminal has them all.")
    return "\n".join(lines) + "\n"


def row(*cells: str) -> str:
    """A row of a table in Markdown."""
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _fitting(lines: Sequence[str], room: int) -> list[str]:
    """The first lines that have no more characters than there is room for."""
    sizes = accumulate(len(line) + 1 for line in lines)
    return [line for line, size in zip(lines, sizes, strict=True) if size <= room]


def as_json(risks: Sequence[Risk], found: Sequence[Entry], unseen: Sequence[str] = ()) -> str:
    """The report for a program: an object with `risks`, `changes`, and `unseen` if any is."""
    data = as_data(risks, found)
    return json.dumps(data | ({"unseen": list(unseen)} if unseen else {}), indent=2)


def as_data(risks: Sequence[Risk], found: Sequence[Entry]) -> dict[str, Any]:
    """The `risks` and the `changes` of a report for a program."""
    words = {"+": "added", "-": "removed", "~": "changed"}
    changed = [
        {
            "change": words[entry.sign],
            "object": entry.label,
            **({"note": entry.note} if entry.note else {}),
            "fields": [_as_data(field) for field in entry.fields],
        }
        for entry in found
    ]
    return {"risks": [asdict(risk) for risk in risks], "changes": changed}


def summary(risks: Sequence[Risk], found: Sequence[Entry], unseen: Sequence[str] = ()) -> str:
    """In a line: how many objects differ, how many risks there are, and what was not seen."""
    rest = f"; not seen: {len(unseen)}" if unseen else ""
    if not found:
        return "no object that was seen differs" + rest if unseen else "no object differs"
    counts = Counter(entry.sign for entry in found)
    words = (("+", "added"), ("-", "removed"), ("~", "changed"))
    parts = [f"{counts[sign]} {word}" for sign, word in words if counts[sign]]
    return f"objects: {', '.join(parts)}; risks: {len(risks)}{rest}"


def _grouped(found: Sequence[Entry]) -> tuple[list[tuple[Field, list[str]]], list[Entry]]:
    """Equal changes of many objects, told once; and what is left of each object."""
    labels: dict[str, tuple[Field, list[str]]] = {}
    for entry in found:
        for field in entry.fields:
            labels.setdefault(repr(field), (field, []))[1].append(entry.label)
    often = {key for key, (_, names) in labels.items() if len(names) >= _OFTEN}
    rest = []
    for entry in found:
        own = tuple(field for field in entry.fields if repr(field) not in often)
        if own or entry.note or entry.sign != "~":
            rest.append(Entry(entry.sign, entry.label, own, entry.note))
    return [labels[key] for key in labels if key in often], rest


def _line(field: Field) -> str:
    if field.old is ABSENT:
        return f"+ {field.path}: {_short(field.new)}"
    if field.new is ABSENT:
        return f"- {field.path}: {_short(field.old)}"
    return f"{field.path}: {_short(field.old)} → {_short(field.new)}"


def _short(value: Any) -> str:
    plain = isinstance(value, str) and value and "\n" not in value and not _is_json(value)
    text = value if plain else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _WIDE else f"{text[: _WIDE - 1]}…"


def _is_json(text: str) -> bool:
    """Whether a text would be taken for a number or the like, were it not quoted."""
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _as_data(field: Field) -> dict[str, Any]:
    data = {"path": field.path, "old": field.old, "new": field.new}
    return {key: value for key, value in data.items() if value is not ABSENT}
