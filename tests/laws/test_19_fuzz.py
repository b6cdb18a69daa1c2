"""Law 19: whatever the values, no command ends in a traceback, and what it takes is right.

Hypothesis puts right and hostile values at random places of the values API. A command refuses them
with a line, or succeeds, and then what it rendered is what kubeconform and the API server's own
formats take. `FUZZ=1000 python -m pytest tests/laws/test_19_fuzz.py` looks further.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import sys
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from generator import cli
from generator.manifests import Manifest, manifest
from generator.schema import Leaf, Node, leaves, values_schema
from generator.validation import kubeconform
from tests.laws.test_03_no_dead_value import SAMPLES
from tests.rendering import CASES, ROOT, walk

EXAMPLES = int(os.environ.get("FUZZ", "0"))
LEAVES = list(leaves(values_schema()))
BASES = ("default", "everything-on", "istio-virtual-service", "models-every-key", "istio-models")

TEXTS = [
    "", " ", "a", "a b", "a\nb", "a\n", "\ta", "{{ .x }}", "{{", "}}", "'", '"', "\\", "日本", "\u2028", "\x7f",
    "1e3", "12345678", "0x1f", "-1", "9" * 30, "-", "--flag", "-x", "a: b", "# x", "a" * 300, "../..", "/", ".", "..",
    "$(id)", "`id`", "%s", "null", "true", "~", "*", "&a", "!a", "a,b", "a=b", "a/b", "A", "a_b", "a..b", ".a", "a.",
    "https://example.com", "s3://a b", "s3:/a", "oci://", "10.0.0.0/33", "banana", "100%", "101%", "5 m", "60s", "60",
    "*.example.com", "example.com:99999", "sha256:ab", "a@sha256:" + "0" * 64, "<b>", "${VAR}", "$(VAR)",
]  # fmt: skip
NUMBERS = [0, 1, -1, 65535, 65536, 2**31, 2**63, 10**30, 0.5, 1e308, -0.0]
SHAPES = [
    None,
    True,
    False,
    [],
    [None],
    [{}],
    ["a", "a"],
    {},
    {"a": None},
    {"a": {}},
    {"": "a"},
    {"a b": "a"},
]
NAMES = [
    "m",
    "another-model",
    "a-predictor",
    "1m",
    "m" * 48,
    "m" * 64,
    "a b",
    "A",
    "",
    "on",
    "m.n",
    "m_n",
    "-m",
    "123",
]

HOSTILE = st.sampled_from([*TEXTS, *NUMBERS, *SHAPES])


def right(leaf: Leaf) -> st.SearchStrategy[Any]:
    """Values of the kind that the leaf wants, not all of them in its range."""
    schema = leaf.schema
    if "x-kubernetes" in schema:
        return st.sampled_from([SAMPLES[schema["x-kubernetes"]], {}, []])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    of_kind = {
        "boolean": st.booleans(),
        "integer": st.integers(-1, 70000),
        "number": st.floats(0, 10, allow_nan=False),
        "string": st.sampled_from(TEXTS) | st.text(max_size=8),
        "array": st.lists(st.sampled_from(TEXTS), max_size=2),
        "object": st.dictionaries(st.sampled_from(TEXTS), st.sampled_from(TEXTS), max_size=2),
    }
    return st.one_of([of_kind[kind] for kind in kinds])


@st.composite
def values(draw: st.DrawFn) -> Node:
    """A case's values with some leaves replaced, and sometimes a branch."""
    data: Node = yaml.safe_load(CASES[draw(st.sampled_from(BASES))].read_text("utf-8")) or {}
    for _ in range(draw(st.sampled_from([1, 1, 1, 2, 3]))):
        leaf = draw(st.sampled_from(LEAVES))
        steps = [draw(st.sampled_from(NAMES)) if key == "*" else key for key in leaf.path]
        if draw(st.integers(0, 9)) == 0:
            put(data, steps[:-1] or steps, draw(HOSTILE))
        else:
            put(data, steps, draw(right(leaf) if draw(st.booleans()) else HOSTILE))
    return data


def put(data: Node, steps: Sequence[str], value: Any) -> None:
    for step in steps[:-1]:
        inner = data.get(step)
        data[step] = inner = dict(inner) if isinstance(inner, dict) else {}
        data = inner
    data[steps[-1]] = value


def run(*arguments: object) -> tuple[int, str, str]:
    """`python -m generator …` in this process: its exit code and what it printed."""
    out, err = io.StringIO(), io.StringIO()
    before, sys.argv = sys.argv, ["generator", *map(str, arguments)]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            cli.main()
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(bool(error.code))
    except BaseException:
        pytest.fail(f"{arguments}: {traceback.format_exc()[-3000:]}")
    finally:
        sys.argv = before
    assert "Traceback" not in err.getvalue() + out.getvalue()
    return code, out.getvalue(), err.getvalue()


