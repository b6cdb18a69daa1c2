"""The environment of a container: its variables, and `$(NAME)` in what it is given."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.rendering import Object

_ENTRY = re.compile(r"(metadata\.(?:annotations|labels))\['(.+)'\]")
_REFERENCE = re.compile(r"\$\$|\$\((?P<name>[^)]+)\)")
_UNITS = {
    **{unit: 1024.0**power for power, unit in enumerate(("", "Ki", "Mi", "Gi", "Ti"))},
    **{"m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12},
}


def variables(container: Object, field: Callable[[str], str]) -> dict[str, str]:
    """What `env` says, in its order; `field` reads a field of the pod, as text."""
    found: dict[str, str] = {}
    for variable in container.get("env", []):
        source = variable.get("valueFrom", {})
        if "fieldRef" in source:
            found[variable["name"]] = field(source["fieldRef"]["fieldPath"])
        elif "resourceFieldRef" in source:
            found[variable["name"]] = _resource(container, source["resourceFieldRef"])
        else:
            found[variable["name"]] = expand(variable.get("value", ""), found)
    return found


def field(pod: Object, path: str) -> Any:
    """A field of a pod by its path, as `metadata.name`; `metadata.labels['a']` is "" without one.

    Raises KeyError where there is no such field.
    """
    if entry := _ENTRY.fullmatch(path):
        _, _, kind = entry[1].partition(".")
        return pod["metadata"].get(kind, {}).get(entry[2], "")
    value: Any = pod
    for key in path.split("."):
        value = value[key]
    return value


def expand(text: str, among: Mapping[str, str]) -> str:
    """Replace `$(NAME)` by a variable; of one that is not there it stays, and `$$` is a dollar."""

    def value(match: re.Match[str]) -> str:
        if match["name"] is None:
            return "$"
        return among.get(match["name"], match[0])

    return _REFERENCE.sub(value, text)


def expanded(texts: Sequence[str], among: Mapping[str, str]) -> list[str]:
    """`expand` each."""
    return [expand(text, among) for text in texts]


def _resource(container: Object, reference: Object) -> str:
    """A request or limit, in units of the divisor, rounded up; without a limit the machine's."""
    kind, _, name = reference["resource"].partition(".")
    written = container.get("resources", {}).get(kind, {}).get(name)
    amount = _machine(name) if written is None else _quantity(written)
    divisor = _quantity(reference.get("divisor", "1")) or 1  # The API server stores "0" for none.
    return str(math.ceil(amount / divisor))


def _machine(name: str) -> float:
    if name == "cpu":
        return os.cpu_count() or 1
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _quantity(text: str) -> float:
    match = re.fullmatch(r"([0-9.]+)([A-Za-z]*)", text)
    assert match is not None, f"{text} is not a quantity"
    return float(match[1]) * _UNITS[match[2]]
