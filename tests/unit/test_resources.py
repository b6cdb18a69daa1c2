"""Requests that are more than their limit, also where the other half is somebody else's: KServe merges
a model's with its runtime's, and the API server refuses what comes of it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.errors import ValuesError
from generator.values.load import Values
from generator.values.quantities import amount, check_resources
from tests import rendering
from tests.rendering import CHART, CHARTS, MODELS

SKLEARN = {"format": "sklearn", "storageUri": "s3://models/iris"}
OWN = {"image": "registry.example.com/server:1"}
LOW = {"limits": {"memory": "512Mi"}}
HIGH = {"requests": {"cpu": "1500m"}}
RUNTIME = {
    "supportedModelFormats": [{"name": "spacy", "autoSelect": True}],
    "containers": [{"name": "kserve-container", **OWN, "resources": {"limits": {"cpu": "250m"}}}],
}


def refused(chart: str, values: dict[str, Any]) -> dict[str, str]:
    """What a chart by itself says of values, by path."""
    try:
        rendering.helm_template(CHARTS[chart], Values.made(values))
    except ValuesError as error:
        return {problem.path: problem.message for problem in error.problems}
    return {}


@pytest.mark.parametrize(
    ("entry", "path", "message"),
    [
        (
            {**SKLEARN, "resources": LOW},
            "resources.limits.memory",
            "512Mi is less than what kserve-sklearnserver requests by the values given here, 2Gi; "
            "set models.m.resources.requests.memory too",
        ),
        (
            {**SKLEARN, "resources": HIGH},
            "resources.requests.cpu",
            "1500m is more than what kserve-sklearnserver allows by the values given here, 1; "
            "set models.m.resources.limits.cpu too",
        ),
        (
            {**OWN, "resources": LOW},
            "resources.limits.memory",
            "512Mi is less than what inference.resources requests by the values given here, 2Gi; "
            "set models.m.resources.requests.memory too",
        ),
        (
            {**SKLEARN, "transformer": {**OWN, "resources": HIGH}},
            "transformer.resources.requests.cpu",
            "1500m is more than what inference.resources allows by the values given here, 1; "
            "set models.m.transformer.resources.limits.cpu too",
        ),
        (
            {"format": "spacy", "runtime": "theirs", "storageUri": "s3://m", "resources": HIGH},
            "resources.requests.cpu",
            "1500m is more than what theirs allows by the values given here, 250m; "
            "set models.m.resources.limits.cpu too",
        ),
        (
            {**SKLEARN, "gpus": 2, "resources": {"requests": {"nvidia.com/gpu": 4}}},
            "resources.requests",
            "4 of nvidia.com/gpu is more than the limit, 2; lower it, or raise models.m.resources.limits",
        ),
        (
            {**SKLEARN, "spec": {"predictor": {"model": {"resources": LOW}}}},
            "resources.limits.memory",
            "512Mi is less than what kserve-sklearnserver requests by the values given here, 2Gi; "
            "set models.m.resources.requests.memory too",
        ),
    ],
)
def test_half_of_them_has_to_go_with_what_it_is_merged_with(
    entry: dict[str, Any], path: str, message: str, tmp_path: Path
) -> None:
    values = {"models": {"m": entry}, "customRuntimes": {"theirs": {"spec": RUNTIME}}}
    if "runtime" not in entry:
        del values["customRuntimes"]
    problem = rendering.refusal(values, tmp_path)
    assert (problem.path, problem.message) == (f"models.m.{path}", message)
    assert refused(MODELS, values) == {f"models.m.{path}": message}


@pytest.mark.parametrize(
    "values",
    [
        # Both halves.
        {"models": {"m": {**SKLEARN, "resources": LOW | {"requests": {"memory": "256Mi"}}}}},
        # A half that goes with the runtime's, as the platform's values have it.
        {
            "runtimes": {"sklearn": {"resources": {"requests": {"memory": "256Mi"}}}},
            "models": {"m": {**SKLEARN, "resources": LOW}},
        },
        {
            "inference": {"resources": {"requests": {"memory": ""}}},
            "models": {"m": {**OWN, "resources": LOW}},
        },
        # What `spec` merges with them, or has in their place.
        {
            "models": {
                "m": {
                    **SKLEARN,
                    "resources": {"requests": {"memory": "4Gi"}},
                    "spec": {"predictor": {"model": {"resources": {"limits": {"memory": "8Gi"}}}}},
                }
            }
        },
        {
            "models": {
                "m": {
                    **OWN,
                    "resources": {"limits": {"cpu": "100m"}},
                    "spec": {"predictor": {"containers": [{"name": "kserve-container", **OWN}]}},
                }
            }
        },
        {"models": {"m": {**SKLEARN, "gpus": 2, "resources": {"requests": {"nvidia.com/gpu": 2}}}}},
        # KServe may choose another runtime.
        {
            "customRuntimes": {"theirs": {"spec": RUNTIME}},
            "models": {"m": {**SKLEARN, "resources": LOW}},
        },
        {
            "runtimes": {"mlserver": {"enabled": True}},
            "models": {"m": {**SKLEARN, "protocol": "v2", "resources": LOW}},
        },
    ],
)
def test_what_may_go_together_is_taken(values: dict[str, Any], tmp_path: Path) -> None:
    assert "kind: InferenceService" in rendering.both_charts(values, tmp_path)


def test_the_platforms_own_are_checked_by_its_chart_too() -> None:
    low, is_more = (
        {"limits": {"memory": "1Mi", "cpu": "2"}},
        "is more than the limit, 1Mi; lower it, ",
    )
    values = {
        "controller": {"resources": low},
        "webhook": {"certificate": {"resources": low}},
        "storage": {"initializer": {"resources": low}},
        "inference": {
            "resources": low,
            "agent": {"resources": low},
            "router": {"resources": low},
            "openTelemetryCollector": {"resources": low},
        },
        "runtimes": {"sklearn": {"resources": low}, "xgboost": {"resources": low}},
    }
    found = refused(CHART, values)
    # XGBoost's is off.
    assert {path.removesuffix(".resources.requests.memory") for path in found} == {
        "controller",
        "webhook.certificate",
        "storage.initializer",
        "inference",
        "inference.agent",
        "inference.router",
        "inference.openTelemetryCollector",
        "runtimes.sklearn",
    }
    assert all(is_more in message for message in found.values())


def test_a_half_that_is_null_says_nothing() -> None:
    """Helm's schema takes it, and the generator refuses it by its type."""
    halves = ({"limits": {"cpu": None}}, {"requests": {"cpu": None}})
    values = {
        "models": {f"m{index}": OWN | {"resources": each} for index, each in enumerate(halves)}
    }
    assert refused(MODELS, values) == {}


