"""Law 19: what is checked is what is rendered, and no command ends in a traceback."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from generator import helm, tools
from generator.cli import main
from generator.errors import GeneratorError, ValuesError
from generator.manifests.rendering import platform
from generator.values.check import read
from generator.values.load import Values
from generator.values.sources import Source
from tests import rendering
from tests.rendering import CASES

# What stands for Helm: it prints, as JSON, how often it was given values, and their bytes.
SPY = """\
#!{python}
import json, sys
if "version" in sys.argv:
    print("v4.1.0")
else:
    files = [value for flag, value in zip(sys.argv, sys.argv[1:]) if flag == "--values"]
    print(json.dumps([open(file, "rb").read().hex() for file in files]))
"""


@pytest.fixture
def spy(tmp_path, monkeypatch):
    """Puts a Helm on the PATH that says what it was given."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "helm").write_text(SPY.format(python=sys.executable))
    (folder / "helm").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    tools.find.cache_clear()
    yield
    tools.find.cache_clear()


def received(values: Values) -> list[bytes]:
    """The values that Helm is given, source by source."""
    said = json.loads(helm.template(Path("chart"), values, release="x", namespace="y"))
    return [bytes.fromhex(digits) for digits in said]


CONTENTS = [
    b"controller: {replicas: 2}\n",
    b"\xef\xbb\xbf# With a mark, a comment, CRLF and no end of line.\r\ncontroller:\r\n  replicas: 3",
    b"models:\n  m: &m {format: sklearn, storageUri: 's3://a/b'}\n  o: *m\n",
    b"",
]


@pytest.mark.usefixtures("spy")
def test_helm_is_given_each_source_as_it_was_read(tmp_path):
    files = [tmp_path / name for name in ("a.yaml", "b, c=d.yaml", "e f.yaml", "g.yaml")]
    for file, content in zip(files, CONTENTS, strict=True):
        file.write_bytes(content)
    values = read(files)
    # Whatever becomes of a file afterwards, what was checked is what Helm is given.
    files[0].write_bytes(b"controller: {replica: 7}\n")
    files[1].unlink()
    assert received(values) == CONTENTS


@pytest.mark.parametrize("program", ["helm", "helm3"])
def test_what_changes_after_the_check_is_not_rendered(program, tmp_path):
    file = tmp_path / "my.yaml"
    file.write_text("controller: {replicas: 2}\n")
    values = read([file])
    file.write_text("controller: {replicas: 3}\n")
    assert "replicas: 2" in platform(values, helm=program)
    helm.lint(rendering.STOCK, values, helm=program)


def run(arguments: Sequence[object], monkeypatch, capfd) -> tuple[int, str, str]:
    """A command, in this process: its exit code, what it printed, what it logged."""
    monkeypatch.setattr(sys, "argv", ["generator", *map(str, arguments)])
    code = 0
    try:
        main.main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    return code, *capfd.readouterr()


def feed(path: Path, content: bytes) -> threading.Thread:
    """A pipe that a single reader gets the content from, once; a second one would wait for ever."""
    os.mkfifo(path)
    thread = threading.Thread(target=path.write_bytes, args=(content,), daemon=True)
    thread.start()
    return thread


