"""The rules by which Argo CD judges models, run as Argo CD runs them, on what KServe has written.

statuses.yaml was recorded on KServe's own controller; tests/cluster/gitops/test_argocd_health.py shows that it
still writes that, and that Argo CD's program comes to the same end.
"""

import copy
import json
from datetime import datetime, timedelta, timezone

import pytest
import yaml

from codegen import upstream
from generator import DATA, process, tools
from tests.cluster.harness.waiting import ARGO_CD, RULE
from tests.rendering import ROOT

RECORDED = yaml.safe_load((ROOT / "tests" / "upstream" / "statuses.yaml").read_text("utf-8"))
KINDS = ("InferenceService", "InferenceGraph", "TrainedModel")


def judged(resource, rule=None):
    """The health of an object and the message, by our rule for its kind or another."""
    rule = rule or DATA / "health" / f"{resource['kind']}.lua"
    program = str(tools.build("health"))
    said = json.loads(process.run([program, str(rule)], stdin=json.dumps(resource)))
    return said["argocd"], said["message"]


def aged(resource, **age):
    """The same, with conditions that are as they are since some time ago."""
    then = (datetime.now(timezone.utc) - timedelta(**age)).strftime("%Y-%m-%dT%H:%M:%SZ")
    older = copy.deepcopy(resource)
    for condition in older["status"]["conditions"]:
        condition["lastTransitionTime"] = then
    return older


def recorded(name):
    return RECORDED[name]["object"]


def upstreams(resource):
    return judged(resource, upstream.folder(ARGO_CD) / RULE)[0]


def test_there_is_a_rule_for_each_kind_of_models():
    assert {rule.stem for rule in (DATA / "health").iterdir()} == {*KINDS}
    assert {state["object"]["kind"] for state in RECORDED.values()} == {*KINDS}


@pytest.mark.parametrize("name", RECORDED)
def test_every_recorded_state_has_its_health(name):
    health, message = judged(aged(recorded(name), seconds=30))
    assert (health, message != "") == (RECORDED[name]["health"], True)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("status", [None, {}])
def test_what_has_no_status_yet_is_progressing(kind, status):
    new = {"apiVersion": "serving.kserve.io/v1beta1", "kind": kind, "metadata": {"name": "a"}}
    new |= {} if status is None else {"status": status}
    assert judged(new)[0] == "Progressing"


def test_a_model_that_is_not_ready_for_ten_minutes_is_degraded():
    loading = recorded("a model that loads")
    assert judged(aged(loading, minutes=9))[0] == "Progressing"
    health, message = judged(aged(loading, minutes=11))
    assert health == "Degraded"
    assert message.startswith("not within ten minutes: ")
    assert "MinimumReplicasUnavailable" in message
    # Argo CD's own waits for ever.
    assert upstreams(aged(loading, days=11)) == "Progressing"


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/Los_Angeles"])
def test_ten_minutes_are_ten_minutes_in_every_time_zone(zone, monkeypatch):
    monkeypatch.setenv("TZ", zone)
    loading = recorded("a model that loads")
    assert judged(aged(loading, minutes=9))[0] == "Progressing"
    assert judged(aged(loading, minutes=11))[0] == "Degraded"


def test_a_model_that_knative_scaled_to_zero_is_healthy():
    """As kserve#6079 shows it: Ready, no copy, and a transition that does not end."""
    idle = copy.deepcopy(recorded("a model that serves"))
    idle["status"]["modelStatus"] |= {
        "transitionStatus": "InProgress",
        "copies": {"failedCopies": 0, "totalCopies": 0},
    }
    assert judged(aged(idle, days=1)) == ("Healthy", "Ready")
    assert upstreams(idle) == "Progressing"
    # While new pods of it start, there are copies.
    idle["status"]["modelStatus"]["copies"]["totalCopies"] = 1
    assert judged(idle)[0] == "Progressing"


def test_argo_cd_has_no_rule_for_graphs_and_trained_models():
    """When it has, ours may go."""
    folder = (upstream.folder(ARGO_CD) / RULE).parents[1]
    assert [kind.name for kind in folder.iterdir()] == ["InferenceService"]


def test_what_a_model_says_of_its_failure_is_shown():
    _, message = judged(recorded("a model that is not there"))
    assert message.startswith("BlockedByFailedLoad: ") and len(message) > 30
