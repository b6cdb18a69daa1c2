import pytest

from generator.errors import ValuesError
from generator.yamlio import dotted, dump, load, parse, scalar


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


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\na: 2\n", "my.yaml:2:1: a: the key is there already, in line 1"),
        ("a:\n- b: 1\n  b: 2\n", "my.yaml:3:3: a[0].b: the key is there already"),
        ("1: x\n", "the key 1 is not text"),
        ("{[a]: x}\n", "the key (a list or mapping) is not text"),
        ("a: [\n", "not valid YAML"),
        ("a: &a [*a]\n", "an anchor holds itself"),
        ("a: \x00\n", "not valid YAML"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text, said):
    with pytest.raises(ValuesError) as caught:
        parse(text, "my.yaml")
    assert said in str(caught.value)


def test_an_empty_file_is_no_values(tmp_path):
    (tmp_path / "empty.yaml").write_text("# nothing\n")
    assert load(tmp_path / "empty.yaml").data is None


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
    assert scalar("lines\nof text") == '"lines\\nof text"' or "\n" not in scalar("lines of text")