def fuzz(examples: int) -> settings:
    """The same examples each time, unless FUZZ asks for more."""
    return settings(
        max_examples=EXAMPLES or examples,
        derandomize=not EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


def refused(code: int, err: str) -> bool:
    """Whether it was refused, with something to read and a place to look at."""
    if code == 0:
        return False
    note(err)
    assert code in (1, 2)
    assert err.strip()
    assert re.search(r":[0-9]+:[0-9]+: ", err), f"no line and column: {err}"
    assert len(err) < 20_000
    return True


# The API server's own formats, which a JSON schema does not hold.
LABEL = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
SUBDOMAIN = r"(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
FORMATS = {
    "name": SUBDOMAIN,
    "label key": rf"({SUBDOMAIN}/)?{LABEL}".replace("(?=.{1,253}$)", ""),
    "label value": rf"({LABEL})?",
    "variable": r"[^=\x00-\x1f\x7f-\uffff]+",
    "quantity": r"\+?([0-9]+(\.[0-9]*)?|\.[0-9]+)([numkMGTPE]|[KMGTPE]i|[eE][-+]?[0-9]+)?",
    "image": r"[^\s:@]+(:[0-9]+)?(/[a-z0-9._/-]+)(:[\w][\w.-]{0,127})?(@sha256:[a-f0-9]{64})?",
    "domain": rf"(\*\.)?{SUBDOMAIN}",
    "seconds": r"[0-9]+",
}


def faults(thing: Any) -> Iterator[str]:
    """What of an object an API server would refuse."""

    def wrong(kind: str, value: Any, where: str) -> Iterator[str]:
        if not (isinstance(value, str) and re.fullmatch(FORMATS[kind], value)):
            yield f"{where}: {value!r} is no {kind}"

    metadata = thing["metadata"]
    yield from wrong("name", metadata["name"], "metadata.name")
    if "namespace" in metadata:
        yield from wrong("name", metadata["namespace"], "metadata.namespace")
    for path, value in walk(thing):
        where, key = ".".join(map(str, path)), path[-1] if path else ""
        if key in ("labels", "matchLabels", "nodeSelector") and isinstance(value, dict):
            for name, text in value.items():
                yield from wrong("label key", name, where)
                yield from wrong("label value", text, where)
        elif key == "annotations" and isinstance(value, dict):
            for name, text in value.items():
                yield from wrong(
                    "label key", name.lower() if isinstance(name, str) else name, where
                )
                if not isinstance(text, str):
                    yield f"{where}.{name}: {text!r} is not text"
        elif key in ("requests", "limits") and isinstance(value, dict):
            for name, amount in value.items():
                yield from wrong("label key", name, where)
                yield from wrong("quantity", str(amount), f"{where}.{name}")
        elif key == "env" and isinstance(value, list):
            for variable in value:
                yield from wrong("variable", variable["name"], where)
        elif key == "image" and isinstance(value, str):
            yield from wrong("image", value, where)
        elif key in ("containerPort", "port") and isinstance(value, int):
            if not 0 < value < 65536:
                yield f"{where}: {value} is no port"
        elif key in ("hosts", "hostnames") and isinstance(value, list):
            for host in value:
                yield from wrong("domain", host, where)
        elif key in ("replicas", "minReplicas", "maxReplicas") and isinstance(value, int):
            if not 0 <= value < 2**31:
                yield f"{where}: {value} is no number of replicas"


def rendered(folder: Path) -> list[Manifest]:
    """The objects in a folder, CRDs aside."""
    files = [file for file in sorted(folder.rglob("*.yaml")) if file.name != "kustomization.yaml"]
    texts = [
        file.read_text("utf-8") for file in files if not file.name.startswith("customresource")
    ]
    return [manifest(text) for text in texts]


def test_manifests_takes_only_what_an_api_server_takes(tmp_path_factory):
    accepted: dict[str, tuple[Manifest, str]] = {}

    @fuzz(60)
    @given(values())
    def look(data):
        folder = tmp_path_factory.mktemp("fuzz")
        file = folder / "my.yaml"
        file.write_text(json.dumps(data))
        code, _, err = run("manifests", "-f", file, "-o", folder / "out")
        if refused(code, err):
            assert not (folder / "out").exists()
            return
        for found in rendered(folder / "out"):
            note(f"{json.dumps(data)}\n{found.text}")
            assert list(faults(yaml.safe_load(found.text))) == []
            accepted.setdefault(found.text, (found, json.dumps(data)))

    look()
    # One run of kubeconform for all of them.
    assert len(accepted) > 50
    report = kubeconform([found for found, _ in accepted.values()])
    assert list(report.problems) == []


@pytest.mark.parametrize(("command", "examples"), [("validate", 12), ("chart", 8), ("build", 6)])
def test_other_commands_refuse_or_succeed(command, examples, tmp_path_factory):
    @fuzz(examples)
    @given(values())
    def look(data):
        folder = tmp_path_factory.mktemp("fuzz")
        file = folder / "my.yaml"
        file.write_text(json.dumps(data))
        output = () if command == "validate" else ("-o", folder / "out")
        code, _, err = run(command, "-f", file, *output)
        refused(code, err)

    look()


def test_a_values_file_with_any_bytes_is_read_or_refused(tmp_path):
    whole = [file.read_bytes() for file in (*CASES.values(), *(ROOT / "examples").rglob("*.yaml"))]

    @fuzz(150)
    @given(st.data())
    def look(data):
        raw = data.draw(st.sampled_from(whole) | st.binary(max_size=200))
        for _ in range(data.draw(st.integers(0, 3))):
            at = data.draw(st.integers(0, len(raw)))
            until = min(len(raw), at + data.draw(st.integers(0, 9)))
            raw = raw[:at] + data.draw(st.binary(max_size=6) | SNIPPETS) + raw[until:]
        file = tmp_path / "my.yaml"
        file.write_bytes(raw)
        code, _, err = run("model", file)
        assert code in (0, 1)
        assert code == 0 or err.strip()

    look()


SNIPPETS = st.sampled_from(
    [
        b"\t",
        b"\r\n",
        b"\n- ",
        b": ",
        b"{",
        b"[",
        b"&a ",
        b"*a",
        b"!!python/object:x ",
        b"\xff",
        b"\x00",
        b"---\n",
        b"? ",
    ]
    + [
        b"kind: InferenceService\n",
        b"apiVersion: serving.kserve.io/v1beta1\n",
        b"spec: {predictor: {model: 1}}\n",
    ]
)
