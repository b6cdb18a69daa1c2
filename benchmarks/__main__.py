"""`make bench`: each claim as a ratio of two commands, run in turn in one go.

The machine's load and speed drop out of a ratio; the median of the rounds drops the outliers.
"""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks import fleet
from benchmarks.timing import ROOT, environment, seconds, verdict
from generator import tools

ROUNDS = 9
CHART = str(ROOT / "charts" / "kserve-lite")
MODELS = str(ROOT / "charts" / "kserve-lite-models")

# What Helm itself takes for the two objects of a model: a template that checks and chooses nothing.
BARE = """\
{{- range $name, $model := .Values.models }}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ $name }}
  namespace: {{ $.Release.Namespace }}
spec:
  selector:
    app: isvc.{{ $name }}-predictor
  ports:
  - name: http
    port: 80
    targetPort: 8080
---
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata:
  name: {{ $name }}
  namespace: {{ $.Release.Namespace }}
spec:
  predictor:
    model:
      modelFormat:
        name: {{ $model.format }}
      storageUri: {{ $model.storageUri }}
{{- end }}
"""


@dataclass(frozen=True)
class Claim:
    """`command` takes at most `limit` times as long as `base`."""

    name: str
    command: tuple[str, ...]
    base: tuple[str, ...]
    limit: float
    accept: tuple[int, ...] = (0,)
    """The exit codes of `command`."""


def ratio(claim: Claim, modules: Path) -> float:
    """The median over the rounds of command/base; the first round only warms up."""
    how = environment(modules)
    rounds = [
        seconds(claim.command, environment=how, accept=claim.accept)
        / seconds(claim.base, environment=how)
        for _ in range(ROUNDS + 1)
    ]
    return median(rounds[1:])


def claims(folder: Path) -> list[Claim]:
    """The claims, with files they need in `folder`."""
    helm = str(tools.find("helm"))
    python = sys.executable
    template = (helm, "template", "kserve-lite", CHART, "-n", "kserve")
    generator = (python, "-m", "generator")
    few, many = folder / "few.yaml", folder / "many.yaml"
    for file, count in ((few, 1), (many, 1001)):
        file.write_text(json.dumps({"extraObjects": {f"o{n}": _object(n) for n in range(count)}}))
    models = folder / "models.yaml"
    model = {"format": "sklearn", "storageUri": "s3://models/iris"}
    models.write_text(json.dumps({"models": {f"m{n}": model for n in range(1000)}}))
    bare = folder / "bare"
    (bare / "templates").mkdir(parents=True)
    (bare / "Chart.yaml").write_text("apiVersion: v2\nname: bare\nversion: 0.1.0\n")
    (bare / "templates" / "models.yaml").write_text(BARE)
    imports = (python, "-c", "import click, jinja2, yaml")
    differing = folder / "differing.yaml"
    differing.write_text("routing: {mode: virtualService, domain: example.com}\n")
    one, other = folder / "model.yaml", folder / "another.yaml"
    for file in (one, other):
        file.write_text(json.dumps({"models": {file.stem: model}}))
    whole = (*template, "--include-crds")
    differs = (1,)
    return [
        Claim(
            "generator diff of values without models, to helm template with CRDs",
            (*generator, "diff", str(few), str(differing)),
            whole,
            3.5,
            differs,
        ),
        Claim(
            "generator diff of values with models, to helm template with CRDs",
            (*generator, "diff", str(one), str(other)),
            whole,
            5,
            differs,
        ),
        Claim(
            "helm template, default, with CRDs",
            whole,
            (helm, "version"),
            1.8,
        ),
        Claim("generator chart", (*generator, "chart", "-o", "charts", "--check"), imports, 2.5),
        Claim(
            "generator images, everything on",
            (*generator, "images", "-f", "values/everything-on.yaml"),
            imports,
            3,
        ),
        Claim("generator validate", (*generator, "validate"), template, 5),
        Claim(
            "helm template of 1000 more objects",
            (*template, "-f", str(many)),
            (*template, "-f", str(few)),
            4,
        ),
        Claim(
            "helm template of 1000 models, to a bare template",
            (helm, "template", "models", MODELS, "-f", str(models)),
            (helm, "template", "models", str(bare), "-f", str(models)),
            2.5,
        ),
        Claim(
            "generator validate of 1000 models",
            (*generator, "validate", "-f", str(models)),
            (helm, "template", "models", MODELS, "-f", str(models)),
            5,
        ),
    ]


def _object(number: int) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": f"object-{number}", "namespace": "default"},
        "data": {"number": str(number)},
    }


def main() -> int:
    """Print a line a claim; 1 if one does not hold."""
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        for claim in claims(Path(folder)):
            missed += not verdict(claim.name, ratio(claim, Path(folder)), claim.limit)
    return 1 if missed + fleet.main() else 0


if __name__ == "__main__":
    raise SystemExit(main())
