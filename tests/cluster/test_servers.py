"""Examples on upstream's own model servers: they predict what the library itself predicts.

A model of the example's format is trained here, and takes the place of the one that the example names.
"""

import json
import re
from contextlib import contextmanager

import pytest

from generator import MODELS, process
from tests.cluster.harness import mlserver, modelserver, prediction, waiting, website
from tests.cluster.harness.cluster import Release, installed
from tests.cluster.harness.flowers import COLUMNS, FLOWERS
from tests.rendering import CASES, CHARTS, ROOT, values_of

# Trains a model of each format that is named, and prints what the library itself predicts.
TRAIN = """
import json, pathlib, shutil, sys
import numpy, sklearn.datasets
folder, flowers = pathlib.Path(sys.argv[1]), numpy.array(json.load(sys.stdin))
known, classes = sklearn.datasets.load_iris(return_X_y=True)

def train_sklearn():
    import joblib, sklearn.svm
    model = sklearn.svm.SVC().fit(known, classes)
    joblib.dump(model, folder / "model.joblib")
    return model.predict(flowers)

def train_xgboost():
    import xgboost
    several = {"objective": "multi:softmax", "num_class": 3, "nthread": 1}
    model = xgboost.train(several, xgboost.DMatrix(known, label=classes), 10)
    model.save_model(folder / "model.ubj")
    return model.predict(xgboost.DMatrix(flowers))

def train_lightgbm():
    import lightgbm
    several = {"objective": "multiclass", "num_class": 3, "num_threads": 1, "verbose": -1}
    model = lightgbm.train(several, lightgbm.Dataset(known, label=classes), 10)
    model.save_model(folder / "model.bst")
    return model.predict(flowers)

def train_mlflow():
    import mlflow.sklearn, pandas, sklearn.linear_model
    table, classes = sklearn.datasets.load_iris(return_X_y=True, as_frame=True)
    model = sklearn.linear_model.ElasticNet(alpha=0.01).fit(table, classes)
    libraries = [f"scikit-learn=={sklearn.__version__}"]  # else they are searched for
    mlflow.sklearn.save_model(model, folder / "mlflow", pip_requirements=libraries)
    shutil.make_archive(folder / "mlflow", "zip", folder / "mlflow")
    return model.predict(pandas.DataFrame(flowers, columns=table.columns))

print(json.dumps({form: globals()["train_" + form]().tolist() for form in sys.argv[2:]}))
"""
# Prints what MLServer calls a model whose folder is named.
NAME = """
import pathlib, sys
from mlserver.repository.load import load_model_settings
print(load_model_settings(str(pathlib.Path(sys.argv[1]) / "model-settings.json")).name)
"""
FILES = {"sklearn": "model.joblib", "xgboost": "model.ubj", "lightgbm": "model.bst"}
# A model of MLflow is a folder, which comes in an archive where there is no bucket.
ARCHIVES = {"mlflow": "mlflow.zip"}
EXAMPLES = ("ensemble", "lightgbm-iris", "sklearn-iris", "xgboost-iris")
RUNTIMES = ("sklearn", "xgboost", "lightgbm", "predictive", "mlserver")


@contextmanager
def training(folder, python, forms):
    """By format, where a model is, and what the library says of FLOWERS with it."""
    said = process.run([str(python), "-c", TRAIN, str(folder), *forms], stdin=json.dumps(FLOWERS))
    predictions = json.loads(said)
    with website.serving(folder) as url:
        names = {**FILES, **ARCHIVES}
        yield {form: (f"{url}/{names[form]}", predictions[form]) for form in forms}


@pytest.fixture(scope="module")
def trained(model_servers, tmp_path_factory):
    """Models of the libraries that upstream's servers have."""
    with training(tmp_path_factory.mktemp("website"), modelserver.python(), FILES) as found:
        yield found


@pytest.fixture(scope="module")
def trained_for_mlserver(model_servers, tmp_path_factory):
    """Models of the libraries that MLServer has, which are older."""
    folder = tmp_path_factory.mktemp("website")
    with training(folder, mlserver.python(), mlserver.FORMATS) as found:
        yield found


@pytest.fixture(scope="module")
def platform(cluster):
    enabled = ",".join(f"runtimes.{runtime}.enabled=true" for runtime in RUNTIMES)
    with installed(cluster, "--set", enabled) as release:
        yield release


