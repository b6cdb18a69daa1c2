"""Law 17: a promise has a witness.

A sentence of ours that speaks of requests, pods, images, clouds or somebody else's software is a
promise. tests/promises.yaml has each of them under what vouches for it: a test, or a source where no
test can run here.
"""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from generator.values.schema import values_schema
from tests.rendering import ROOT, walk

PROMISES = ROOT / "tests" / "promises.yaml"
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "generator" / "data" / "templates").glob("*/*.md.j2")),
]
COMMENTED = [
    *sorted((ROOT / "values").glob("*.yaml")),
    # What is generated says what the templates say.
    *(file for file in sorted((ROOT / "examples").rglob("*.yaml")) if "clusters" not in file.parts),
]

# What a sentence speaks of when it can be wrong about the world.
SUBJECT = re.compile(
    r"""\b(
      (?<!pull\ )requests? | pods? | images? | nodes? | clusters? | gateways? | webhooks? | Ingress(es)? | [A-Z]\w+Routes?
    | VirtualServices? | Deployments? | containers? | Secrets? | certificates? | buckets? | GPUs? | CRDs?
    | InferenceServices? | InferenceGraphs? | TrainedModels? | Services? | Jobs? | Routes? | routes? | hosts?
    | controllers? | predictors? | transformers? | explainers? | agents? | routers? | sidecars? | mesh
    | load\ balancers? | kubelet | probes? | metrics | firewalls? | TLS | CA
    | answers? | reach(es|able)? | restarts? | served? | serves | predicts? | scales? | surviv\w+ | prun\w+
    | fetch(es|ed)? | downloads? | hangs? | refuse[sd]?
    | Kubernetes'? | KServe | Helm | helm | Istio | Knative | KEDA | Envoy | Prometheus | cert-manager
    | OpenShift | SCC | Pod\ Security | GKE | EKS | AWS | ALB | S3 | Argo\ CD | Flux | kubectl
    | Triton | MLServer | vLLM | upstream
    )\b""",
    re.VERBOSE,
)
# A source names what was read, its version or the day, and where: a path in it, or a page. What
# comes after that are words that stand there.
SOURCE = re.compile(
    r"source: (?P<name>\S.*?) (?P<version>v[0-9][\w.+-]*|[0-9]{4}-[0-9]{2}-[0-9]{2}): "
    r"(?P<where>https://\S+?|[^\s:]*[/.][^\s:]*)(?:: (?P<words>\S.*))?"
)
HOW = """
Under which test of tests/ would this be seen, if it were untrue? List it there in tests/promises.yaml;
write that test if there is none; name a source if it cannot run here; or promise less:
"""


def sentences(text: str) -> Iterator[str]:
    """The sentences of a paragraph, white space made single, without what only marks it up."""
    plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", " ".join(text.split()))
    plain = re.sub(r"^([-*|#>]+|[0-9]+\.) +", "", plain).replace("**", "").removesuffix(" |")
    # A full stop ends a sentence even if the next begins with a file's name in small letters.
    parts = re.split(r"(?:(?<=[.!?])|(?<=[.!?]\)))(?<!\be\.g\.)(?<!\bi\.e\.) +", plain)
    # In a table it may be the next cell that follows.
    yield from (part.removeprefix("| ") for part in parts if part not in ("", "|"))


def of_page(text: str) -> Iterator[str]:
    """The sentences of a Markdown page: paragraphs, list items, rows of tables.

    Neither code, nor headings, nor what stands above the line of a table.
    """
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    prose = re.sub(r"^#.*$|^\{@.*@\}\n|^\|.*\n\|[-|]+\|$", "", prose, flags=re.MULTILINE)
    for paragraph in re.split(r"\n\s*\n|\n(?=[-*|>]|[0-9]+\.)", prose):
        yield from sentences(paragraph)


def of_comments(text: str) -> Iterator[str]:
    """The sentences in the comments of a YAML file; neighbouring lines belong together."""
    lines = [re.fullmatch(r"\s*#( ?.*)", line) for line in text.splitlines()]
    blocks = "\n".join(match[1] if match and match[1].strip() else "" for match in lines)
    # What stands behind a value is a comment of its own.
    blocks += "".join(f"\n\n{behind}" for behind in re.findall(r"^[^#\n]*\S +# (.*)$", text, re.M))
    for block in re.split(r"\n\s*\n", blocks):
        yield from sentences(block)


