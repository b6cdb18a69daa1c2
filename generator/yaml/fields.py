"""Fields that differ between two states of an object, list items matched by what names them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from generator.yaml.path import Key, dotted


class _Absent:
    """What is not there, which null is not."""

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "absent"


ABSENT: Any = _Absent()
"""The value of a field that is not there; false, as null is, and equal to nothing else."""

# What names an item in Kubernetes' lists: their `x-kubernetes-list-map-keys`, most specific first.
_NAMES = (
    ("name",),
    ("containerPort", "protocol"),
    ("containerPort",),
    ("port", "protocol"),
    ("port",),
    ("mountPath",),
    ("kind", "namespace", "name"),
    ("topologyKey",),
    ("type",),
)


@dataclass(frozen=True)
class Field:
    """A field that differs: where, as people write paths, and both values (ABSENT for none)."""

    path: str
    old: Any
    new: Any


def compare(old: Any, new: Any, path: str = "") -> Iterator[Field]:
    """The fields below `path` that differ, in the order of the new state."""
    if same(old, new):
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*new, *(key for key in old if key not in new)]:
            yield from compare(old.get(key, ABSENT), new.get(key, ABSENT), join(path, key))
    elif isinstance(old, list) and isinstance(new, list):
        yield from _compare_lists(old, new, path)
    else:
        yield Field(path, old, new)


def leaves(data: Any, path: str = "", key: Key = ()) -> Iterator[tuple[str, Key, Any]]:
    """Every field below `path` that holds no others: where, as `compare` says it and as a key, and
    its value.
    """
    if isinstance(data, dict) and data:
        for step, value in data.items():
            yield from leaves(value, join(path, step), (*key, step))
    elif isinstance(data, list) and data:
        names = names_of(data)
        for index, item in enumerate(data):
            step = name_of(item, names) if names else index
            yield from leaves(item, f"{path}[{step}]", (*key, index))
    else:
        yield path, key, data


def same(old: Any, new: Any) -> bool:
    """Whether two values are the same to Kubernetes; to Python 1 is true."""
    return bool(old == new) and _text(old) == _text(new)


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=repr)


def at(data: Any, path: str) -> Any:
    """The value at a path of plain keys, such as `spec.replicas`; ABSENT where there is none."""
    for step in path.split("."):
        data = data.get(step, ABSENT) if isinstance(data, dict) else ABSENT
    return data


def join(path: str, key: str) -> str:
    """The path of a key below a path, as people write it."""
    own = dotted((key,))
    return f"{path}{own}" if own.startswith("[") else f"{path}.{own}".removeprefix(".")


def _compare_lists(old: list[Any], new: list[Any], path: str) -> Iterator[Field]:
    names = names_of(old, new)
    if names is None:
        yield from _compare_unnamed(old, new, path)
        return
    before, after = ({name_of(each, names): each for each in items} for items in (old, new))
    for name in [*after, *(name for name in before if name not in after)]:
        yield from compare(before.get(name, ABSENT), after.get(name, ABSENT), f"{path}[{name}]")
    kept = [name for name in before if name in after]
    if kept != [name for name in after if name in before]:
        yield Field(f"{path} (order)", ", ".join(before), ", ".join(after))


def _compare_unnamed(old: list[Any], new: list[Any], path: str) -> Iterator[Field]:
    """Items without names: the same item is the same wherever it stands."""
    gone, come = _without(old, new), _without(new, old)
    if not gone and not come:
        yield Field(f"{path} (order)", old, new)
    elif len(old) == len(new) and len(gone) == len(come) == 1:
        (index,) = (index for index, item in enumerate(new) if item is come[0])
        yield from compare(gone[0], come[0], f"{path}[{index}]")
    else:
        yield from (Field(f"{path}[-]", item, ABSENT) for item in gone)
        yield from (Field(f"{path}[+]", ABSENT, item) for item in come)


def _without(items: Sequence[Any], others: Sequence[Any]) -> list[Any]:
    rest = list(others)
    left = []
    for item in items:
        if item in rest:
            rest.remove(item)
        else:
            left.append(item)
    return left


def names_of(*lists: list[Any]) -> tuple[str, ...] | None:
    """The fields that name each item of these lists; None where nothing does."""
    return next((names for names in _NAMES if _name_all(names, *lists)), None)


def _name_all(names: tuple[str, ...], *lists: list[Any]) -> bool:
    """Whether these fields name each item of each list, and no two alike."""
    for items in lists:
        if not all(isinstance(item, dict) and _has_names(item, names) for item in items):
            return False
        if len({name_of(item, names) for item in items}) < len(items):
            return False
    return True


def _has_names(item: dict[str, Any], names: tuple[str, ...]) -> bool:
    return all(isinstance(item.get(name), str | int) for name in names)


def name_of(item: dict[str, Any], names: tuple[str, ...]) -> str:
    """What an item is called by the fields that `names_of` found."""
    return "/".join(str(item[name]) for name in names)