COMMANDS = {
    "validate": [],
    "manifests": ["-o", "OUT"],
    "chart": ["-o", "OUT"],
    "build": ["-o", "OUT"],
    "images": [],
    "routes": ["examples/inferenceservices/flowers.yaml"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_reads_a_pipe_once_and_does_with_it_what_it_does_with_a_file(
    command, tmp_path, monkeypatch, capfd
):
    monkeypatch.chdir(rendering.ROOT)
    file = CASES["istio-virtual-service"]
    results = []
    for kind in ("file", "pipe"):
        folder = tmp_path / kind
        folder.mkdir()
        writer = feed(folder / "fifo", file.read_bytes()) if kind == "pipe" else None
        source = folder / "fifo" if writer else file
        words = [str(folder / "out") if word == "OUT" else word for word in COMMANDS[command]]
        code, out, err = run([command, *words, "-f", source], monkeypatch, capfd)
        assert code == 0, err
        written = {
            file.relative_to(folder): file.read_bytes()
            for file in sorted((folder / "out").rglob("*"))
            # What names its inputs may name them.
            if file.is_file() and file.name != "SHA256SUMS"
        }
        results.append((out.replace(str(folder), ""), written))
        if writer:
            writer.join(timeout=10)
            assert not writer.is_alive()
    assert results[0] == results[1]


@pytest.mark.parametrize("name", ["-", "/dev/stdin"])
def test_models_from_standard_input_are_rendered(name, tmp_path):
    content = CASES["sklearn-iris"].read_bytes()
    words = [sys.executable, "-m", "generator", "manifests", "-f", name, "-o", str(tmp_path)]
    subprocess.run(words, cwd=rendering.ROOT, input=content, check=True, capture_output=True)
    names = [file.name for file in tmp_path.rglob("*sklearn-iris.yaml")]
    assert "inferenceservice-sklearn-iris.yaml" in names
    # What fills the pipe has failed: the models that are there stay.
    done = subprocess.run(words, cwd=rendering.ROOT, input=b"", check=False, capture_output=True)
    assert done.returncode == 1
    assert b"ends without a value; did what writes it fail" in done.stderr
    assert [file.name for file in tmp_path.rglob("*sklearn-iris.yaml")] == names


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-"])
def test_a_stream_that_is_closed_changes_nothing_of_what_is_rendered(closed, tmp_path):
    values = tmp_path / "my.yaml"
    values.write_text("models: {m: {format: sklearn, storageUri: 's3://a/b'}}\n")
    argv = [sys.executable, "-m", "generator", "manifests", "-f", values, "-o", tmp_path / "out"]
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {closed}', "sh", *map(str, argv)],
        cwd=rendering.ROOT,
        timeout=60,
        capture_output=True,
        check=False,
    )
    # What cannot be printed is an error, after all is written.
    assert done.returncode == (1 if closed == ">&-" else 0)
    assert (tmp_path / "out" / "30-models" / "default" / "inferenceservice-m.yaml").is_file()
    assert (tmp_path / "out" / "SHA256SUMS").is_file()


def test_two_sources_are_merged_as_two_files_are(tmp_path):
    writers = [
        feed(tmp_path / "one", b"controller: {replicas: 2}\nrouting: {domain: a.example}\n"),
        feed(tmp_path / "two", b"controller: {replicas: 4}\n"),
    ]
    values = read([tmp_path / "one", tmp_path / "two"])
    text = platform(values)
    assert "replicas: 4" in text
    assert "a.example" in text
    for writer in writers:
        writer.join(timeout=10)


# Documents as people write them: every style, anchors, aliases, merges; and what only looks right.
WORDS = st.sampled_from(
    ["a", "b", "on", "off", "yes", "~", "null", "true", "1", "1.5", "012", "1e3", "1_000", "0x1F", "-0", "+1", ".5", "<<", "!", "&", "*", "-", "?", ":", "{", "[", "|", ">", "'", '"', "%"]
    + ["", "!!str 1", "!foo x", "&a 1", "*a", "&a {b: 1}", "<<: *a", "2024-01-01", "12:30", "\t", "é"]
    + ["|\n  lines\n   of text\n", ">-\n  folded\n  text\n", "'it''s'", '"\\u00e9\\n"', "# note"]
)  # fmt: skip
LINES = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", "", "  ", "    ", "- ", "  - "]),
    st.sampled_from(["", "a: ", "b: ", "c:", "? ", '"d": ', "{e: 1, f: ", "[1, "]),
    WORDS,
    st.sampled_from(["", "", "", "}", "]", " # note", ":"]),
)
TEXTS = st.lists(LINES, max_size=6).map("\n".join)


@settings(max_examples=400, deadline=None)
@given(text=TEXTS | st.text(max_size=40))
@example(text="%YAML 9.9\n--- a\n")
@example(text="a: &a [*a]")
@example(text="? {a: b}\n: c")
@example(text="a: !!float x")
@example(text="a: !!timestamp 2024-99-99")
@example(text="- " * 90 + "a")
def test_any_text_is_read_or_refused(text):
    try:
        document = Source("any.yaml", text.encode()).document()
    except GeneratorError as error:
        assert str(error).startswith("any.yaml:")
    else:
        json.dumps(document.data, allow_nan=False)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(content):
    with suppress(ValuesError):
        Source("any.yaml", content).document()


@pytest.fixture(scope="module")
def mirror(tmp_path_factory):
    """A chart that prints the values that it is given."""
    return rendering.printing_chart(tmp_path_factory.mktemp("mirror"))


def is_accepted(text: str) -> bool:
    """Whether we would take the text, and it says something."""
    try:
        return bool(Source("any.yaml", text.encode()).document().data)
    except ValuesError:
        return False


def as_helm_reads(values: Values, chart: Path, program: str) -> object:
    """The values as a template has them."""
    text = helm.template(chart, values, release="x", namespace="y", helm=program)
    said = json.loads(yaml.safe_load(text)["values"])
    said.pop("global", None)
    return said


def without_null(value: object) -> object:
    if isinstance(value, dict):
        return {key: without_null(child) for key, child in value.items() if child is not None}
    return value


