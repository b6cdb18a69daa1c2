"""Law 17: a promise has a witness.

A sentence of ours that speaks of requests, pods, images, clouds or somebody else's software is a
promise. tests/promises.yaml has each of them under what vouches for it: a test, or a source where no
test can run here.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml

from generator.schema import values_schema
from tests.rendering import ROOT, walk

PROMISES = ROOT / "tests" / "promises.yaml"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMENTED = [
    *sorted((ROOT / "values").glob("*.yaml")),
    *sorted((ROOT / "examples").rglob("*.yaml")),
]

# What a sentence speaks of when it can be wrong about the world.
SUBJECT = re.compile(
    r"""\b(
      requests? | pods? | images? | nodes? | clusters? | gateways? | webhooks? | Ingress(es)? | [A-Z]\w+Routes?
    | VirtualServices? | Deployments? | containers? | Secrets? | certificates? | buckets? | GPUs?
    | answers? | reach(es|able)? | restarts? | served? | serves | predicts? | scales? | surviv\w+ | prun\w+
    | KServe | Helm | Istio | Knative | KEDA | Envoy | Prometheus | cert-manager | OpenShift | SCC | GKE | EKS
    | AWS | ALB | S3 | Argo\ CD | Flux | kubectl | kubelet | Triton | MLServer | vLLM
    )\b""",
    re.VERBOSE,
)
# A source names what was read, its version or date, and where: a path in it, or a page.
SOURCE = re.compile(
    r"source: .+ (v[0-9][\w.-]*|[0-9]{4}-[0-9]{2}-[0-9]{2})[,:] .*(/|\.(go|py|md|yaml)|https://)"
)


def sentences(text: str) -> Iterator[str]:
    """The sentences of a paragraph, white space made single, without what only marks it up."""
    plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", " ".join(text.split()))
    plain = re.sub(r"^([-*|#>]+|[0-9]+\.) *", "", plain)
    yield from (part for part in re.split(r"(?<=[.!?]) +(?=[A-Z`\[(])", plain) if part)


def of_page(text: str) -> Iterator[str]:
    """The sentences of a Markdown page: paragraphs, list items, table rows; no code blocks."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    for paragraph in re.split(r"\n\s*\n|\n(?=[-*|#>]|[0-9]+\.)", prose):
        yield from sentences(paragraph)


def of_comments(text: str) -> Iterator[str]:
    """The sentences in the comments of a YAML file; neighbouring lines belong together."""
    lines = [re.fullmatch(r"\s*#( ?.*)", line) for line in text.splitlines()]
    blocks = "\n".join(match[1] if match and match[1].strip() else "" for match in lines)
    for block in re.split(r"\n\s*\n", blocks):
        yield from sentences(block)


def of_schema() -> Iterator[tuple[str, str]]:
    """The sentences of the values' descriptions, each with the path of its value."""
    for path, text in walk(values_schema()):
        if path[-1:] == ("description",) and isinstance(text, str):
            keys = (
                str(key) for key in path[:-1] if key not in ("properties", "additionalProperties")
            )
            yield from ((".".join(keys), sentence) for sentence in sentences(text))


@cache
def promises() -> dict[str, str]:
    """Every promise, with one place where it is made."""
    found = {}
    for page in PAGES:
        found |= dict.fromkeys(of_page(page.read_text("utf-8")), page.name)
    for file in COMMENTED:
        name = file.relative_to(ROOT).as_posix()
        found |= dict.fromkeys(of_comments(file.read_text("utf-8")), name)
    found |= {text: f"values.schema.yaml: {path}" for path, text in of_schema()}
    return {text: place for text, place in found.items() if SUBJECT.search(text)}


def witnesses() -> dict[str, list[str]]:
    """What vouches for which promises."""
    read: dict[str, list[str]] = yaml.safe_load(PROMISES.read_text("utf-8"))
    return read


def without_witness(made: dict[str, str], vouched: set[str]) -> list[str]:
    """The promises that nothing vouches for, as lines to show."""
    return sorted(f"{place}: {text}" for text, place in made.items() if text not in vouched)


@cache
def tests_in(file: Path) -> set[str]:
    tree = ast.parse(file.read_text("utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def is_witness(name: str) -> bool:
    """Whether a test has that name, or a source is told so that somebody can look it up."""
    if name.startswith("source: "):
        return SOURCE.match(name) is not None
    path, _, test = name.partition("::")
    file = ROOT / path
    return file.is_file() and test.startswith("test_") and test in tests_in(file)


def vouched() -> list[str]:
    return [text for texts in witnesses().values() for text in texts]


def test_every_promise_has_a_witness():
    assert len(promises()) > 150
    assert without_witness(promises(), set(vouched())) == []


def test_every_witness_vouches_for_what_is_promised_and_once():
    assert [text for text in vouched() if text not in promises()] == []
    assert len(vouched()) == len(set(vouched()))


@pytest.mark.parametrize("name", witnesses())
def test_every_witness_is_there(name):
    assert is_witness(name)
