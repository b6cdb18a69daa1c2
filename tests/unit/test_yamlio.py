import time

import pytest

from generator.errors import ValuesError
from generator.yaml.document import parse
from generator.yaml.path import dotted
from generator.yaml.writer import dump, scalar


def test_a_document_knows_where_its_values_are():
    document = parse("a:\n  b:\n  - x: 1\n    w: 2\n", "my.yaml")
    assert document.data == {"a": {"b": [{"x": 1, "w": 2}]}}
    assert document.position(("a", "b", 0, "w")) == (4, 5)
    # What is not in the file is where its nearest parent is.
    assert document.position(("a", "b", 0, "z", "deeper")) == (3, 5)
    assert document.position(("nowhere",)) == (1, 1)


def test_merge_keys_are_read_as_yaml_1_1_has_them():
    document = parse("base: &b {x: 1, w: 2}\nmine:\n  <<: *b\n  w: 3\n", "my.yaml")
    assert document.data["mine"] == {"x": 1, "w": 3}


CONFLICT = "not valid YAML: holds the marks of a merge conflict; keep what is right of both sides"
ACTION = "is a template's action; quote it if it is text, or render the file first"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\na: 2\n", "my.yaml:2:1: a: the key is there already, in line 1"),
        ("a:\n- b: 1\n  b: 2\n", "my.yaml:3:3: a[0].b: the key is there already"),
        ("1: x\n", "the key 1 is not text"),
        ("{[a]: x}\n", "the key (a list or mapping) is not text"),
        ("a: [\n", "not valid YAML"),
        ("a: &a [*a]\n", "an anchor holds itself"),
        ("a: \x00\n", "my.yaml:1:4: not valid YAML: a character that no text has (0x00)"),
        ("a: [1,\n  \x07]\n", "my.yaml:2:3: not valid YAML: a character that no text has (0x07)"),
        ("a:\n\tb: 1\n", "my.yaml:2:1: not valid YAML: there is a tab"),
        ("a:\n  b: 1\n\tc: 2\n", "there is a tab; YAML is indented with spaces"),
        ("a: !foo 1\n", "my.yaml:1:4: a: the tag !foo has no meaning"),
        ("a: !foo {b: 1}\n", "my.yaml:1:4: a: the tag !foo has no meaning"),
        ("a: !foo [b]\n", "the tag !foo has no meaning"),
        ("a: [!!str, b]\n", "my.yaml:1:5: a[0]: the tag !!str has no meaning"),
        ("a: !!int x\n", "the tag !!int has no meaning"),
        ("a: !!binary aGk=\n", "the tag !!binary has no meaning"),
        ("a: !!python/object:os.system {}\n", "my.yaml:1:4: a: the tag !!python/object:os.system"),
        ("a: 1\n---\nb: 2\n", "my.yaml:2:1: not valid YAML: a second document begins here"),
        ("a: *b\n", "my.yaml:1:4: a: the anchor of *b is not above; define &b first"),
        ("<<: 3\n", "my.yaml:1:5: << takes a mapping, or a list of mappings"),
        ("a: " + "[" * 100_000, "my.yaml:1:103: nests more than 100 deep"),
        ("{a: " * 100_000, "nests more than 100 deep"),
        ("? " * 100_000 + "a", "the key (a list or mapping) is not text"),
        ("a: " + "9" * 5_000 + "\n", "is more than Helm can hold exactly"),
        ("a: 9007199254740993\n", "is more than Helm can hold exactly"),
        ("a: 0x20000000000001\n", "is more than Helm can hold exactly"),
        ("a: 1.0e+400\n", "1.0e+400 is out of range"),
        ("a: 1\n<<<<<<< HEAD\nb: 1\n=======\nb: 2\n>>>>>>> c\n", f"my.yaml:2:1: {CONFLICT}"),
        ("a:\r\n  b: 1\r\n=======\r\n  b: 2\r\n>>>>>>> c\r\n", f"my.yaml:3:1: {CONFLICT}"),
        ("a: {b: c: d}\n# >>>>>>> c\n  ======= ======\n", "did not find expected ',' or '}'"),
        ("a:\n  b: {{ .Values.x }}\n", f'my.yaml:2:6: a.b: "{{{{ .Values.x }}}}" {ACTION}'),
        ("a:\n  - {{ .x }}-{{ .y }}\n", f'my.yaml:2:5: a[0]: "{{{{ .x }}}}" {ACTION}'),
        ('a: {{ include "x" . }}\n', f'my.yaml:1:4: a: "{{{{ include "x" . }}}}" {ACTION}'),
        ("a: 1\n{{- if .x }}\nb: 1\n", f'my.yaml:2:1: "{{{{- if .x }}}}" {ACTION}'),
        ("{{ .x }}: 1\n", f'my.yaml:1:1: "{{{{ .x }}}}" {ACTION}'),
        ('a: "{{ .x }}"\nb: c: d\n', "my.yaml:2:5: not valid YAML: mapping values"),
        ("a: 1_000.5\n", "parsers read 1_000.5 differently"),
        ("a: 02\n", 'differently (YAML 1.1, 1.2, Go); write 2, or "02" if it is text'),
        ("a: 0644\n", 'write 644 (or 420, if it is octal), or "0644" if it is text'),
        ("a: 1.5e3\n", 'write 1500, or "1.5e3" if it is text'),
        ("a: 1e-7\n", '; write "1e-7"'),
        ("a: on\n", 'write true, or "on" if it is text'),
        ("a: 0" + "9" * 5_000 + "\n", "differently"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text, said):
    with pytest.raises(ValuesError) as caught:
        parse(text, "my.yaml")
    assert said in str(caught.value)


