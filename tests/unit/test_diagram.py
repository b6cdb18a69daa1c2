"""`graph`: every object of the platform is in the picture, and every pod of a model is reached."""

import json
import re
from collections import Counter

import pytest

from generator import MODELS
from generator.diagram import mermaid
from generator.diagram.drawing import draw
from generator.diagram.parts import Diagram, Edge, Group, Node, Shape
from generator.diagram.requests import INSIDE, OUTSIDE
from generator.errors import GeneratorError
from generator.manifests.rendering import render
from generator.values.check import read
from tests.rendering import CASES, ROOT, WITH_MODELS, given
from tests.unit.test_cli import run

ONE = "models: {iris: {format: sklearn, storageUri: 's3://models/iris'}}"


@pytest.fixture
def drawn(tmp_path):
    """The diagram of values that are given as text."""

    def draw_text(text, *names):
        file = tmp_path / "my.yaml"
        file.write_text(text)
        return draw(read([str(file)]), only=names)

    return draw_text


def reached(diagram, start):
    """What edges lead to from a node, directly and on."""
    found, todo = set(), [start]
    while todo:
        node = todo.pop()
        todo += [edge.end for edge in diagram.edges if edge.start == node and edge.end not in found]
        found.add(node)
    return found


def leads(diagram, start):
    return {(edge.end.name, edge.label) for edge in diagram.edges if edge.start == start}


def singular(kind):
    return f"{kind[:-3]}y" if kind.endswith("ies") else kind.removesuffix("s")


@pytest.mark.parametrize("case", CASES)
def test_every_object_of_the_platform_is_in_one_box(case):
    group = draw(given(case)).groups[0]
    counted = Counter()
    for node in group.nodes:
        if node.kind:
            counted[node.kind] += 1
            continue
        for line in node.lines:
            if named := re.fullmatch(r"([A-Z]\w+) ([a-z0-9.-]+)", line):
                counted[named[1]] += 1
            else:
                words = filter(None, re.split(r", ?", line))
                for number, kind in (
                    re.fullmatch(r"(?:(\d+) )?(\w+)", word).groups() for word in words
                ):
                    counted[singular(kind) if number else kind] += int(number or 1)
    objects = Counter(each.kind for each in render(given(case)) if each.chart != MODELS)
    assert counted == objects


@pytest.mark.parametrize("case", WITH_MODELS)
def test_every_pod_of_a_model_is_reached_by_a_client(case):
    diagram = draw(given(case))
    made = {
        node for node in diagram.groups[1].nodes if node.kind in ("Deployment", "Knative Service")
    }
    assert made
    assert made <= reached(diagram, INSIDE) | reached(diagram, OUTSIDE)


@pytest.mark.parametrize("case", CASES)
def test_a_picture_is_one_that_mermaid_draws(case):
    """As far as can be told without Mermaid: the shape of each line, and no word used for two."""
    first, *lines = mermaid.lines(draw(given(case)))
    assert first == "flowchart LR"
    text = r'"[^"\n]*"'
    box = rf"  +(\w+)(?:\[{text}\]|\(\[{text}\]\)|\[\({text}\)\])"
    arrow = rf"  (\w+) (?:-- {text} )?--> (\w+)"
    boxes, ends = [], set()
    for line in lines:
        if match := re.fullmatch(box, line) or re.fullmatch(rf"  subgraph (\w+)\[{text}\]", line):
            boxes.append(match[1])
        elif match := re.fullmatch(arrow, line):
            ends |= set(match.groups())
        else:
            assert line == "  end"
    assert len(boxes) == len(set(boxes))
    assert ends <= set(boxes)
    assert not set(boxes) & {"end", "graph", "subgraph", "style", "class"}


