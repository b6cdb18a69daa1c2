"""The house: its rooms import downwards, and each module says what it is, and is not too long."""

import ast
import sys
from pathlib import Path

import pytest

from generator import process

ROOT = Path(__file__).parents[2]
MODULES = sorted([*ROOT.glob("generator/**/*.py"), *ROOT.glob("codegen/*.py")])
HARNESS = sorted(ROOT.glob("tests/cluster/harness/*.py"))
FOLDERS = ("generator", "codegen", "tests", "benchmarks", "distribution")
PYTHON = sorted(file for folder in FOLDERS for file in ROOT.glob(f"{folder}/**/*.py"))
VAGUE = ("it", "place", "mine", "told")
FLOORS = 10
LINES = 250


def name_of(file):
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {name_of(file): file for file in MODULES}


def imports(source):
    """The modules of the house that a source imports, wherever in it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in NAMES else node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def room(name):
    """A package is one room, and so is each module beside them."""
    return "codegen" if name.startswith("codegen") else ".".join(name.split(".")[:2])


def floors(graph):
    """The floor of each node: above all that it imports. Raises ValueError for a circle."""
    found = {}

    def floor(node, path):
        if node in path:
            raise ValueError(" -> ".join([*path[path.index(node) :], node]))
        if node not in found:
            below = (floor(other, (*path, node)) for other in sorted(graph.get(node, ())))
            found[node] = 1 + max(below, default=0)
        return found[node]

    for node in sorted(graph):
        floor(node, ())
    return found


def graph(group):
    drawn = {}
    for name, file in NAMES.items():
        others = {group(module) for module in imports(file.read_text("utf-8")) if module in NAMES}
        drawn.setdefault(group(name), set()).update(others - {group(name), "generator"})
    return drawn


def test_no_module_and_no_room_imports_in_a_circle():
    floors(graph(lambda name: name))
    assert max(floors(graph(room)).values()) <= FLOORS


def test_a_circle_is_found():
    with pytest.raises(ValueError, match=r"^a -> b -> a$"):
        floors({"a": {"b"}, "b": {"c", "a"}, "c": set()})
    assert floors({"a": {"b", "c"}, "b": {"c"}}) == {"a": 3, "b": 2, "c": 1}


def test_the_generator_needs_nothing_that_is_not_shipped():
    for name, file in NAMES.items():
        if name.startswith("generator"):
            roots = {module.partition(".")[0] for module in imports(file.read_text("utf-8"))}
            assert not roots & {"codegen", "tests", "benchmarks"}, name


@pytest.mark.parametrize("file", [*MODULES, *HARNESS], ids=name_of)
def test_the_first_line_says_what_it_is(file):
    first, _, _ = (ast.get_docstring(ast.parse(file.read_text("utf-8"))) or "").partition("\n")
    assert first.endswith(".") and len(first.split()) >= 3, f"{file}: {first!r}"


@pytest.mark.parametrize("file", MODULES, ids=name_of)
def test_a_module_is_not_too_long(file):
    assert len(file.read_text("utf-8").splitlines()) <= LINES


def vague(source):
    """The variables, parameters, attributes and functions whose names do not say what they are."""
    for node in ast.walk(ast.parse(source)):
        for field in ("id", "arg", "attr", "name"):
            if getattr(node, field, None) in VAGUE:
                yield f"{getattr(node, field)} in line {node.lineno}"


@pytest.mark.parametrize("file", PYTHON, ids=name_of)
def test_a_name_says_what_it_is(file):
    assert list(vague(file.read_text("utf-8"))) == []


def test_a_name_that_does_not_say_what_it_is_is_found():
    source = "[it for it in list]\ndef place(mine): return told.it\n"
    assert sorted(name.split()[0] for name in vague(source)) == [
        *("it", "it", "it", "mine", "place", "told")
    ]


def test_no_two_names_differ_by_an_s():
    words = {word for name in NAMES for word in name.split(".")}
    assert not {word for word in words if f"{word}s" in words}


def test_pytest_takes_files_of_tests_with_the_same_name():
    """As it does without arguments, when it collects all of tests/."""
    files = sorted(ROOT.glob("tests/*/test_*.py"), key=lambda file: file.name)
    same = [str(file) for file in files if [other.name for other in files].count(file.name) > 1]
    assert same
    process.run([sys.executable, "-m", "pytest", "--collect-only", "-q", *same], cwd=ROOT)