def bomb(merge: bool) -> str:
    """Ten to the twelfth values, by aliases of aliases."""
    lines = ["a0: &a0 {b: 1, c: 2}"]
    for number in range(1, 12):
        ten = ", ".join([f"*a{number - 1}"] * 10)
        lines.append(f"a{number}: &a{number} " + (f"{{<<: [{ten}]}}" if merge else f"[{ten}]"))
    return "\n".join(lines)


@pytest.mark.parametrize("merge", [False, True])
def test_aliases_that_expand_without_end_are_refused_before_they_do(merge):
    start = time.process_time()
    with pytest.raises(ValuesError, match="aliases stand for more than 100,000 values"):
        parse(bomb(merge), "my.yaml")
    assert time.process_time() - start < 1


def test_as_many_aliases_as_people_write_are_fine():
    text = "base: &base {cpu: 1, memory: 2}\n" + "".join(
        f"m{number}: {{requests: *base, <<: *base}}\n" for number in range(5_000)
    )
    data = parse(text, "my.yaml").data
    assert data["m4999"] == {"requests": {"cpu": 1, "memory": 2}, "cpu": 1, "memory": 2}


def test_an_anchor_may_be_defined_again_and_a_merged_mapping_aliased():
    document = parse("a: &x 1\nb: &x 2\nc: *x\n", "my.yaml")
    assert document.data == {"a": 1, "b": 2, "c": 2}
    # The merged key and the mapping's own are no duplicates, at the second reading either.
    document = parse("a: &a {x: 1}\nb: &b {<<: *a, x: 2}\nc: *b\nd: {<<: *b, w: 3}\n", "my.yaml")
    assert document.data["c"] == {"x": 2}
    assert document.data["d"] == {"x": 2, "w": 3}


def test_of_several_merged_mappings_the_first_wins():
    text = "a: &a {x: 1}\nb: &b {x: 2, w: 2}\nc: {<<: [*a, *b], z: 3}\n"
    assert parse(text, "my.yaml").data["c"] == {"x": 1, "w": 2, "z": 3}


def test_a_value_that_was_skipped_is_read_past():
    with pytest.raises(ValuesError) as caught:
        parse("a: 1\na: {b: [1, {c: 2}]}\nd: on\n", "my.yaml")
    assert [problem.line for problem in caught.value.problems] == [2, 3]


def test_text_may_be_tagged_as_text():
    assert parse("a: !!str 1\nb: 1\n", "my.yaml").data == {"a": "1", "b": 1}


def test_an_empty_file_is_no_values():
    assert parse("# nothing\n", "my.yaml").data is None


def test_paths_are_written_as_people_write_them():
    assert dotted(("a", "b-c", 0, "d.e")) == 'a.b-c[0]["d.e"]'
    assert dotted(()) == ""


def test_the_dump_is_plain_where_it_can_be():
    data = {
        "name": "--model_name=x",
        "port": "8080",
        "url": "http://a:80/b",
        "list": ["a b", "- c"],
    }
    assert dump(data) == (
        'name: --model_name=x\nport: "8080"\nurl: http://a:80/b\nlist:\n- a b\n- "- c"\n'
    )
    assert scalar({}) == "{}"
    assert scalar("8080") == '"8080"'


@pytest.mark.parametrize(
    "value", ["lines\nof text", "a\n", "\n", "a: b\n- c", "8080", "", "on", {}, [1]]
)
def test_a_scalar_is_on_one_line_and_reads_as_what_it_was(value):
    assert "\n" not in scalar(value)
    assert parse(f"key: {scalar(value)}\n", "my.yaml").data == {"key": value}