def of_schema(schema: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The sentences of descriptions and of examples' comments, each with the path of its value."""
    readers = {"description": sentences, "x-example": of_comments}
    for path, text in walk(schema):
        if path and path[-1] in readers and isinstance(text, str):
            keys = (
                str(key) for key in path[:-1] if key not in ("properties", "additionalProperties")
            )
            name = ".".join(keys)
            yield from ((name, sentence) for sentence in readers[str(path[-1])](text))


def said() -> Iterator[tuple[str, str]]:
    """Where something is said, and each sentence of it."""
    for page in PAGES:
        name = page.relative_to(ROOT).as_posix()
        yield from ((name, sentence) for sentence in of_page(page.read_text("utf-8")))
    for file in COMMENTED:
        name = file.relative_to(ROOT).as_posix()
        yield from ((name, sentence) for sentence in of_comments(file.read_text("utf-8")))
    for path, sentence in of_schema(values_schema()):
        yield f"generator/data/values.schema.yaml: {path}", sentence


@cache
def promises() -> dict[str, list[str]]:
    """Every promise, with the places where it is made."""
    found: dict[str, list[str]] = {}
    for source, sentence in said():
        if SUBJECT.search(sentence):
            found.setdefault(sentence, []).append(source)
    return found


def witnesses() -> dict[str, list[str]]:
    """What vouches for which promises. One that says two things may need two."""
    read: dict[str, list[str]] = yaml.safe_load(PROMISES.read_text("utf-8"))
    return read


def without_witness(made: Mapping[str, list[str]], vouched: set[str]) -> list[str]:
    """The promises that nothing vouches for, as lines to show."""
    return sorted(f"{places[0]}: {text}" for text, places in made.items() if text not in vouched)


def not_promised(made: Mapping[str, list[str]], vouched: dict[str, list[str]]) -> list[str]:
    """What something vouches for and nobody says any more, with what is said most like it."""
    found = []
    for witness, texts in vouched.items():
        for text in (text for text in texts if text not in made):
            near = difflib.get_close_matches(text, made, n=1, cutoff=0.7)
            found.append(
                f"{witness}: {text}"
                + "".join(f"\n    now it says: {sentence}" for sentence in near)
            )
    return found


@cache
def names_of_tests(file: Path) -> set[str]:
    tree = ast.parse(file.read_text("utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def is_witness(name: str) -> bool:
    """Whether a test has that name, or a source is told so that somebody can look it up."""
    if name.startswith("source: "):
        return SOURCE.fullmatch(name) is not None
    path, _, test = name.partition("::")
    file = ROOT / path
    return (
        path.startswith("tests/")
        and file.is_file()
        and test in names_of_tests(file)
        and test.startswith("test_")
    )


def test_an_examples_comments_are_read_as_a_description_is():
    example = "# A pod is made of gold.\nmodels:\n  m:\n    # Every request\n    # is free.\n    gpus: 1\n"
    models = {"description": "Each is a pod.", "x-example": example}
    schema = {"properties": {"models": models}}
    assert list(of_schema(schema)) == [
        ("models", "Each is a pod."),
        ("models", "A pod is made of gold."),
        ("models", "Every request is free."),
    ]


def test_every_promise_has_a_witness():
    assert len(promises()) > 400
    vouched = {text for texts in witnesses().values() for text in texts}
    if alone := without_witness(promises(), vouched):
        pytest.fail(
            "\n".join([f"{len(alone)} promises without a witness.", HOW, *alone]), pytrace=False
        )


def test_every_witness_vouches_for_what_is_promised_and_once():
    if gone := not_promised(promises(), witnesses()):
        text = "tests/promises.yaml lists what nobody promises any more; change or remove it there:\n\n"
        pytest.fail(text + "\n".join(gone), pytrace=False)
    for name, texts in witnesses().items():
        assert len(texts) == len(set(texts)) > 0, name


@pytest.mark.parametrize("name", witnesses())
def test_every_witness_is_there(name):
    assert is_witness(name), (
        "neither tests/FILE.py::test_NAME nor source: NAME VERSION: PATH: WORDS"
    )
