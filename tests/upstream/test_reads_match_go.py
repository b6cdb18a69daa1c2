"""What our reader of templates finds, and what Go's own parser makes of the same templates.

Needs Go.
"""

from __future__ import annotations

import json
from pathlib import Path

from generator import CHART, MODELS, process, tools
from generator.chart.reads import reads
from generator.chart.rendering import render
from generator.values.schema import ValuePath
from tests.rendering import values_of
from tests.unit.test_reads import TEMPLATES


def by_go(texts: dict[str, str], folder: Path) -> dict[str, set[ValuePath]]:
    """The values that each template reads, by tests/upstream/template_reads.go."""
    names = {f"{number}.tpl": name for number, name in enumerate(texts)}
    for file, name in names.items():
        (folder / file).write_text(texts[name], encoding="utf-8")
    program = Path(__file__).with_name("template_reads.go")
    said = process.run([str(tools.go()), "run", str(program), *names], cwd=folder)
    return {
        names[file]: {tuple(path) for path in found or []}
        for file, found in json.loads(said).items()
    }


def test_both_find_the_same_values(tmp_path: Path) -> None:
    texts = {f"example: {what}": text for what, (text, _) in TEMPLATES.items()}
    charts = {
        "stock": render(),
        "models": render(chart=MODELS),
        "specialised": render(values_of("everything-on"), CHART),
    }
    for chart, files in charts.items():
        for path, text in files.items():
            if path.startswith("templates/"):
                texts[f"{chart}: {path}"] = text
    assert len(texts) > 120
    expected = by_go(texts, tmp_path)
    assert sum(map(len, expected.values())) > 300
    assert {name: reads(text) for name, text in texts.items()} == expected