@pytest.mark.parametrize(
    ("mode", "gateway", "route", "url"),
    [
        ("ingress", "IngressClass", "Ingress", "http://iris-default.models.example.com"),
        ("gatewayApi", "Gateway", "HTTPRoute", "http://iris-default.models.example.com"),
        ("gatewayApi, gatewayApi: {writeRoutes: true}", "Gateway", "HTTPRoute", "iris-default.models.example.com"),
        ("virtualService", "Gateway", "VirtualService", "iris-default.models.example.com"),
    ],
)  # fmt: skip
def test_the_way_from_outside(drawn, mode, gateway, route, url):
    diagram = drawn(f"{ONE}\nrouting: {{domain: models.example.com, mode: {mode}}}")
    (first,) = (edge for edge in diagram.edges if edge.start == OUTSIDE)
    assert (first.end.kind, first.label) == (gateway, url)
    (second,) = (edge for edge in diagram.edges if edge.start == first.end)
    assert second.end.kind == route
    assert leads(diagram, second.end) == {("iris-predictor", "")}


@pytest.mark.parametrize(
    "routing",
    ["{}", "{mode: none, domain: a.example}", "{domain: a.example, mode: gatewayApi}"],
)
def test_nothing_leads_from_outside_to_a_model_that_is_not_published(drawn, routing):
    local = ONE.replace("iris: {", "iris: {clusterLocal: true, ")
    diagram = drawn(f"{local}\nrouting: {routing}")
    assert OUTSIDE not in {edge.start for edge in diagram.edges}
    assert leads(diagram, INSIDE) == {("iris", "")}


@pytest.mark.parametrize(
    "ingress", ["ingressClassName: [a]", "enableGatewayApi: true, kserveIngressGateway: 4"]
)
def test_an_override_that_kserve_could_not_read_is_drawn(drawn, ingress):
    """`configOverrides` is checked by nobody before KServe; a picture helps to find its mistakes."""
    routing = "routing: {mode: ingress, domain: models.example.com}"
    diagram = drawn(f"{ONE}\n{routing}\nconfigOverrides: {{ingress: {{{ingress}}}}}")
    assert Node("Deployment", "iris-predictor") in reached(diagram, OUTSIDE)


def test_knative(drawn):
    diagram = drawn(f"{ONE}\ndeploymentMode: Knative")
    gateway = Node("", "Knative's gateway")
    assert leads(diagram, OUTSIDE) == {(gateway.name, "")}
    assert {edge.end for edge in diagram.edges if edge.start == gateway} == {
        Node("Knative Service", "iris-predictor")
    }


def test_a_pipeline(drawn):
    text = (ROOT / "examples" / "models" / "pipeline.yaml").read_text()
    diagram = drawn(text + "\nrouting: {mode: virtualService, domain: models.example.com}")
    route = Node("VirtualService", "income")
    assert leads(diagram, route) == {("income-transformer", ""), ("income-explainer", ":explain")}
    predictor = {("income-predictor", "asks")}
    for part in ("transformer", "explainer"):
        assert leads(diagram, Node("Deployment", f"income-{part}")) == predictor
    asked = Node("Deployment", "income-predictor")
    assert leads(diagram, asked) == {("http://message-dumper.default", "logs requests to")}
    (node,) = (node for node in diagram.groups[1].nodes if node == asked)
    assert "agent: logger" in node.lines


def test_a_canary_has_its_share_and_its_storage(drawn):
    diagram = drawn((ROOT / "examples" / "models" / "canary.yaml").read_text())
    route = Node("VirtualService", "fraud")
    assert leads(diagram, route) == {("fraud-predictor", "90 %"), ("fraud-next-predictor", "10 %")}
    assert leads(diagram, Node("", "s3://models/fraud/2")) == {
        ("fraud-next-predictor", "is loaded into")
    }


def test_a_graph_asks_its_models(drawn):
    text = (ROOT / "examples" / "models" / "ensemble.yaml").read_text()
    asked = {("linear-predictor", "asks"), ("forest-predictor", "asks")}
    assert leads(drawn(text), Node("Deployment", "vote")) == asked
    alone = drawn(text, "vote")
    assert leads(alone, Node("Deployment", "vote")) == asked
    assert not leads(alone, Node("Service", "linear-predictor"))


