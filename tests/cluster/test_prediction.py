"""A model's whole way: declared in three lines, fetched, loaded and asked through its Service."""

import argparse
import functools
import http.server
import json
import os
import re
import shlex
import subprocess
import threading
import urllib.request

import pytest

from generator import MODELS, process, tools
from tests.cluster.harness import iris, modelserver, waiting
from tests.cluster.harness.cluster import Release
from tests.cluster.harness.plane import NODE
from tests.rendering import CHARTS, ROOT

JSON = {"Content-Type": "application/json"}
FLOWERS = [[6.8, 2.8, 4.8, 1.4], [5.1, 3.5, 1.4, 0.2], [6.3, 3.3, 6.0, 2.5]]
TRAIN = """
import json, sys
import joblib, sklearn.datasets, sklearn.svm
model = sklearn.svm.SVC().fit(*sklearn.datasets.load_iris(return_X_y=True))
joblib.dump(model, sys.argv[1])
print(model.predict(json.load(sys.stdin)).tolist())
"""


@pytest.fixture(scope="module")
def trained(cluster, tmp_path_factory):
    """Where a model is, and which class it says each of FLOWERS is."""
    if cluster.node is None:
        yield iris.URI, [1, 0, 2]
        return
    if not modelserver.environment().is_dir():
        pytest.skip("upstream's model server needs Python 3.10, 3.11 or 3.12")
    folder = tmp_path_factory.mktemp("bucket")
    argv = [str(modelserver.python()), "-c", TRAIN, str(folder / "model.joblib")]
    classes = json.loads(process.run(argv, stdin=json.dumps(FLOWERS)))
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder)
    with http.server.ThreadingHTTPServer((NODE, 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{NODE}:{server.server_port}/model.joblib", classes
        server.shutdown()


@pytest.fixture(scope="module")
def release(cluster, platform, trained, tmp_path_factory):
    """The model, Ready."""
    values = tmp_path_factory.mktemp("values") / "models.json"
    model = {"format": "sklearn", "storageUri": trained[0]}
    values.write_text(json.dumps({"models": {iris.NAME: model}}))
    iris_release = Release(cluster, cluster.namespace("models"), chart=CHARTS[MODELS], name="iris")
    iris_release.install("-f", str(values))
    waiting.until_ready(cluster, f"inferenceservice/{iris.NAME}", iris_release.namespace)
    return iris_release


@pytest.fixture(scope="module")
def ask(cluster, release):
    """What the Service NAME answers to a POST: `ask(path, body, headers)`."""
    proxy = [str(tools.find("kubectl")), "proxy", "--port=0"]
    environment = os.environ | cluster.environment
    with subprocess.Popen(proxy, env=environment, stdout=subprocess.PIPE, text=True) as forward:
        # Starting to serve on 127.0.0.1:…
        host = forward.stdout.readline().split()[-1]
        service = f"/api/v1/namespaces/{release.namespace}/services/{iris.NAME}:80/proxy"

        def ask(path, body, headers):
            url = f"http://{host}{service}{path}"
            request = urllib.request.Request(url, json.dumps(body).encode(), headers)
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)

        yield ask
        forward.terminate()


def test_it_predicts(ask, trained):
    answer = ask(f"/v1/models/{iris.NAME}:predict", {"instances": FLOWERS}, JSON)
    assert answer == {"predictions": trained[1]}


def test_it_predicts_by_the_open_inference_protocol(ask, trained):
    tensor = {"name": "input-0", "shape": [3, 4], "datatype": "FP32", "data": FLOWERS}
    answer = ask(f"/v2/models/{iris.NAME}/infer", {"inputs": [tensor]}, JSON)
    (output,) = answer["outputs"]
    assert output["data"] == trained[1]


def test_the_quick_start_predicts(ask):
    text = (ROOT / "README.md").read_text("utf-8").replace("\\\n", "")
    curl = argparse.ArgumentParser()
    curl.add_argument("url")
    curl.add_argument("-d", dest="body")
    curl.add_argument(
        "-H", dest="header", default="Content-Type: application/x-www-form-urlencoded"
    )
    said = curl.parse_args(shlex.split(re.search(r"^curl (.*)$", text, re.MULTILINE)[1]))
    headers = dict([said.header.split(": ")])
    answer = ask(said.url.removeprefix("localhost:8080"), json.loads(said.body), headers)
    assert answer == {"predictions": [1]}
