"""The pages for contributors and for those in trouble: what they name is there, what they show exists."""

import re
import shlex
import subprocess

import pytest

from generator import tools
from generator.cli.main import cli
from generator.errors import ToolFailed
from tests import rendering
from tests.rendering import CHARTS, MODELS, ROOT, STOCK

DOCS = ROOT / "docs"
ARCHITECTURE = (DOCS / "architecture.md").read_text()
TROUBLE = (DOCS / "troubleshooting.md").read_text()
NEW = [
    *(ROOT / name for name in ("CONTRIBUTING.md", "SECURITY.md")),
    *(
        DOCS / f"{name}.md"
        for name in ("architecture", "troubleshooting", "next-kserve", "release")
    ),
]
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
# What a maintainer has, and nothing here can try.
BESIDE = {"cd", "cosign", "diff", "go", "gpg", "less", "sha256sum"}


def commands(text):
    """The lines of the console and sh blocks, continued lines joined, pipes taken apart, <(…) too."""
    for block in re.findall(r"^```(?:console|sh)\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            inner = re.findall(r"<\((.*?)\)", line)
            for part in [*re.sub(r"<\(.*?\)", "FILE", line).split(" | "), *inner]:
                words = shlex.split(part, comments=True)
                while words and re.match(r"[A-Z_]+=", words[0]):  # A variable.
                    words = words[1:]
                if words:
                    yield words


COMMANDS = [(page.name, words) for page in NEW for words in commands(page.read_text())]


def options_of(words):
    return [word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)]


def exists(words):
    """Whether a command can be run as printed: the program, its command and each of its options."""
    match words:
        case ["make", *targets]:
            return set(targets) <= TARGETS
        case ["helm", "push", *_]:
            return "oci" in rendering.helm("push", "--help").lower()
        case ["helm", command, *rest]:
            said = rendering.helm(command, "--help") + rendering.helm("template", "--help")
            return all(re.search(rf"(^|\s){option}\b", said) for option in options_of(rest))
        case ["python", "-m", "generator", command, *rest]:
            known = {name for parameter in cli.commands[command].params for name in parameter.opts}
            return set(options_of(rest)) <= known
        case ["python", "-m", "generator.tools", *names]:
            return set(names) <= set(tools.TOOLS)
        case ["python", "-m", "distribution", "-o", _] | ["python", "-m", "pip", "download", *_]:
            return True
        case [".venv/bin/python", "-m", "pytest", *rest]:
            return (ROOT / rest[-1]).exists()
        case ["git", "grep", "-n", *rest]:
            done = subprocess.run(
                ["git", "grep", "-n", *rest], cwd=ROOT, capture_output=True, check=False
            )
            # Until law 17's list is filled there is no source in it.
            return done.returncode == (
                1 if rest[-1] == "tests/promises.yaml" and _no_promises() else 0
            )
        case ["git", ("switch" | "pull" | "tag" | "push"), *_]:
            return True
        case ["kubectl", *_]:
            return True  # tests/cluster/test_troubleshooting.py runs them.
        case [program, *_]:
            return program in BESIDE


def _no_promises():
    return "source: " not in (ROOT / "tests" / "promises.yaml").read_text()


@pytest.mark.parametrize(
    ("page", "words"),
    COMMANDS,
    ids=lambda words: words if isinstance(words, str) else " ".join(words)[:50],
)
def test_a_command_exists(page, words):
    assert exists(words), f"{page}: {' '.join(words)}"


@pytest.mark.parametrize(
    "line",
    [
        "make relase",
        "helm upgrade a b --reuse-value",
        "python -m generator manifests --dryrun",
        "python -m generator.tools hlem",
        ".venv/bin/python -m pytest tests/unit/test_nothing.py",
        "git grep -n 'no such text in any of the files here' -- docs",
        "kustomize build .",
    ],
)  # fmt: skip
def test_a_command_that_does_not_exist_is_seen(line):
    assert not exists(shlex.split(line))


def test_kubectl_is_only_shown_where_a_cluster_runs_it():
    assert {page for page, words in COMMANDS if words[0] == "kubectl"} == {"troubleshooting.md"}


def slugs(text):
    """The anchors that GitHub gives the headings of a page."""
    headings = re.findall(
        r"^#+ (.*)$", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S), re.MULTILINE
    )
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [*NEW, *DOCS.glob("*.md")], ids=lambda page: page.name)
def test_every_anchor_is_a_heading(page):
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#([^)]+)\)", page.read_text()):
        there = page.parent / target if target else page
        assert anchor in slugs(there.read_text()), f"{target}#{anchor}"


@pytest.mark.parametrize("page", NEW, ids=lambda page: page.name)
def test_every_file_and_every_test_that_a_page_names_is_there(page):
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    names = [
        path
        for path in re.findall(r"`([^`\s]+)`", text)
        if re.fullmatch(r"\.?[\w-]+/[\w./*-]*", path)
    ]
    elsewhere = {
        "build/",
        "dist/",
        "python/predictiveserver/uv.lock",
        "cmd/manager",
        "templates/validate.yaml",
    }
    rooms = "|".join(file.parent.name for file in (ROOT / "generator").glob("*/__init__.py"))
    # Compared with the folder below.
    elsewhere |= set(re.findall(rf"`((?:{rooms})/\w+\.py)`", text))
    for name in set(names) - elsewhere:
        assert list(ROOT.glob(name.strip("/"))), name
    defined = {
        name
        for file in (ROOT / "tests").rglob("test_*.py")
        for name in [file.stem, *re.findall(r"def (test_\w+)", file.read_text())]
    }
    for name in re.findall(r"`(test_\w+)…?`", text):
        assert any(
            variable == name or (name.endswith("_") and variable.startswith(name))
            for variable in defined
        ), name


