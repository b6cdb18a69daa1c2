"""What validates values says where each mistake is, and finds what the reference implementation does."""

import json
import re
import tracemalloc
from functools import cache

import jsonschema
import pytest
from hypothesis import given, note

from generator.values.check import _validator
from generator.values.formats import compiled
from generator.values.load import merge
from generator.values.schema import defaults, values_schema
from generator.values.validator import Validator
from generator.yaml.path import value_at
from tests.hostile import fuzz, values

OURS = ("x-check", "x-format")


@cache
def reference():
    """jsonschema's own validator of the values, which reads patterns as Go does."""

    def pattern(_validator, wanted, value, _schema):
        if isinstance(value, str) and not compiled(wanted).search(value):
            yield jsonschema.ValidationError("no match")

    extended = jsonschema.validators.extend(jsonschema.Draft7Validator, {"pattern": pattern})
    return extended(_validator().schema)


@fuzz(150)
@given(values())
def test_it_refuses_what_the_reference_does(data):
    note(json.dumps(data))
    whole = merge(defaults(values_schema()), data)
    theirs = {
        (tuple(error.absolute_path), error.validator) for error in reference().iter_errors(whole)
    }
    found = list(_validator().refusals(whole))
    assert {(each.path, each.keyword) for each in found if each.keyword not in OURS} == theirs
    for each in found:
        if each.keyword in OURS:
            continue
        here = value_at(whole, each.path)
        assert each.value in here if each.is_name else each.value is here


@pytest.mark.parametrize(
    "key", ["a", "", "7", "007", "+7", "-7", "0", "1.0", "1e3", "a/b", "~1", "~01", "é"]
)
def test_it_says_which_key_is_meant(key):
    """The steps of a ValidationError of jsonschema_rs do not: there "007" is 7, and "" is left out."""
    validator = Validator({"additionalProperties": {"additionalProperties": {"type": "integer"}}})
    for value, path in [
        ({key: {"a": "x"}}, (key, "a")),
        ({"a": {key: "x"}}, ("a", key)),
        ({"07": {}, "": {}} | {key: {"07": 1, "": 1} | {key: "x"}}, (key, key)),
    ]:
        (found,) = validator.refusals(value)
        assert (found.path, found.value, found.keyword) == (path, "x", "type")


def test_keys_that_are_one_number_are_several():
    validator = Validator({"additionalProperties": {"items": {"type": "string"}}})
    value = {"1": [1], "01": [True], "001": ["1", 1.0], "": [1], "7": []}
    assert {(found.path, str(found.value)) for found in validator.refusals(value)} == {
        (("1", 0), "1"),
        (("01", 0), "True"),
        (("001", 1), "1.0"),
        (("", 0), "1"),
    }


@pytest.mark.parametrize("sign", [*"\t\n\f\r \v\x1c\x85\xa0\u2003\u2028\ufeff", "s", "\\", "é"])
@pytest.mark.parametrize(
    "pattern", [r"^\s$", r"^\S$", r"^[\s/]$", r"^[^\]\s]$", r"^\\s$", r"^\[?\s$", r"^.$", r"^[.]$"]
)
def test_a_space_is_what_it_is_to_go(pattern, sign):
    validator = Validator({"type": "string", "pattern": pattern})
    # To Python a vertical tab is one.
    alike = "x" if sign == "\v" else sign
    expected = re.search(pattern.replace("$", r"\Z"), alike, re.ASCII)
    assert bool(expected) == (not list(validator.refusals(sign)))


def test_many_wrong_names_take_no_more_memory_than_many_right_ones():
    """A ValidationError of jsonschema_rs copies the mapping: twelve gigabytes for 5,000 names."""
    validator = Validator({"propertyNames": {"pattern": "^[a-z]+$"}})
    names = {f"{number}": {"a": "b" * 50} for number in range(2000)}
    tracemalloc.start()
    try:
        found = [each.value for each in validator.refusals(names) if each.is_name]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found == list(names)
    assert peak < 10_000_000
