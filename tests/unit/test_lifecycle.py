"""How the pods of declared models end, preStopSleepSeconds, and how they are found ready."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from generator.catalog import catalog
from generator.comparison.change import Change, Pair
from generator.comparison.restarts import models as restarts
from generator.comparison.sides import Side
from generator.importer.lifecycle import sleep_of
from generator.values.load import merge
from tests import rendering
from tests.rendering import Object, only

OWN = {"image": "registry.example.com/a:1"}
CONTAINER = {"name": "kserve-container", **OWN}
ART = {"art": {"type": "SquareAttack"}}
EXEC = {"preStop": {"exec": {"command": ["drain"]}}}
MODE = "serving.kserve.io/deploymentMode"
ISTIO = {"routing": {"mode": "virtualService", "domain": "a.b"}}
VERSION = {"next": {"storageUri": "s3://n", "trafficPercent": 10}}
KNATIVE = {"deploymentMode": "Knative"}
NEVER = {"inference": {"preStopSleepSeconds": 0}}
ASLEEP, AT_ONCE = ({"sleep": {"seconds": 5}}, 35), (None, None)


def one(*also: dict, **changes: object) -> dict:
    """Values of one model, merged with others."""
    served = {} if "image" in changes else {"format": "sklearn"}
    values = {"models": {"m": {**served, "storageUri": "s3://m", **changes}}}
    for more in also:
        values = merge(values, more)
    return values


def custom(**runtime: object) -> dict:
    """Values with a runtime whose server has a preStop of its own."""
    containers = [{**CONTAINER, "lifecycle": EXEC}]
    form = {"name": "spacy", "autoSelect": True}
    return {
        "customRuntimes": {
            "x": {"spec": {"supportedModelFormats": [form], "containers": containers, **runtime}}
        }
    }


def lifecycle(of: Object) -> dict:
    return {"spec": {"predictor": {"model": {"lifecycle": of}}}}


def spec(values: dict, folder: Path) -> Object:
    return only(rendering.parse(rendering.both_charts(values, folder)), "InferenceService")["spec"]


def end(component: Object) -> tuple[Object | None, int | None]:
    """What a component's container does before it is told to end, and its pods' grace period."""
    container = component.get("model") or component.get("art") or component["containers"][0]
    before = container.get("lifecycle", {}).get("preStop")
    return before, component.get("terminationGracePeriodSeconds")


ENDS = {
    "all components": (one(transformer=OWN, explainer=OWN), [ASLEEP] * 3),
    "art": (one(explainer=ART), [ASLEEP] * 2),
    "an image": (one(**OWN), [ASLEEP]),
    "more or less": (one(preStopSleepSeconds=8), [({"sleep": {"seconds": 8}}, 38)]),
    "none of this model": (one(preStopSleepSeconds=0, transformer=OWN), [AT_ONCE] * 2),
    "none of any": (one(NEVER), [AT_ONCE]),
    "this one all the same": (one(NEVER, preStopSleepSeconds=5), [ASLEEP]),
    "the platform is Knative's": (one(KNATIVE), [AT_ONCE]),
    "one is Knative's": (one(**KNATIVE, explainer=ART), [AT_ONCE] * 2),
    "one is not": (one(KNATIVE, deploymentMode="Standard"), [ASLEEP]),
    "Knative's by its annotation": (one(annotations={MODE: "Serverless"}), [AT_ONCE]),
    "not by its annotation": (one(KNATIVE, annotations={MODE: "RawDeployment"}), [ASLEEP]),
    "a preStop of the spec": (one(**lifecycle(EXEC)), [(EXEC["preStop"], None)]),
    "a postStart of the spec": (one(**lifecycle({"postStart": EXEC["preStop"]})), [ASLEEP]),
    "a longer grace period": (
        one(spec={"predictor": {"terminationGracePeriodSeconds": 600}}),
        [({"sleep": {"seconds": 5}}, 600)],
    ),
    "containers of the spec": (
        one(**OWN, spec={"predictor": {"containers": [CONTAINER]}}),
        [AT_ONCE],
    ),
    "a preStop of its runtime": (one(custom(), runtime="x", format="spacy"), [AT_ONCE]),
    "a preStop of the runtime for its format": (one(custom(), format="spacy"), [AT_ONCE]),
    "a preStop of another runtime": (one(custom()), [ASLEEP]),
    "a preStop of another container": (
        one(custom(containers=[CONTAINER, {**CONTAINER, "name": "b", "lifecycle": EXEC}]), format="spacy"),
        [ASLEEP],
    ),
    "a transformer beside such a runtime": (
        one(custom(), format="spacy", transformer=OWN),
        [AT_ONCE, ASLEEP],
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", ENDS)
def test_a_models_servers_go_on_while_requests_may_come(what, tmp_path):
    values, expected = ENDS[what]
    model = spec(values, tmp_path)
    parts = [model[name] for name in ("predictor", "transformer", "explainer") if name in model]
    assert [end(part) for part in parts] == expected


def test_the_versions_of_a_canary_do_too(tmp_path):
    drained = lifecycle(EXEC)
    model = spec(one(ISTIO, canary=VERSION, minReplicas=2, **drained), tmp_path)
    (version,) = model["canary"]
    assert (end(version["predictor"]), end(model["predictor"])) == (ASLEEP, (EXEC["preStop"], None))


@pytest.mark.parametrize("seconds", [1, 5, 600])
def test_the_importer_reads_what_the_chart_writes(seconds, tmp_path):
    predictor = spec(one(preStopSleepSeconds=seconds), tmp_path)["predictor"]
    assert sleep_of(predictor, predictor["model"]) == seconds


@pytest.mark.parametrize(
    ("values", "path", "said"),
    [
        (one(**KNATIVE, preStopSleepSeconds=5), "models.m.preStopSleepSeconds", "Knative refuses it; remove it"),
        (one(KNATIVE, preStopSleepSeconds=5), "models.m.preStopSleepSeconds", "Knative refuses it; remove it"),
        *(
            (one(explainer=ART, transformer=OWN, spec={part: {"terminationGracePeriodSeconds": 5}}),
             f"models.m.spec.{part}.terminationGracePeriodSeconds", "5 leaves the server no time after the sleep of 5 seconds; raise it, or set models.m.preStopSleepSeconds")
            for part in ("predictor", "transformer", "explainer")
        ),
    ],
)  # fmt: skip
def test_a_sleep_that_cannot_be_is_refused(values, path, said, tmp_path):
    problem = rendering.refusal(values, tmp_path)
    assert (problem.path, problem.line) == (path, 1)
    assert said in problem.message


@pytest.mark.parametrize(
    "values",
    [
        one(KNATIVE, preStopSleepSeconds=0),
        one(spec={"predictor": {"terminationGracePeriodSeconds": 6}}),
        one(preStopSleepSeconds=0, spec={"predictor": {"terminationGracePeriodSeconds": 5}}),
        one(KNATIVE, spec={"predictor": {"terminationGracePeriodSeconds": 5}}),
    ],
)
def test_a_sleep_that_can_be_is_taken(values, tmp_path):
    assert json.dumps(spec(values, tmp_path))


def test_diff_calls_another_sleep_a_restart(tmp_path):
    old, new = (
        {"kind": "InferenceService", "metadata": {"name": "m"}, "spec": spec(values, tmp_path)}
        for values in (one(NEVER), one())
    )
    identity = ("serving.kserve.io", "InferenceService", "", "m")
    nowhere = Side("", ())
    ((_, path, why),) = restarts(Change((Pair(identity, old, new),), nowhere, nowhere))
    assert path == "spec.predictor"
    assert "model.lifecycle" in why and "terminationGracePeriodSeconds" in why


def test_some_runtimes_have_a_readiness_probe_of_their_own():
    """Those that docs/models.md names: a model on one of them takes no other kind of probe."""
    page = (rendering.ROOT / "docs" / "models.md").read_text("utf-8")
    (named,) = re.findall(
        r"^API server refuses .* Of upstream's runtimes(.*?) have one\.$", page, re.M | re.S
    )
    probed = [
        runtime.name
        for runtime in catalog().runtimes.values()
        if any("readinessProbe" in each for each in runtime.spec["containers"])
    ]
    assert re.findall("`(.+?)`", named) == sorted(probed)
