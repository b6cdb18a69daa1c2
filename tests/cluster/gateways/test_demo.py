"""`make demo MODE=… ASK=once`: the model is asked through the gateway of each mode."""

import pytest

from tests.cluster.demo.__main__ import MODES
from tests.cluster.harness import demonstration


@pytest.mark.parametrize("mode", MODES)
def test_asking_once_through_a_gateway(cluster, mode):
    said, left = demonstration.once(f"--mode={mode}")
    assert demonstration.ANSWER.fullmatch(said), said
    assert left == set()
