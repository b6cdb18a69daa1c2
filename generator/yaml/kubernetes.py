"""YAML as kubectl and Helm read it: Go's YAML, of which they make JSON.

What we write reads the same everywhere. Manifests of others may say `yes` or 0644, and mean what
the API server gets then. Source: resolve.go of go.yaml.in/yaml/v2, yaml.go of sigs.k8s.io/yaml.
"""

from __future__ import annotations

import re
from typing import Any

from generator.yaml.path import Key
from generator.yaml.reader import Reader
from generator.yaml.scalar import tagged

_TAG = "tag:yaml.org,2002:"
_RESOLVED = (None, *(_TAG + name for name in ("bool", "int", "float", "null", "timestamp")))
_WORDS: dict[str, Any] = {
    form: value
    for value, words in ((True, ("y", "yes", "true", "on")), (False, ("n", "no", "false", "off")))
    for word in words
    for form in (word, word.capitalize(), word.upper())
} | dict.fromkeys(("", "~", "null", "Null", "NULL"))
_NO_NUMBER = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_INTEGER = re.compile(
    r"(?P<sign>[-+]?)(?:0[xX](?P<hex>[0-9a-fA-F]+)|0[bB](?P<binary>[01]+)|0[oO]?(?P<octal>[0-7]+)"
    r"|(?P<decimal>0|[1-9][0-9]*))"
)
_BASES = {"hex": 16, "binary": 2, "octal": 8, "decimal": 10}
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
# Go writes a float below this without an exponent: 1e3 is 1000 to an API server.
_WHOLE = 1e21


class KubernetesReader(Reader):
    """Reads one document as Kubernetes does: of a key that is there twice, the last counts."""

    keys_are_unique = False

    def _scalar(self, event: Any, path: Key) -> Any:
        text = str(event.value)
        if event.tag == f"{_TAG}binary":
            self._report(event, path, tagged(event.tag))
        if event.tag not in _RESOLVED or (event.tag is None and event.style):
            return text
        if _NO_NUMBER.fullmatch(text):
            self._report(event, path, f"{text} is no number of JSON, and no API server takes it")
            return text
        return resolved(text)

    def _key_text(self, key: Any) -> str | None:
        if isinstance(key, bool):
            return str(key).lower()
        return str(key) if isinstance(key, (str, int, float)) else None


def resolved(text: str) -> Any:
    """The value of a plain scalar: null, a boolean, a number as JSON has it, or the text."""
    if text in _WORDS:
        return _WORDS[text]
    plain = text if text.startswith(".") else text.replace("_", "")
    # A number begins with a digit, a sign or a dot; what begins with _ is text.
    if text[0] not in "0123456789+-." or (number := _number(plain)) is None:
        return text
    return number


def _number(plain: str) -> int | float | None:
    if found := _INTEGER.fullmatch(plain):
        base = str(found.lastgroup)
        integer = int(found["sign"] + found[base], _BASES[base])
        if -(2**63) <= integer < 2 ** (63 if found["sign"] else 64):
            return integer
    if not _FLOAT.fullmatch(plain):
        return None
    number = float(plain)
    if abs(number) == float("inf"):
        return None
    return int(number) if number.is_integer() and abs(number) < _WHOLE else number
