"""Law 1, of charts for one cluster: they render what the stock chart does, or refuse to.

What chose the files of such a chart is fixed in it, and its templates say so. All else can still be
changed, and does there what it does in the stock chart.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, note
from hypothesis import strategies as st

from generator import CHART, MODELS
from generator.chart import when
from generator.chart.rendering import render
from generator.chart.template import choices, templates
from generator.errors import GeneratorError, ToolFailed, ValuesError
from generator.output.mirror import write
from generator.values.check import read
from generator.values.load import NOTHING, Values, merge
from generator.values.schema import defaults, find, values_schema
from tests.flips import LEAVES, VALUES, at, flips
from tests.hostile import BASES, fuzz, places, put
from tests.laws.test_01_parity import differences
from tests.rendering import (
    CASES,
    CHART_CASES,
    CHARTS,
    FLAVOURS,
    NAMESPACES,
    ROOT,
    Object,
    helm,
    helm_template,
    objects,
    only,
    parse,
    template,
    values_of,
    write_chart,
)

SCHEMA = values_schema()
DEFAULTS = defaults(SCHEMA)
PROGRAMS = ("helm", "helm3")
CHOOSING = [
    leaf for leaf in LEAVES if "enum" in leaf.schema or leaf.schema.get("type") == "boolean"
]
# Every kind of cluster, and every mode that the models chart knows.
MODES = ("ingress-models", "gateway-models", "gateway-routes", "istio-models")
SPECIALISED = [(CHART, case) for case in FLAVOURS] + [(MODELS, case) for case in MODES]


def others(path: tuple[str, ...], value: object) -> list[object]:
    """What a word or a switch can be beside what it is."""
    schema = find(SCHEMA, path)
    assert schema is not None
    return [each for each in schema.get("enum", [True, False]) if each != value]


def fixed(chart: str, case: str) -> dict[tuple[str, ...], str | bool]:
    whole = merge(DEFAULTS, values_of(case))
    return choices(templates(chart, specialised=True), whole)


def refused(folder: Path, given: Mapping[str, Any], program: str) -> str:
    """What Helm says of values that the chart in `folder` refuses."""
    file = folder.parent / "changed.json"
    file.write_text(json.dumps(given))
    with pytest.raises(ToolFailed) as error:
        helm(
            "template", "x", str(folder), "--kube-version=1.34", f"--values={file}", program=program
        )
    return str(error.value)


@pytest.mark.parametrize(("chart", "case"), CHART_CASES)
def test_the_specialised_chart_renders_what_the_stock_chart_does(chart, case, tmp_path):
    folder = write_chart(case, tmp_path, chart)
    for program in PROGRAMS:
        specialised = template(case, chart=chart, folder=folder, helm=program)
        stock = objects(case, chart=chart)
        assert differences(stock, parse(specialised)) == []


@pytest.mark.parametrize(("chart", "case"), SPECIALISED)
def test_a_template_refuses_to_change_what_chose_the_files(chart, case, tmp_path):
    folder = write_chart(case, tmp_path, chart)
    changed: dict[str, Any] = {}
    lines = []
    for path, value in fixed(chart, case).items():
        put(changed, path, others(path, value)[0])
        word = value if isinstance(value, str) else json.dumps(value)
        lines.append(
            f"ERROR: {'.'.join(path)}: this chart is specialised for {word}; "
            "use the stock chart, or run generator chart again"
        )
    assert lines
    for program in PROGRAMS:
        said = refused(folder, changed, program)
        assert set(lines) - set(re.findall("ERROR: .*", said)) == set()


@pytest.mark.parametrize(("chart", "case"), SPECIALISED)
def test_what_is_fixed_may_be_said_again(chart, case, tmp_path):
    folder = write_chart(case, tmp_path, chart)
    again: dict[str, Any] = {}
    for path, value in fixed(chart, case).items():
        put(again, path, value)
    (tmp_path / "again.json").write_text(json.dumps(again))
    said = Values.parsed([tmp_path / "again.json"])
    for program in PROGRAMS:
        rendered = helm_template(
            folder, said, release=chart, namespace=NAMESPACES[chart], helm=program, more=()
        )
        assert differences(objects(case, chart=chart), parse(rendered)) == []


def test_a_specialised_chart_holds_only_what_it_uses():
    stock, special = render(), render({})
    assert "templates/webhook/certManager/certificate.yaml" in stock
    assert "templates/webhook/certManager/certificate.yaml" not in special
    assert "templates/runtimes/triton.yaml" not in special
    assert "templates/_specialised.tpl" not in stock
    assert not any(when.split(text, path)[0] for path, text in special.items())
    assert "runtimes.triton.enabled" in stock["templates/runtimes/triton.yaml"]
    assert "runtimes.sklearn.enabled" not in special["templates/runtimes/sklearn.yaml"]
    assert "repository: nvidia/tritonserver" in stock["values.yaml"]
    assert "nvidia/tritonserver" not in "".join(special.values())


@pytest.mark.parametrize(("chart", "case"), SPECIALISED)
def test_it_says_what_it_was_made_for(chart, case):
    files = render(values_of(case), chart)
    readme, comments = files["README.md"], re.sub("\n *#", "", files["values.yaml"])
    rows = re.findall(r"^\| `([\w.]+)` \| `(\w+)` \|$", readme, re.MULTILINE)
    chosen = {".".join(path): value for path, value in fixed(chart, case).items()}
    expected = {path: value for path, value in chosen.items() if not path.startswith("runtimes.")}
    assert {path: yaml.safe_load(value) for path, value in rows} == expected
    on = {path for path, value in chosen.items() if path.startswith("runtimes.") and value}
    assert {f"{path}.enabled" for path in re.findall(r"^\| `(runtimes\.\w+)`", readme, re.M)} == on
    assert comments.count(" Fixed: this chart was made for it.") >= len(expected)
    # What can be chosen in the stock chart alone is not spoken of.
    assert not re.search("one value away|says who writes|In `routing.mode", readme)
    assert "Made for one cluster" not in render(chart=chart)["README.md"]
    # The stock chart is in charts/, and is not what to install.
    assert f" ./{chart} " in readme and f"charts/{chart} " not in readme
    assert not re.search(r"\n\n\n|\|\n\n\|---", readme)


def test_models_can_be_added_to_a_chart_that_was_made_without(tmp_path):
    """The platform's owner makes both charts; the teams bring the models."""
    folder = write_chart("istio-virtual-service", tmp_path, MODELS)
    team = Values.parsed([ROOT / "examples" / "models" / "sklearn-iris.yaml"])
    ours = parse(helm_template(folder, team, more=()))
    platform = CASES["istio-virtual-service"]
    both = Values.parsed([platform, ROOT / "examples" / "models" / "sklearn-iris.yaml"])
    assert differences(parse(helm_template(CHARTS[MODELS], both, more=())), ours) == []
    assert {"InferenceService", "Service", "VirtualService"} == {each["kind"] for each in ours}