@pytest.mark.parametrize(
    "name",
    [
        "cpu",
        "memory",
        "hugepages-2Mi",
        "nvidia.com/gpu",
        "example.com/thing",
        "kubernetes.io/batch-cpu",
        "requests.kubernetes.io/thing",
    ],
)
def test_the_charts_know_devices_as_the_generator_does(name: str) -> None:
    """A request of less than the limit is refused of what is handed out whole."""
    resources = {"requests": {name: 1}, "limits": {name: 2}}
    found = refused(MODELS, {"models": {"m": SKLEARN | {"resources": resources}}})
    of_it = [message for message in found.values() if "a device is not shared" in message]
    assert len(of_it) == len(list(check_resources(resources)))


QUANTITIES = st.builds(
    lambda number, unit: f"{number}{unit}",
    st.sampled_from(["1", "1.5", "2", "999", "1000", "1024", "1025", "0.5"]),
    st.sampled_from(["", "m", "k", "M", "G", "Ki", "Mi", "Gi", "e3", "E2"]),
)


@settings(max_examples=4, deadline=None)
@given(st.lists(st.tuples(QUANTITIES, QUANTITIES), min_size=60, max_size=60))
def test_the_charts_compare_quantities_as_the_generator_does(pairs: list[tuple[str, str]]) -> None:
    values = {
        "models": {
            f"m{index}": {
                **SKLEARN,
                "resources": {"requests": {"memory": one}, "limits": {"memory": other}},
            }
            for index, (one, other) in enumerate(pairs)
        }
    }
    more = {
        f"models.m{index}.resources.requests.memory"
        for index, (one, other) in enumerate(pairs)
        if (amount(one) or 0) > (amount(other) or 0)
    }
    assert refused(MODELS, values).keys() == more
