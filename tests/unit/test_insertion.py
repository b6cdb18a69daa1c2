"""Entries put into the text of a values file: the data is right, and no other byte has changed."""

import itertools
import re
import textwrap

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generator.errors import ValuesError
from generator.importer.commented import dump_entry
from generator.importer.insertion import insert
from generator.yaml.document import parse
from generator.yaml.writer import dump
from tests.rendering import CASES

ENTRY = {"format": "sklearn", "storageUri": "s3://m/one"}
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
LINES = "  m:\n    format: sklearn\n    storageUri: s3://m/one\n"


def added(text, entries=None, **options):
    return insert(text, "my.yaml", "models", entries or {"m": ENTRY}, **options)[0]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", f"models:\n{LINES}"),
        ("# only a comment", f"# only a comment\n\nmodels:\n{LINES.rstrip()}"),
        ("{}", f"models:\n{LINES.rstrip()}"),
        ("{}  # none\n", f"# none\nmodels:\n{LINES}"),
        ("models:", f"models:\n{LINES.rstrip()}"),
        ("models: {}  # none yet\nplatform: openshift\n", f"models:  # none yet\n{LINES}platform: openshift\n"),
        ("models: ~\nplatform: openshift\n", f"models:\n{LINES}platform: openshift\n"),
        ("models:\nplatform: openshift\n", f"models:\n{LINES}platform: openshift\n"),
        ("models:\n  # a:\n  #   image: x\nplatform: openshift\n",
         f"models:\n{LINES}  # a:\n  #   image: x\nplatform: openshift\n"),
        ("models:\n    a: {image: x}  # flow\n\n# after\nplatform: openshift",
         f"models:\n    a: {{image: x}}  # flow\n{textwrap.indent(LINES, '  ')}\n# after\nplatform: openshift"),
        ("models:\n  a:\n    args:\n    - |\n      text\n\n  # trailing\n",
         f"models:\n  a:\n    args:\n    - |\n      text\n{LINES}\n  # trailing\n"),
        ("models:\n  a: &a\n    image: x\n  b: *a\nplatform: openshift\n",
         f"models:\n  a: &a\n    image: x\n  b: *a\n{LINES}platform: openshift\n"),
        ("a: &a {b: {image: x}}\nmodels:\n  <<: *a\n", f"a: &a {{b: {{image: x}}}}\nmodels:\n  <<: *a\n{LINES}"),
        ("  platform: openshift\n", f"  platform: openshift\n\n{textwrap.indent(f'models:{chr(10)}{LINES}', '  ')}"),
    ],
)  # fmt: skip
def test_an_entry_is_added_and_nothing_else_is_touched(before, after):
    assert added(before) == after


@pytest.mark.parametrize("case", CASES)
def test_an_entry_fits_into_every_values_file(case):
    before = CASES[case].read_text()
    after = added(before)
    data = yaml.safe_load(before)
    assert yaml.safe_load(after) == data | {"models": data.get("models", {}) | {"m": ENTRY}}
    # The new lines come once, in one piece, and without them the text is what it was.
    head = before.startswith("models:") or "\nmodels:" in before
    block = LINES if head else f"\nmodels:\n{LINES}"
    if before.endswith("\n{}\n"):
        before, block = before.removesuffix("{}\n"), block.lstrip("\n")
    assert after.count(block) == 1
    assert after.replace(block, "") == before


@st.composite
def values_files(draw):
    """Lines as people write them: some keys, comments, empty lines; one line end or a mix."""
    models = st.sampled_from(
        [
            *("models:", "models: {}", "models: null # none", "'models':\n  a: {image: x}"),
            "models:\n  a:\n    image: x\n    args:\n    - |\n      one\n\n       two\n    - b",
            "models: # c\n    b: {image: v} # d\n    # e\n    a:\n        image: >-\n            x\n            y",
            "models:\n  a: &a\n    image: x\n  b:\n    <<: *a\n    port: 9",
        ]
    )
    others = st.sampled_from(
        [
            *(
                "platform: openshift",
                "# comment",
                "",
                "global:\n  imageRegistry: r",
                "graphs: {}  ",
            ),
            "extraObjects:\n  a:\n    data: |\n      models:\n        m: x\n",
        ]
    )
    parts = [draw(others) for _ in range(draw(st.integers(0, 3)))]
    parts = [
        part for index, part in enumerate(parts) if part[:1] in "#" or part not in parts[:index]
    ]
    if draw(st.booleans()):
        parts.insert(draw(st.integers(0, len(parts))), draw(models))
    ends = draw(st.sampled_from([["\n"], ["\r\n"], ["\n", "\r\n"]]))
    lines = "\n".join(parts).split("\n")
    text = "".join(line + draw(st.sampled_from(ends)) for line in lines)
    return text if draw(st.booleans()) else text.rstrip("\r\n")


