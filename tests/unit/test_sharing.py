"""What is repeated in a JSON schema is shared, and the schema means the same."""

from __future__ import annotations

from typing import Any

import pytest

from generator import CHART, MODELS
from generator.chart.rendering import schema_of
from generator.values.helmschema import helm_schema
from generator.values.sharing import change_parts, share

Schema = dict[str, Any]

LARGE = {"type": "object", "properties": {name * 9: {"type": "string"} for name in "abcdef"}}
OTHER = {"items": LARGE, "description": "another part, in which there is one"}


def whole(schema: Schema, under: str) -> Schema:
    """A schema without references: each replaced by what it stands for."""
    definitions = schema.get(under, {})

    def resolved(part: Schema, _: str = "") -> Schema:
        if "$ref" in part:
            return resolved(definitions[part["$ref"].removeprefix(f"#/{under}/")])
        return change_parts(part, resolved)

    return resolved({key: value for key, value in schema.items() if key != under})


def test_what_is_repeated_stands_once_under_the_name_of_a_field() -> None:
    schema = {"properties": {"one": LARGE, "two": {"items": LARGE}, "three": {"type": "string"}}}
    shared = share(schema, under="$defs")
    assert shared == {
        "$defs": {"one": LARGE},
        "properties": {
            "one": {"$ref": "#/$defs/one"},
            "two": {"items": {"$ref": "#/$defs/one"}},
            "three": {"type": "string"},
        },
    }
    assert share(schema["properties"]["two"], under="$defs") == schema["properties"]["two"]


def test_what_is_only_in_a_shared_part_stands_in_there() -> None:
    schema = {"properties": dict.fromkeys(("one", "two"), OTHER)}
    assert share(schema, under="defs")["defs"] == {"one": OTHER}
    schema["properties"]["three"] = LARGE
    assert share(schema, under="defs")["defs"] == {
        "one": OTHER | {"items": {"$ref": "#/defs/one2"}},
        "one2": LARGE,
    }


def test_a_name_needs_no_escape_in_a_reference() -> None:
    schema = {"properties": {"a/b~c": {"anyOf": [LARGE, {"not": LARGE}]}}}
    assert list(share(schema, under="defs")["defs"]) == ["abc"]
    assert list(share({"anyOf": [LARGE, {"not": LARGE}]}, under="defs")["defs"]) == ["part"]


def test_a_field_is_no_keyword() -> None:
    fields = {"properties": {"items": {"type": "string"}, "not": {"type": "null"}}}
    seen: list[str] = []

    def note(part: Schema, name: str) -> Schema:
        seen.append(name)
        return part

    assert change_parts(fields, note) == fields
    assert seen == ["items", "not"]
    assert change_parts({"anyOf": [LARGE]}, note, logic=False) == {"anyOf": [LARGE]}
    assert seen == ["items", "not"]


@pytest.mark.parametrize("chart", [CHART, MODELS])
def test_the_schema_of_a_chart_means_the_same(chart: str) -> None:
    shared = helm_schema(schema_of(chart))
    assert len(shared["definitions"]) > 5
    assert "$ref" in str(shared["properties"])
    # What every text must be is asked at every depth: it refers to itself.
    assert shared.pop("allOf") == [{"$ref": "#/definitions/texts"}]
    del shared["definitions"]["texts"]
    plain = whole(shared, "definitions")
    assert "$ref" not in str(plain)
    assert share(plain, under="definitions") == shared
    assert len(str(shared)) < len(str(plain)) * 0.6
