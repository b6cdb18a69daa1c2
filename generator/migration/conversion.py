"""How a single value of upstream's charts is written in ours: the words after `as` in the rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_TRUE = ("true", "1", "yes")
_FALSE = ("false", "0", "no")


class NotConvertible(ValueError):
    """A value that has no equal; the text says why, and after its last semicolon what to do."""


def convert(how: str, value: Any, default: Any) -> Any:
    """`value` as ours, where upstream's default is `default`; None where there is nothing to say.

    `how` is a word of the rules, empty for a value that is carried as it is. Raises NotConvertible.
    """
    return _CONVERSIONS[how](value, default)


def changes(value: Any, default: Any) -> Any:
    """What of a mapping differs from upstream's default: ours is merged over our own."""
    if not (isinstance(value, dict) and isinstance(default, dict)):
        return None if value == default else value
    own = {key: changes(child, default.get(key)) for key, child in value.items()}
    return {key: child for key, child in own.items() if child is not None} or None


def _switch(value: Any, _: Any) -> bool | None:
    """Upstream's texts "true", "1" and so on; an empty one leaves the choice to a default."""
    word = str(value).lower()
    if word in ("", "none"):
        return None
    if word not in (*_TRUE, *_FALSE):
        raise NotConvertible(f"{value!r} is neither true nor false; set one of them")
    return word in _TRUE


def _number(value: Any, _: Any) -> Any:
    """A number, which upstream's charts have as text."""
    try:
        return int(value)
    except (TypeError, ValueError):
        raise NotConvertible(f"{value!r} is not a number; set one") from None


def _quantity(value: Any, _: Any) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _model_container(value: Any, _: Any) -> str:
    return "modelcar" if _switch(value, _) else "disabled"


_CONVERSIONS: dict[str, Callable[[Any, Any], Any]] = {
    "": lambda value, _: value,
    "changes": changes,
    "model container": _model_container,
    "number": _number,
    "quantity": _quantity,
    "switch": _switch,
}