@pytest.fixture
def serve(cluster, platform, tmp_path):
    """`serve(values)` installs models, and returns their namespace when they are Ready."""
    release = Release(cluster, cluster.namespace("servers"), chart=CHARTS[MODELS], name="models")
    file = tmp_path / "values.json"

    def serve(models, *arguments):
        file.write_text(json.dumps({"models": models}))
        release.install(*arguments, "-f", str(file))
        for name in models:
            waiting.until_ready(cluster, f"inferenceservice/{name}", release.namespace)
        return release.namespace

    yield serve
    release.uninstall("--ignore-not-found")


def predicts(cluster, namespace, model, expected):
    """Both protocols say what the library says; the second one without rows."""
    rows = prediction.v1(cluster, model, namespace, FLOWERS)
    assert rows == [pytest.approx(row) for row in expected]
    predicts_by_v2(cluster, namespace, model, expected)


def predicts_by_v2(cluster, namespace, model, expected):
    numbers = prediction.v2(cluster, model, namespace, FLOWERS)
    flat = [number for row in expected for number in (row if isinstance(row, list) else [row])]
    assert numbers == pytest.approx(flat)


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_predicts(cluster, trained, serve, example):
    models = values_of(example)["models"]
    elsewhere = {
        name: {"storageUri": trained[model["format"]][0]} for name, model in models.items()
    }
    namespace = serve(elsewhere, "-f", str(CASES[example]))
    for name, model in models.items():
        predicts(cluster, namespace, name, trained[model["format"]][1])


@pytest.mark.parametrize("form", FILES)
def test_one_server_for_all_of_them(cluster, trained, serve, form):
    uri, expected = trained[form]
    runtime = {"runtime": "kserve-predictiveserver"}
    switch = ("--set", "runtimes.predictive.enabled=true")
    namespace = serve({"one": {"format": form, "storageUri": uri, **runtime}}, *switch)
    predicts(cluster, namespace, "one", expected)


def assert_is_on_mlserver(cluster, namespace):
    (pod,) = cluster.list("pods", namespace)
    (container,) = pod["spec"]["containers"]
    assert "seldonio/mlserver" in container["image"]


@pytest.mark.parametrize("form", sorted({*mlserver.FORMATS} - {*ARCHIVES}))
def test_mlserver_predicts(cluster, trained_for_mlserver, serve, form):
    """With the protocol v2 KServe prefers it to its own server of the format."""
    uri, expected = trained_for_mlserver[form]
    switch = ("--set", "runtimes.mlserver.enabled=true")
    namespace = serve({"one": {"format": form, "storageUri": uri, "protocol": "v2"}}, *switch)
    assert_is_on_mlserver(cluster, namespace)
    predicts_by_v2(cluster, namespace, "one", expected)


@pytest.mark.parametrize(("settings", "name"), [({"name": "own"}, "own"), ({}, "entry")])
def test_mlserver_prefers_the_name_in_the_models_settings(
    model_servers, tmp_path, monkeypatch, settings, name
):
    """KServe says the entry's in the environment."""
    (tmp_path / "model-settings.json").write_text(json.dumps(settings))
    monkeypatch.setenv("MLSERVER_MODEL_NAME", "entry")
    monkeypatch.setenv("MLSERVER_MODEL_IMPLEMENTATION", "mlserver_sklearn.SKLearnModel")
    said = process.run([str(mlserver.python()), "-c", NAME, str(tmp_path)])
    assert said.splitlines()[-1] == name


def test_the_example_of_mlflow_predicts(cluster, trained_for_mlserver, serve):
    """It is asked column by column, as its comment says."""
    uri, expected = trained_for_mlserver["mlflow"]
    namespace = serve({"wine": {"storageUri": uri}}, "-f", str(CASES["mlflow-wine"]))
    assert_is_on_mlserver(cluster, namespace)
    numbers = prediction.v2_by_column(cluster, "wine", namespace, FLOWERS, COLUMNS)
    assert numbers == pytest.approx(expected, rel=1e-12)


def test_the_page_says_of_every_example_whether_it_predicts():
    page = (ROOT / "docs/cluster.md").read_text("utf-8").partition("## Which examples predict\n")[2]
    table = page.partition("\n|---|---|\n")[2]
    rows = re.findall(r"^\| ([\w, -]+) \| (.+) \|$", table, re.MULTILINE)
    found = {
        name.removeprefix("the models of "): said
        for names, said in rows
        for name in names.split(", ")
    }
    assert found.keys() == {file.stem for file in (ROOT / "examples/models").iterdir()}
    assert {name for name, said in found.items() if said == "predict"} == {
        *EXAMPLES,
        "mlflow-wine",
        "pipeline",
    }