@UNHURRIED
@given(values_files(), st.booleans())
def test_whatever_the_file_looks_like_its_other_bytes_stay(before, with_comment):
    comments = {"m": ["a: comment"]} if with_comment else {}
    data = parse(before, "my.yaml").data or {}
    try:
        after = added(before, comments=comments)
    except ValuesError as error:
        # A block of text at the very end would get a newline that it does not have.
        assert "cannot be added to" in str(error)
        assert data["extraObjects"]
        assert not before.endswith("\n")
        return
    assert parse(after, "my.yaml").data == data | {
        "models": (data.get("models") or {}) | {"m": ENTRY}
    }
    # The new lines are together, and without them the text is what it was.
    block = [line.strip() for line in dump_entry("m", ENTRY, comments.get("m", ())).splitlines()]
    lines = after.splitlines(keepends=True)
    stripped = [line.strip() for line in lines]
    start = next(n for n in range(len(lines)) if stripped[n : n + len(block)] == block)
    rest = lines[:start] + lines[start + len(block) :]
    if "models" not in data:
        assert stripped[start - 1] == "models:"
        del rest[start - 1]
        assert start < 2 or rest.pop(start - 2).strip() == ""
    assert_same_lines(before, "".join(rest))
    assert after.endswith("\n") == (before.endswith("\n") or not before)
    ends = {line[len(line.rstrip("\r\n")) :] for line in before.splitlines(keepends=True)} - {""}
    assert {line[len(line.rstrip("\r\n")) :] for line in lines} - {""} <= (ends or {"\n"})


def assert_same_lines(before, after):
    """The same text, but for an empty mapping that gives way to entries and the very last newline."""
    for one, other in itertools.zip_longest(
        before.splitlines(True), after.splitlines(True), fillvalue=""
    ):
        if one != other and one.rstrip("\r\n") != other.rstrip("\r\n"):
            assert re.sub(r"(\{\}|null)", "", one).split() == other.split()


def test_the_same_entry_again_changes_nothing():
    before = "models:\n  m: {storageUri: s3://m/one, format: sklearn} # mine\n"
    assert insert(before, "my.yaml", "models", {"m": ENTRY}) == (before, {"m": "="})


def test_another_entry_of_the_name_is_replaced_on_request_only():
    before = "models:\n  a: {image: x}\n  m:\n    format: onnx # old\n    port: 80\n\n  # of b\n  b: {image: v}\n"
    with pytest.raises(ValuesError) as caught:
        added(before)
    assert str(caught.value) == (
        "my.yaml:3:3: models.m: is there already, with another format, port, storageUri; "
        "--replace overwrites it"
    )
    text, signs = insert(
        before, "my.yaml", "models", {"c": ENTRY, "m": ENTRY, "a": {"image": "z"}}, replace=True
    )
    assert signs == {"c": "+", "m": "~", "a": "~"}
    assert text == (
        f"models:\n  a:\n    image: z\n{LINES}\n  # of b\n  b: {{image: v}}\n{LINES.replace('m:', 'c:', 1)}"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("models: {a: {image: x}}\n", "my.yaml:1:1: models: is written with braces"),
        ("{platform: openshift}\n", "my.yaml:1:1: is written with braces"),
        ("models: {\n}\n", "models: is written with braces"),
        ("models: []\n", "models: is not a mapping of keys"),
        ("- a\n", "my.yaml:1:1: is not a mapping of keys"),
        ("models: ''\n", "models: is not a mapping of keys"),
        ("a: 1\n...\n", "cannot be added to"),
        ("models:\n  a: &a {image: x}\n  m: *a\n", "m: is there already"),
        ("models: !own {}\n", "the tag !own"),
        ("a: &a [1]\nmodels: *a\n", "models: is not a mapping"),
    ],
)
def test_what_cannot_be_added_to_is_said(text, said):
    with pytest.raises(ValuesError) as caught:
        added(text)
    assert said in str(caught.value)


TEXT = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(
    [
        "on",
        "012",
        "1e3",
        "a: b",
        "# a",
        "- a",
        "a\nb",
        "a\n",
        "\n a\n\n",
        " a",
        "a\u2028b\nc",
        "'",
        '"',
        "{{ a }}",
    ]
)
NAMES = TEXT.filter(lambda name: name and "\n" not in name)
JSON = st.recursive(
    TEXT
    | st.integers(-(2**53), 2**53)
    | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(TEXT, children, max_size=3),
    max_leaves=8,
)


@UNHURRIED
@given(
    NAMES, st.dictionaries(TEXT, JSON, min_size=1, max_size=3), st.lists(TEXT.map(repr), min_size=1)
)  # fmt: skip
def test_comments_change_nothing_of_an_entry(name, entry, comments):
    text = dump_entry(name, entry, comments)
    lines = [f"  # {comment}".rstrip() for comment in comments]
    above, *rest = dump({name: entry}).split("\n")
    assert text == "\n".join([above, *lines, *rest])
    assert parse(text, "x").data == {name: entry}


@UNHURRIED
@given(NAMES, st.dictionaries(TEXT, JSON, min_size=1, max_size=3))
def test_any_entry_can_be_added(name, entry):
    after = added("a: 1\nmodels:\n  x: {image: v}\n\n\nz: 1\n", {name: entry}, replace=True)
    assert parse(after, "x").data["models"][name] == entry
    assert after.startswith("a: 1\nmodels:\n") and after.endswith("\n\n\nz: 1\n")