# Well-formed documents: scalars of every kind, anchors, aliases, merges.
ANCHORS = (
    "base: {x: &x {a: 1, c: [2, null]}, w: &w text, z: &z [{a: *w}, *x], v: &x {a: 3, d: ''}}\n"
)
SCALARS = st.sampled_from(
    ["1", "-7", "0", "1.5", "0x1F", "+1", ".5", "1.0e+3", "true", "False", "null", "~", "a b", "é",
     "a:b", "'it''s'", '"\\u00e9\\n"', '"1"', "'on'", "!!str 7", "!!str", "*w", "*x", "*z", "''", "v1",
     "-x", "a#b", "http://x:80/y", "9007199254740992", "1.10", "0.1", "1:x", "<<", "no way", "TRUE", "NULL"]
)  # fmt: skip
KEYS = st.sampled_from(["a", "b", "c", "'d e'", '"1"', "<<", "e.f", "*w ", "1", "null", "on"])
TREES = st.recursive(
    SCALARS,
    lambda child: (
        st.lists(child, max_size=3).map(lambda parts: f"[{', '.join(parts)}]")
        | st.dictionaries(KEYS, child, max_size=4).map(
            lambda parts: f"{{{', '.join(f'{key}: {value}' for key, value in parts.items())}}}"
        )
        | child.map(lambda part: f"&x {part}" if part[0] not in "*&" else part)
    ),
    max_leaves=8,
)


@pytest.mark.parametrize("program", ["helm", "helm3"])
@settings(
    max_examples=5,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],  # Shrinking would call Helm hundreds of times.
)
@given(
    trees=st.lists(
        TREES.filter(lambda scalar: is_accepted(f"{ANCHORS}k: {scalar}")), min_size=20, max_size=40
    )
)
def test_what_we_read_is_what_helm_reads(program, mirror, trees):
    # One Helm for several documents, each below a key of its own.
    file = mirror.parent / f"{program}.yaml"
    file.write_text(ANCHORS + "".join(f"k{at}: {tree}\n" for at, tree in enumerate(trees)))
    with suppress(ValuesError):  # An anchor may be defined anew in between.
        values = Values.parsed([file])
        assert without_null(values.merged) == without_null(as_helm_reads(values, mirror, program))


# What a user may get wrong about a file; each ended in a traceback, a hang or a wrong answer.
BROKEN = {
    "binary": b"\x89PNG\r\n\x1a\n\x00\x00",
    "latin-1": "a: Stra\xdfe".encode("latin-1"),
    "utf-16": "a: 1".encode("utf-16"),
    "tag": b"controller: {replicas: !foo 2}",
    "bomb": b"a: &a [b, b, b]\n"
    + b"".join(b"%c: &%c [%s]\n" % (n, n, b",".join([b"*%c" % (n - 1)] * 9)) for n in range(98, 110)),
    "deep": b"a: " + b"[" * 100_000,
    "deep blocks": b"".join(b" " * n + b"a:\n" for n in range(1200)),
    "list": b"- a",
    "text": b"hello",
    "documents": b"a: 1\n---\nb: 2\n",
    "tab": b"controller:\n\treplicas: 2\n",
    "list for a mapping": b"controller: [a]",
    "mapping for a list": b"controller: {tolerations: {}}",
    "digits": b"controller: {replicas: " + b"9" * 5000 + b"}",
    "nothing below": b"models:\n  # m: {format: sklearn}\n",
    "name with a space": b"customRuntimes: {a b: {spec: {containers: []}}}",
    "object with a space": b"extraObjects: {a: {apiVersion: v1, kind: Secret, metadata: {name: a b}}}",
    "object twice": b"extraObjects: {a: {apiVersion: v1, kind: ConfigMap,"
    b" metadata: {name: inferenceservice-config, namespace: kserve}}}",
    "object of text": b"extraObjects: {a: hello}",
    "object without a name": b"extraObjects: {a: {apiVersion: v1, kind: Secret, metadata: {}}}",
    "empty variable": b"models: {m: {format: sklearn, storageUri: 's3://a/b', env: {A: {}}}}",
}  # fmt: skip


@pytest.mark.parametrize("command", ["validate", "manifests", "chart", "build"])
@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_ends_in_a_sentence_and_writes_nothing(
    name, command, tmp_path, monkeypatch, capfd
):
    file = tmp_path / "my.yaml"
    file.write_bytes(BROKEN[name])
    words = [] if command == "validate" else ["-o", tmp_path / "out"]
    code, out, err = run([command, *words, "-f", file], monkeypatch, capfd)
    assert (code, out) == (1, "")
    assert "Traceback" not in err
    assert "a mistake in kserve-lite" not in err
    assert len(err) < 2_000
    assert err.startswith(f"{file}:") or name == "empty variable"
    assert "; " in err or "is not a " in err
    assert not (tmp_path / "out").exists()


def test_a_mistake_of_ours_is_a_line_and_a_traceback_for_who_asks(monkeypatch, capfd):
    def fail(*_):
        raise KeyError("some" * 100)

    monkeypatch.setattr("generator.values.check.read", fail)
    code, _, err = run(["validate"], monkeypatch, capfd)
    assert code == 1
    assert err.startswith("a mistake in kserve-lite, not in your files: KeyError: 'some")
    assert (err.count("\n"), "KSERVE_LITE_DEBUG=1" in err) == (1, True)
    monkeypatch.setenv("KSERVE_LITE_DEBUG", "1")
    code, _, err = run(["validate"], monkeypatch, capfd)
    assert (code, "Traceback (most recent call last)" in err) == (1, True)