# --- architecture.md --------------------------------------------------------------------------------


def listed_modules():
    section = ARCHITECTURE.partition("## The modules")[2].partition("Beside the generator")[0]
    rows = re.findall(r"^\| [^|]+ \| ((?:`[\w/]+\.py` ?)+)\|", section, re.MULTILINE)
    return [name for row in rows for name in re.findall(r"`(.+?)`", row)]


def test_the_table_of_rooms_has_every_module_once():
    listed = listed_modules()
    folder = ROOT / "generator"
    there = {file.relative_to(folder).as_posix() for file in folder.rglob("*.py")}
    assert sorted(listed) == sorted(
        path for path in there if not path.endswith(("__init__.py", "__main__.py"))
    )
    # Nowhere else on the page, so that there is one list to change.
    assert set(re.findall(r"`((?:\w+/)*\w+\.py)`", ARCHITECTURE)) == set(listed)


def test_the_table_of_laws_has_every_law_in_order():
    rows = re.findall(r"^\| (\d+) \| [^|]+ \| ([^|]+) \|$", ARCHITECTURE, re.MULTILINE)
    numbers = [int(number) for number, _ in rows]
    assert numbers == list(range(1, len(rows) + 1))
    linked = {
        (int(number), name)
        for number, links in rows
        for name in re.findall(r"laws/(test_\d+\w*)\.py", links)
    }
    files = {file.stem for file in (ROOT / "tests" / "laws").glob("test_[0-9]*.py")}
    assert linked == {(int(name[5:7]), name) for name in files}


def test_every_folder_of_the_repository_is_said():
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    folders = {path.partition("/")[0] for path in tracked.stdout.splitlines() if "/" in path}
    said = {path.partition("/")[0] for path in re.findall(r"`([\w-]+/[\w/]*)`", ARCHITECTURE)}
    assert {folder for folder in folders if not folder.startswith(".")} - {"docs"} <= said


@pytest.mark.parametrize(
    "picture",
    # Those that `graph` draws are the business of test_diagram.py.
    re.findall(r"(?<!-->\n)^```mermaid\n(.*?)^```", ARCHITECTURE, re.M | re.S),
    ids=["charts", "values"],
)
def test_a_picture_is_one_that_mermaid_draws(picture):
    """As far as can be told without Mermaid: the shape of each line; every node has a text, once."""
    first, *lines = picture.strip().splitlines()
    assert first == "flowchart LR"
    node = r'(\w+)(?:\["([^"]+)"\]|\{"([^"]+)"\})?'
    texts, used = [], set()
    for line in lines:
        match = re.fullmatch(rf'  {node} --(?: "[^"]+" --)?> {node}', line)
        assert match, line
        for name, *text in (match.groups()[:3], match.groups()[3:]):
            used.add(name)
            texts += [name] if any(text) else []
    assert sorted(texts) == sorted(used - {"cluster"} | ({"cluster"} & set(texts)))
    assert not used & {"end", "graph", "subgraph", "style", "class"}


def test_the_recipe_ends_with_its_rehearsal():
    page = (ROOT / "docs" / "next-kserve.md").read_text()
    *_, last = re.findall("^## (.*)$", page, re.MULTILINE)
    assert last.startswith("Rehearsed: KServe 0.21")


# --- troubleshooting.md -----------------------------------------------------------------------------


def test_what_the_generator_is_quoted_with_it_says():
    section = TROUBLE.partition("## The generator says no")[2]
    quoted = re.findall(r"^### `(.+)`$", section, re.MULTILINE)
    assert len(quoted) >= 4
    source = "\n".join(file.read_text() for file in (ROOT / "generator").rglob("*.py"))
    joined = re.sub(r'"\s*\n\s*f?"', "", source).replace("{how}", "run")
    for words in quoted:
        assert words.replace("missing; run", "missing; ") in joined, words


def test_helm_3_refuses_to_render_without_a_version_and_renders_with_it():
    (said,) = re.findall(r"^### `(chart requires kubeVersion.*)`$", TROUBLE, re.MULTILINE)
    with pytest.raises(ToolFailed, match=re.escape(said)):
        rendering.helm("template", "kserve-lite", str(STOCK), program="helm3")
    (command,) = [words for words in commands(TROUBLE) if words[:2] == ["helm", "template"]]
    shown = [str(STOCK) if word == "charts/kserve-lite" else word for word in command[1:]]
    assert "kind: Deployment" in rendering.helm(*shown, program="helm3")


@pytest.mark.parametrize("program", ["helm", "helm3"])
@pytest.mark.parametrize(
    ("words", "chart", "value"),
    [
        ("missing property", STOCK, "controller.image.tag=null"),
        ("got null, want object", CHARTS[MODELS], "models.iris=null"),
    ],
)
def test_what_helm_says_of_null(program, words, chart, value):
    assert f"### `{words}`" in TROUBLE
    with pytest.raises(ToolFailed, match=words):
        rendering.helm(
            "template", "a", str(chart), "--kube-version=1.34", "--set", value, program=program
        )
