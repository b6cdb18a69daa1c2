"""Law 13: kubeconform, strict and offline, finds nothing wrong and skips nothing."""

import pytest

from generator import build
from generator.errors import GeneratorError
from generator.manifests import parsing
from generator.manifests.kubeconform import check
from generator.values.check import read
from tests import rendering
from tests.rendering import CASES, CHARTS


@pytest.mark.parametrize("case", CASES)
def test_every_object_is_valid(case):
    rendered = rendering.through_door_two(case)
    report = check(rendered)
    assert report.problems == ()
    assert report.valid == len(rendered) > 20


@pytest.mark.parametrize("helm", ["helm", "helm3"])
@pytest.mark.parametrize("chart", CHARTS)
def test_helm_lints_the_charts_strictly(chart, helm):
    rendering.helm("lint", "--strict", str(CHARTS[chart]), program=helm)


def test_the_validate_command_says_how_much_it_checked():
    assert build.validate(rendering.given("everything-on")).line.endswith(
        "objects are valid for Kubernetes 1.34.0"
    )


@pytest.mark.parametrize(
    ("case", "old", "new", "said"),
    [
        ("default", "replicas: 1", "replica: 1", "replica"),
        ("default", "containerPort: 9443", 'containerPort: "x"', "containerPort"),
        ("default", "runAsNonRoot: true", "runAsNonRot: true", "runAsNonRot"),
        ("default", "autoSelect: true", "autoselect: true", "autoselect"),
        ("istio-gateway-api", "gatewayClassName:", "gatewayClass:", "gatewayClass"),
        ("istio-virtual-service", "credentialName:", "credentialsName:", "credentialsName"),
        ("cert-manager", "renewBefore:", "renewbefore:", "renewbefore"),
        ("ha", "scrapeTimeout:", "scrapetimeout:", "scrapetimeout"),
        ("default", "kind: ConfigMap", "kind: ConfigMop", "no schema for this kind"),
    ],
)
def test_a_mistake_in_an_object_is_found(case, old, new, said):
    text = rendering.template(case)
    assert old in text
    report = check(list(parsing.split(text.replace(old, new, 1))))
    assert len(report.problems) == 1
    assert said in report.problems[0]


FREE = """\
extraObjects:
  a: {apiVersion: example.com/v1, kind: Widget, metadata: {name: w, namespace: a}}
  b: {apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: a}%s}
"""


def test_an_extra_object_of_an_unknown_kind_is_named_and_not_checked(tmp_path):
    file = tmp_path / "my.yaml"
    file.write_text(FREE % "")
    checked = build.validate(read([file]))
    (line,) = checked.unchecked
    assert line.startswith("Widget w: no schema for this kind")
    assert checked.line.endswith(", 1 not checked")
    with pytest.raises(GeneratorError, match="Widget w: no schema for this kind"):
        build.validate(read([file]), strict=True)


def test_an_extra_object_of_a_known_kind_is_checked_as_ours_are(tmp_path):
    file = tmp_path / "my.yaml"
    file.write_text(FREE % ", data: {a: 1}")
    with pytest.raises(GeneratorError, match=r"^ConfigMap c: ") as caught:
        build.validate(read([file]))
    assert "file://" not in str(caught.value)


def test_nothing_rendered_is_not_valid():
    assert check([]).valid == 0
