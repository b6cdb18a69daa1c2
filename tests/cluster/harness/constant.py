"""Models for scikit-learn's server that answer one thing, whatever they are asked."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from generator import process
from tests.cluster.harness import modelserver, website

_TRAIN = """
import pathlib, sys
import joblib
from sklearn.dummy import DummyClassifier
for name, answer in ("first", 1), ("second", 2):
    folder = pathlib.Path(sys.argv[1], name)
    folder.mkdir()
    model = DummyClassifier(strategy="constant", constant=answer).fit([[0.0], [0.0]], [1, 2])
    joblib.dump(model, folder / "model.joblib")
"""


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[Callable[[str], str]]:
    """The storageUri of a model: that of "first" answers 1, "second" 2; "third" is not there.

    Pods can fetch them from an empty folder, filled here, until the block ends.
    """
    process.run([str(modelserver.python()), "-c", _TRAIN, str(folder)])
    with website.serving(folder) as url:
        yield lambda name: f"{url}/{name}/model.joblib"
