"""Plain scalars: which of them every YAML parser reads alike, and what to say of the others."""

from __future__ import annotations

import math
import re
from typing import Any

import yaml

# Helm holds numbers as 64-bit floats, which are exact up to here.
_EXACT = 2**53

# What one of the dialects (PyYAML's 1.1, the 1.2 core schema, Go's mix) takes for something other
# than text, while another takes it for text or for something else.
_AMBIGUOUS = re.compile(
    r"""
      (?i:y|n|yes|no|on|off)
    | [-+]?0[0-9_]+                              # octal, or not
    | [-+]?0[ob][0-7_]+
    | [-+]?[0-9][0-9_]*_[0-9_]*(?:\.[0-9_]*)?    # digits with underscores
    | [-+]?[0-9]*\.[0-9]+_[0-9_]*
    | [-+]?0x[0-9a-fA-F]*_[0-9a-fA-F_]*
    | [-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?   # base 60
    | [-+]?[0-9]+\.                              # "1."
    | [-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)[eE][0-9]+    # an exponent without its sign
    | [-+]?[0-9]+[eE][-+][0-9]+                  # or without a dot
    | [-+]?\.(?i:inf|nan)
    | [0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt ].*)? # a date
    | =
    """,
    re.VERBOSE,
)
_BOOLEANS = dict.fromkeys(("y", "yes", "on"), "true") | dict.fromkeys(("n", "no", "off"), "false")


def is_ambiguous(text: str) -> bool:
    """Whether YAML 1.1, YAML 1.2 and Go's YAML read the plain scalar `text` differently."""
    return _AMBIGUOUS.fullmatch(text) is not None


def _number(text: str) -> str | None:
    """The number that an ambiguous scalar is to somebody, as all read it; None if it is to nobody.

    With zeros in front it is a decimal number to some, and an octal one to others.
    """
    digits = text.replace("_", "")
    try:
        if re.fullmatch(r"[-+]?0[0-9]+", digits):
            decimal = int(digits)
            octal = decimal if re.search("[89]", digits) else int(digits, 8)
            also = f" (or {octal}, if it is octal)" if octal != decimal else ""
            return f"{decimal}{also}" if abs(decimal) <= _EXACT else None
        based = re.fullmatch(r"[-+]?0[box].+", digits)
        number = float(int(digits, 0) if based else digits)
    except (ValueError, OverflowError):
        return None
    shown = str(int(number)) if number.is_integer() else repr(number)
    return None if abs(number) > _EXACT or is_ambiguous(shown) else shown


def complaint(text: str) -> str:
    """Why a plain scalar cannot be relied on; empty if it can."""
    if is_ambiguous(text):
        fact = f"parsers read {text} differently (YAML 1.1, 1.2, Go)"
        meant = _BOOLEANS.get(text.lower()) or _number(text)
        # What the value is to be, text or not, is not known here.
        remedy = f'{meant}, or "{text}" if it is text' if meant else f'"{text}"'
        return f"{fact}; write {remedy}"
    if re.fullmatch(r"[-+]?[0-9]+", text) and (len(text) > 17 or abs(int(text)) > _EXACT):
        return f"{text[:30]} is more than Helm can hold exactly; quote it if it is text"
    if re.fullmatch(r"[-+]?0x[0-9a-fA-F]+", text) and len(text) > 15:
        return f"{text[:30]} is more than Helm can hold exactly; quote it if it is text"
    if re.fullmatch(r"[-+]?[0-9.]+[eE][-+][0-9]+", text) and text.count(".") < 2:
        return f"{text[:30]} is out of range" if math.isinf(float(text)) else ""
    return ""


def is_merge(event: Any) -> bool:
    """Whether a key is the `<<` of YAML 1.1, whose value is merged in."""
    return (
        isinstance(event, yaml.ScalarEvent)
        and event.value == "<<"
        and not event.style
        and event.tag in (None, "tag:yaml.org,2002:merge")
    )


def tagged(tag: str) -> str:
    """What to say of a tag."""
    name = tag.replace("tag:yaml.org,2002:", "!!")
    return f"the tag {name} has no meaning in values; leave it out, and quote what is text"
