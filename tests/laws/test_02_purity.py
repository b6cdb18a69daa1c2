"""Law 2: rendering is a function of chart and values, and of nothing else."""

import re
import sys

import pytest

from generator import CHART, MODELS, process
from generator.chart.rendering import render
from tests.rendering import CASES, CHART_CASES, ROOT, objects

IMPURE = re.compile(
    r"\b(lookup|genCA\w*|genSelfSignedCert\w*|genSignedCert\w*|genPrivateKey|rand[A-Z]\w*|now|"
    r"uuidv4|htmlDate\w*|date|getHostByName|env|expandenv|shuffle|bcrypt|htpasswd|derivePassword)\b"
)
ACTION = re.compile(r"\{\{-?(?!-? ?/\*)(.*?)-?\}\}", re.DOTALL)


def impurities(files: dict[str, str]) -> list[str]:
    """Every call of a function, or gate, that makes a render depend on more than its values."""
    found = []
    for path, text in files.items():
        for action in ACTION.finditer(text):
            # Neither text nor a field of that name is a call.
            code = re.sub(r'"(?:[^"\\]|\\.)*"|[.$]\w[\w.]*', '""', action[1])
            if IMPURE.search(code) or "Capabilities" in action[1]:
                found.append(f"{path}: {action[0]}")
        if "helm.sh/hook" in text:
            found.append(f"{path}: a hook")
    return found


def test_no_template_calls_anything_impure():
    for chart, least in ((CHART, 50), (MODELS, 14)):
        files = {p: text for p, text in render(chart=chart).items() if p.startswith("templates/")}
        assert len(files) >= least
        assert impurities(files) == []


@pytest.mark.parametrize(("chart", "case"), CHART_CASES)
def test_no_object_is_a_hook(chart, case):
    for manifest in objects(case, chart=chart):
        annotations = manifest["metadata"].get("annotations", {})
        assert not [key for key in annotations if key.startswith("helm.sh/hook")]


@pytest.mark.parametrize("case", ["everything-on", "awkward-scalars", "pipeline"])
def test_the_same_bytes_whatever_the_surroundings(case, tmp_path):
    seen = []
    for seed, zone, language, folder in (
        ("0", "UTC", "C", ROOT),
        ("4711", "Asia/Kathmandu", "tr_TR.UTF-8", tmp_path),
    ):
        environment = {
            "PYTHONHASHSEED": seed,
            "TZ": zone,
            "LANG": language,
            "LC_ALL": language,
            "PYTHONPATH": str(ROOT),
        }
        written = {}
        for command in ("chart", "manifests"):
            target = tmp_path / seed / command
            argv = [sys.executable, "-m", "generator", command, "-f", str(CASES[case])]
            process.run([*argv, "-o", str(target)], cwd=folder, environment=environment)
            written |= {
                (command, str(file.relative_to(target))): file.read_bytes()
                for file in target.rglob("*")
                if file.is_file()
            }
        seen.append(written)
    assert len(seen[0]) > 60
    assert seen[0] == seen[1]
