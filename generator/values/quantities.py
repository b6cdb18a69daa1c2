"""Kubernetes quantities, and what must hold between requests and limits.

The source is pkg/apis/core/validation of k8s.io/kubernetes at v1.34, as in consistency.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from itertools import combinations
from typing import Any

from generator.yaml.data import JsonObject
from generator.yaml.path import Key

Found = Iterator[tuple[Key, str]]
"""What a rule finds: the path below the value that it looks at, and what to say."""

_UNITS = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}


def amount(quantity: Any) -> Decimal | None:
    """A Kubernetes quantity as a number: `500m` is 0.5, `1Ki` is 1024; None if it is not one."""
    if isinstance(quantity, bool) or not isinstance(quantity, str | int | float):
        return None
    if quantity == 0:  # Also -0.0, whose text is not a quantity's.
        return Decimal(0)
    match = re.fullmatch(r"\+?([0-9.]+(?:[eE][-+]?[0-9]{1,3})?)([A-Za-z]{0,2})", str(quantity))
    if not match:
        return None
    number, unit = match.groups()
    try:
        value = Decimal(number)
    except InvalidOperation:
        return None
    if unit in _BINARY:
        return value * Decimal(1024 ** _BINARY[unit])
    return value.scaleb(_UNITS[unit]) if unit in _UNITS else None


def _is_device(name: Any) -> bool:
    """Whether a resource is handed out whole, as GPUs are: an extended one, or huge pages."""
    # Those of kubernetes.io, with a slash or without, are Kubernetes' own.
    extended = isinstance(name, str) and "/" in name and "kubernetes.io/" not in name
    return extended or (isinstance(name, str) and name.startswith("hugepages-"))


def _whole(value: JsonObject) -> Found:
    for kind in ("requests", "limits"):
        amounts = value.get(kind)
        for name, quantity in amounts.items() if isinstance(amounts, dict) else ():
            number = amount(quantity)
            if _is_device(name) and number is not None and number % 1:
                yield (kind, name), f"{quantity} is not a whole number of them; write 1, 2 or more"


def check_resources(value: JsonObject) -> Found:
    """What must hold between the requests and the limits of a container."""
    yield from _whole(value)
    requests, limits = value.get("requests"), value.get("limits")
    if not (isinstance(requests, dict) and isinstance(limits, dict)):
        return
    for name in requests.keys() & limits.keys():
        wanted, allowed = amount(requests[name]), amount(limits[name])
        if _is_device(name) and wanted is not None and allowed is not None and wanted < allowed:
            yield (
                ("requests", name),
                f"{requests[name]} is less than the limit, {limits[name]}, and a device is not "
                f"shared; set both to the same, or remove it",
            )
        if wanted is not None and allowed is not None and wanted > allowed:
            yield (
                ("requests", name),
                f"{requests[name]} is more than the limit, {limits[name]}; "
                f"lower it, or raise limits.{name}",
            )


_ORDER = ("min", "defaultRequest", "default", "max")
"""The amounts of a LimitRangeItem, none of which may be more than one after it."""


def check_limits(value: JsonObject) -> Found:
    """What must hold between the amounts of an item of a LimitRange (ValidateLimitRange)."""
    for field in ("default", "defaultRequest"):
        if value.get("type") == "Pod" and value.get(field):
            yield (field,), "only a container has one; remove it, or move it to type: Container"
    amounts = [(field, value[field]) for field in _ORDER if isinstance(value.get(field), dict)]
    for (less, lower), (more, upper) in combinations(amounts, 2):
        for name in lower.keys() & upper.keys():
            first, second = amount(lower[name]), amount(upper[name])
            if first is not None and second is not None and first > second:
                what = f"{lower[name]} is more than {more}, {upper[name]}"
                yield (less, name), f"{what}; lower it, or raise {more}.{name}"
