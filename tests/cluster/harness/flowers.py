"""A model of flowers, trained here and served by HTTP to those that fetch it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from generator import process
from tests.cluster.harness import modelserver, website

COLUMNS = ("sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)")
"""What scikit-learn calls the numbers of a flower."""
FLOWERS = [[6.8, 2.8, 4.8, 1.4], [5.1, 3.5, 1.4, 0.2], [6.3, 3.3, 6.0, 2.5]]
MILLIMETRES = [[round(each * 10) for each in flower] for flower in FLOWERS]
"""The same, as the transformer of tests/cluster/gateways/programs takes them."""

_TRAIN = """
import json, sys
import joblib, sklearn.datasets, sklearn.svm
flowers, classes = sklearn.datasets.load_iris(return_X_y=True)
model = sklearn.svm.SVC().fit(flowers, (classes + int(sys.argv[2])) % 3)
joblib.dump(model, sys.argv[1])
print(model.predict(json.load(sys.stdin)).tolist())
"""


@dataclass(frozen=True)
class Trained:
    """Where a model is, and which class it says each of FLOWERS is."""

    uri: str
    classes: list[int]


@contextlib.contextmanager
def served(folder: Path, *, shift: int = 0) -> Iterator[Trained]:
    """A model in an empty folder, which pods can fetch until the block ends.

    `shift` is added to the classes, modulo 3: a model that can be told from the others.
    """
    argv = [str(modelserver.python()), "-c", _TRAIN, str(folder / "model.joblib"), str(shift)]
    classes = json.loads(process.run(argv, stdin=json.dumps(FLOWERS)))
    with website.serving(folder) as url:
        yield Trained(f"{url}/model.joblib", classes)