def test_a_domain_and_runtimes_can_be_added(tmp_path):
    folder = write_chart("default", tmp_path)
    spec = {
        "supportedModelFormats": [{"name": "own", "version": "1"}],
        "containers": [{"name": "kserve-container", "image": "registry.example.com/own:1"}],
    }
    added = {"routing": {"domain": "models.example.com"}, "customRuntimes": {"own": {"spec": spec}}}
    given = read([written(added, tmp_path / "added.json")])
    ours, stock = (parse(helm_template(of, given, more=())) for of in (folder, CHARTS[CHART]))
    assert differences(stock, ours) == []
    assert {"IngressClass", "ClusterServingRuntime"} <= {each["kind"] for each in ours}
    assert only(ours, "ClusterServingRuntime", "own")


def outcome(folder: Path, given: Values) -> tuple[list[Object], str]:
    """What a chart renders, or why it does not."""
    try:
        return parse(helm_template(folder, given, more=())), ""
    except GeneratorError as error:
        return [], str(error)


@st.composite
def flipped(draw: st.DrawFn, before: Mapping[str, Any], count: int) -> dict[str, Any]:
    """Other values, that their schema allows, of some leaves: a file to lay over `before`."""
    data: dict[str, Any] = {}
    for _ in range(count):
        leaf = draw(st.sampled_from(LEAVES) | st.sampled_from(CHOOSING))
        path = draw(places(leaf.path, before))
        there = merge(merge(DEFAULTS, before), data)
        instead = [each for each in flips(leaf, at(there, tuple(path))) if each is not None]
        if instead:
            put(data, path, draw(st.sampled_from(instead)))
    return data


def written(data: Mapping[str, Any], file: Path) -> Path:
    file.write_text(json.dumps(data, ensure_ascii=False))
    return file


def test_random_values_are_rendered_as_by_the_stock_chart_or_refused(tmp_path_factory):
    seen = {"changed": 0, "fixed": 0, "left out": 0}

    @fuzz(24)
    @given(st.data())
    def look(data):
        folder = tmp_path_factory.mktemp("pair")
        case = VALUES[data.draw(st.sampled_from(BASES))]
        before = merge(case, data.draw(flipped(case, data.draw(st.integers(0, 4)))))
        first = written(before, folder / "before.json")
        second = written(data.draw(flipped(before, 1)), folder / "after.json")
        note(first.read_text() + second.read_text())
        try:
            baked = read([first])
        except ValuesError:
            return
        for chart, stock in CHARTS.items():
            plain, why = outcome(stock, baked)
            if why:
                continue
            write(render(baked.merged, chart), folder / chart)
            ours, why = outcome(folder / chart, NOTHING)
            assert (differences(plain, ours), why) == ([], "")
            ours, why = outcome(folder / chart, Values.parsed([second]))
            theirs, refusal = outcome(stock, Values.parsed([first, second]))
            if not why:
                assert (differences(theirs, ours), refusal) == ([], "")
                seen["changed"] += 1
            elif not refusal:
                assert "is specialised for" in why or "not allowed" in why
                seen["fixed" if "is specialised for" in why else "left out"] += 1

    look()
    assert all(seen.values()), seen
