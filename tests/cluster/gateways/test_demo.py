"""`make demo ASK=once` in each mode: the model is asked, through a gateway where there is one."""

import pytest

from tests.cluster.demo.__main__ import MODES
from tests.cluster.harness import demonstration


def asked_once(*arguments):
    said, left = demonstration.once(*arguments)
    assert demonstration.ANSWER.fullmatch(said), said
    assert left == set()


def test_asking_once(cluster):
    asked_once()


@pytest.mark.parametrize("mode", MODES)
def test_asking_once_through_a_gateway(cluster, mode):
    asked_once(f"--mode={mode}")
