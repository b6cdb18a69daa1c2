"""Law 18: waiting ends, and means something. On a cluster: tests/cluster/test_waiting.py."""

import re
import shlex

import pytest

from generator.manifests import parsing
from generator.manifests.kubeconform import check
from tests.cluster.harness.waiting import READY
from tests.rendering import CHARTS, ROOT

PAGE = ROOT / "docs" / "waiting.md"
NOTES = [chart / "templates" / "NOTES.txt" for chart in CHARTS.values()]
PAGES = [
    ROOT / "README.md",
    ROOT / "Makefile",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted(file for folder in ("examples", "values") for file in (ROOT / folder).rglob("*.*")),
]
PYTHON = sorted(file for folder in ("cluster", "../benchmarks") for file in (ROOT / "tests" / folder).glob("*.py"))  # fmt: skip
SHOWN = {ROOT / "tests/cluster/test_waiting.py"}  # They show that it hangs.

KSERVE = {
    *("inferenceservice", "inferenceservices", "isvc"),
    *("inferencegraph", "inferencegraphs", "trainedmodel", "trainedmodels"),
}
# Kinds whose controllers count their own object's changes, or none.
CONDITIONS = {"ksvc": "Ready", "crd": "Established", "job": "Complete"}
# What is waited for before that: kubectl fails on a CRD that has no conditions yet.
FIRST = {"crd": "--for=jsonpath={.status.conditions[0].status}=True"}
NEVER_WITH_MODELS = {"--wait", "--atomic", "--rollback-on-failure"}


def commands(text: str) -> list[list[str]]:
    """The commands of kubectl and Helm in a page or in NOTES, as words.

    A template's action counts as a word. One that names nothing is talked about and not recommended.
    """
    text = re.sub(r"\{\{.*?\}\}", "x", text, flags=re.DOTALL).replace("\\\n", " ")
    lines = re.findall(r"(?<![\w./-])(?:kubectl|helm) [^`\n]*", text)
    found = [split(line.partition(" | ")[0]) for line in lines]
    return [words for words in found if len(arguments(words)) > 2]


def split(line: str) -> list[str]:
    """The words of a line as a shell reads it; none where prose goes on with an apostrophe."""
    try:
        return shlex.split(line)
    except ValueError:
        assert " wait " not in line and "rollout" not in line, line
        return []


def arguments(words: list[str]) -> list[str]:
    """A command without its options: program, verb, and what it is about."""
    words = [word for at, word in enumerate(words) if words[at - 1] not in ("-n", "-l", "-f")]
    return [word for word in words if not word.startswith("-")]


def faults(text: str) -> list[str]:
    """Every wait in a text that may hang, or return too early."""
    found = []
    for words in commands(text):
        program, verb, what, *_ = arguments(words)
        line = shlex.join(words)
        if program == "helm" and any("kserve-lite-models" in word for word in words):
            found += [f"{line}: {word}" for word in words if word in NEVER_WITH_MODELS]
        waits = program == "kubectl" and (verb == "wait" or (verb, what) == ("rollout", "status"))
        if waits and not any(word.startswith("--timeout=") for word in words):
            found.append(f"{line}: no --timeout")
        if waits and verb == "wait":
            kind = what.partition("/")[0]
            (awaited,) = (word for word in words if word.startswith("--for="))
            if not means_something(kind, awaited):
                found.append(f"{line}: {kind} {awaited}")
    return found


def means_something(kind: str, awaited: str) -> bool:
    """Whether what is awaited of a kind says that it is there, and ends."""
    if kind in KSERVE:
        return awaited == READY
    if kind in CONDITIONS:
        return awaited in (f"--for=condition={CONDITIONS[kind]}", FIRST.get(kind))
    return (
        awaited == "--for=create" or re.fullmatch(r"--for=jsonpath=\{.*\}=.+", awaited) is not None
    )


@pytest.mark.parametrize("file", [*PAGES, *NOTES], ids=lambda file: str(file.relative_to(ROOT)))
def test_every_wait_is_one_of_those_that_are_tested(file):
    assert faults(file.read_text("utf-8")) == []


@pytest.mark.parametrize("file", [ROOT / "README.md", PAGE, *NOTES], ids=lambda file: file.parts[-3])  # fmt: skip
def test_whoever_installs_a_model_is_told_how_to_wait(file):
    awaited = [word for words in commands(file.read_text("utf-8")) for word in words]
    assert READY in awaited


@pytest.mark.parametrize("file", PYTHON, ids=lambda file: file.name)
def test_our_own_tests_wait_like_that(file):
    found = {*re.findall(r"--for=condition=(\w+)", file.read_text("utf-8"))}
    assert file in SHOWN or found <= {*CONDITIONS.values()} - {"Ready"}


def test_flux_knows_what_the_page_says_to_write():
    """The objects are checked against the schemas of Flux's own CRDs, which know no other field."""
    text = PAGE.read_text("utf-8")
    shown = re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    actions = re.findall(r"`(\w+)\.disableWait: true`", text)
    assert actions == ["install", "upgrade"]
    release = """
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: iris
spec:
  interval: 10m
  chartRef: {kind: OCIRepository, name: iris}
"""
    release += "".join(f"  {action}: {{disableWait: true}}\n" for action in actions)
    report = check([manifest for text in (*shown, release) for manifest in parsing.split(text)])
    assert (report.valid, report.problems) == (2, ())
