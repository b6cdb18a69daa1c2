"""What is known of a rendered object, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from generator.explanation.trace import Origin
from generator.manifests.parsing import Manifest
from generator.values.docs import wrap
from generator.values.identity import called
from generator.yaml.data import JsonObject

_WIDTH = 100
# So many values of a field are named; more are counted.
_SHOWN = 12


@dataclass(frozen=True)
class Setter:
    """A value that changes a field, and the file and line that say it; None for a default."""

    path: str
    said: str | None

    def __str__(self) -> str:
        return f"{self.path} ({self.said})" if self.said else self.path


@dataclass(frozen=True)
class Explained:
    """A field: its value, the line of a template that prints it, and the values that change it."""

    path: str
    value: Any
    origin: Origin | None
    setters: tuple[Setter, ...]

    def as_data(self) -> JsonObject:
        """The field for JSON."""
        data: JsonObject = {"field": self.path, "value": self.value}
        if self.origin:
            data |= {"template": self.origin.file, "line": self.origin.line}
        return data | {"values": [_setter(each) for each in self.setters]}


@dataclass(frozen=True)
class Listing:
    """An object, the values by which it comes or goes, and its fields."""

    manifest: Manifest
    api_version: str
    presence: tuple[Setter, ...]
    fields: tuple[Explained, ...]

    @property
    def label(self) -> str:
        """What tells it from others."""
        return f"{name_of(self.manifest)} ({self.api_version})"

    def as_data(self) -> JsonObject:
        """The object for JSON."""
        return {
            "apiVersion": self.api_version,
            "kind": self.manifest.kind,
            "name": self.manifest.name,
            "namespace": self.manifest.namespace,
            "values": [_setter(each) for each in self.presence],
            "fields": [field.as_data() for field in self.fields],
        }

    def as_text(self) -> Iterator[str]:
        """The lines for a terminal."""
        yield self.label
        if self.presence:
            yield from _wrapped(f"comes or goes with {named(self.presence)}", 2)
        for field in self.fields:
            yield f"  {field.path}: {json.dumps(field.value, ensure_ascii=False)}"
            where = str(field.origin or "no template; `helm install --create-namespace` makes it")
            by = f", changed by {named(field.setters)}" if field.setters else ""
            yield from _wrapped(f"{where}{by}", 6)


def as_json(listings: Sequence[Listing]) -> str:
    """An object with `objects`, a list of them."""
    return json.dumps({"objects": [each.as_data() for each in listings]}, indent=2)


def name_of(manifest: Manifest) -> str:
    """What people call an object: `Deployment/manager`, with `-n NAMESPACE` where it is in one."""
    return called(manifest.kind, manifest.name, manifest.namespace or "")


def named(setters: Sequence[Setter]) -> str:
    """The values in a sentence; of many the first."""
    shown = ", ".join(map(str, setters[:_SHOWN]))
    more = len(setters) - _SHOWN
    return f"{shown}, and {more} more" if more > 0 else shown


def _wrapped(text: str, indent: int) -> Iterator[str]:
    yield from (f"{' ' * indent}{line}" for line in wrap(text, _WIDTH - indent))


def _setter(setter: Setter) -> JsonObject:
    return {"path": setter.path} | ({"said": setter.said} if setter.said else {})