def test_a_graph_with_knative_is_a_knative_service(drawn):
    text = ONE + "\ngraphs: {all: {nodes: {root: {type: Sequence, steps: [{model: iris}]}}%s}}"
    diagram = drawn(text % "" + "\ndeploymentMode: Knative", "all")
    made = Node("Knative Service", "all")
    assert made in reached(diagram, OUTSIDE)
    assert leads(diagram, made) == {("iris-predictor", "asks")}
    assert "Deployment" not in {node.kind for node in diagram.groups[1].nodes}
    label = ", labels: {networking.knative.dev/visibility: cluster-local}"
    local = drawn(text % label + "\ndeploymentMode: Knative", "all")
    assert made in reached(local, INSIDE) - reached(local, OUTSIDE)


def test_a_graph_that_is_stopped_or_asks_what_is(drawn):
    stop = "annotations: {serving.kserve.io/stop: 'true'}"
    graph = "\ngraphs: {all: {nodes: {root: {type: Sequence, steps: [{model: iris}]}}%s}}"
    diagram = drawn(ONE.replace("iris: {", f"iris: {{{stop}, ") + graph % "")
    (edge,) = (edge for edge in diagram.edges if edge.start == Node("Deployment", "all"))
    assert edge.end == Node("InferenceService", "iris")
    stopped = drawn(ONE + graph % f", {stop}", "all")
    assert [node.title for node in stopped.groups[1].nodes] == ["InferenceGraph all"]


def test_a_stopped_model_answers_nobody(drawn):
    stopped = ONE.replace("iris: {", "iris: {annotations: {serving.kserve.io/stop: 'true'}, ")
    assert [node.title for node in drawn(stopped).groups[1].nodes] == ["InferenceService iris"]


def test_one_model_of_many(drawn):
    text = "models: {a: {format: sklearn, storageUri: 's3://m/a'}, b: {format: sklearn, storageUri: 's3://m/b'}}"
    names = {node.name for node in drawn(text, "b").groups[1].nodes}
    assert names == {"b", "b-predictor"}


@pytest.mark.parametrize(
    ("name", "remedy"), [("irsi", "did you mean iris?"), ("x", "they declare iris")]
)
def test_a_name_that_is_not_declared(drawn, name, remedy):
    with pytest.raises(GeneratorError) as error:
        drawn(ONE, name)
    assert str(error.value) == f"{name}: the values declare no such model or graph; {remedy}"


def test_names_without_models(drawn):
    for name, shown in (("iris", "iris"), ("", '""')):
        with pytest.raises(GeneratorError) as error:
            drawn("{}", name)
        said = f"{shown}: the values declare no such model or graph; they declare none"
        assert str(error.value) == said


def test_what_mermaid_would_read_is_text():
    diagram = Diagram(
        (Group("all", ()),), (Edge(Node("", '"<b>#&lt', shape=Shape.CYLINDER), OUTSIDE),)
    )
    assert '[("#quot;#lt;b#gt;#35;#amp;lt")]' in "\n".join(mermaid.lines(diagram))


def test_the_command(tmp_path):
    (tmp_path / "my.yaml").write_text(ONE)
    command = ("graph", "-f", tmp_path / "my.yaml", "-n", "ml")
    done = run(*command)
    assert done.returncode == 0, done.stderr
    assert 'subgraph group_1["the platform, in ml"]' in done.stdout
    refused = run(*command, "x")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith(
        "x: the values declare no such model or graph; they declare iris"
    )


def test_a_program_finds_the_same_boxes_and_arrows():
    words = ("graph", "-f", ROOT / "examples" / "models" / "pipeline.yaml")
    data = json.loads(run(*words, "--output", "json").stdout)
    picture = run(*words).stdout
    boxes = [*(node for group in data["groups"] for node in group["nodes"]), *data["nodes"]]
    known = [{"kind": box["kind"], "name": box["name"]} for box in boxes]
    known += [{"group": group["title"]} for group in data["groups"]]
    assert {end for edge in data["edges"] for end in edge} == {"from", "to", "label"}
    assert all(edge["from"] in known and edge["to"] in known for edge in data["edges"])
    assert len(data["edges"]) == picture.count("-->") > 5
    assert len(boxes) == len(re.findall(r'^ +\w+[\[(]+"', picture, re.MULTILINE)) > 10
    assert {box["shape"] for box in boxes} == {shape.value for shape in Shape}
