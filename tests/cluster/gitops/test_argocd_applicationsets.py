"""The ApplicationSets of docs/gitops-argocd.md, in an Argo CD that has nothing else. The tests go on
where the one before ended.
"""

import pytest

from tests.cluster.gitops.argocdpage import SETS, SYNC, marks
from tests.cluster.gitops.conftest import CONTROLLER
from tests.cluster.harness import argocd

PLATFORM = "prod-platform"
MODELS = "prod-models-"
NAMESPACES = ("default", "fraud", "ads")
NAMES = (PLATFORM, *(f"{MODELS}{namespace}" for namespace in NAMESPACES))


@pytest.fixture(scope="module")
def tool():
    return "argocd"


def all_synced(argo, commit):
    for name in NAMES:
        argo.cluster.wait(f"there is {name}", lambda name=name: argo.application(name))
        argo.until_synced(name, commit)


def test_from_nothing_to_a_prediction(cluster, argo, fleet):
    commit = fleet.publish("the platform and its models")
    rules, _ = fleet.commands
    cluster.bash(rules)
    argo.name_cluster("prod")
    sets = SETS.replace("https://git.example.com/fleet.git", fleet.repository.url)
    cluster.apply(sets, namespace=argocd.NAMESPACE)
    all_synced(argo, commit)
    assert sorted(each["metadata"]["name"] for each in cluster.list("applications")) == sorted(
        NAMES
    )
    assert fleet.answer("one", "default") == 1
    assert fleet.answer("scores", "fraud") == 2
    assert fleet.answer("clicks", "ads") == 1
    for namespace in NAMESPACES:
        assert marks(cluster, namespace) == {f"{MODELS}{namespace}"}


def test_what_kubectl_applied_before_is_not_marked_until_it_is_applied_once(cluster, argo, fleet):
    ads = f"{MODELS}ads"
    folder = fleet.manifests / "30-models" / "ads"
    for file in folder.glob("*-clicks.yaml"):
        cluster.apply(file.read_text().replace("clicks", "apart"), namespace="ads")
    fleet.teams["ads"]["apart"] = fleet.teams["ads"]["clicks"]
    argo.until_synced(ads, fleet.publish("a model that is there already"))
    assert marks(cluster, "ads") == {ads, None}
    # So it is nobody's, and stays.
    apart = fleet.teams["ads"].pop("apart")
    argo.until_synced(ads, fleet.publish("without it"))
    assert cluster.get("inferenceservice", "apart", "ads")
    fleet.teams["ads"]["apart"] = apart
    argo.until_synced(ads, fleet.publish("with it"))
    cluster.bash(SYNC.replace("prod-models-fraud", ads))
    cluster.wait("it has applied it", lambda: marks(cluster, "ads") == {ads})
    del fleet.teams["ads"]["apart"]
    argo.until_synced(ads, fleet.publish("without it again"))
    cluster.wait("it is gone", lambda: fleet.is_gone("inferenceservice", "apart", "ads"))
    assert fleet.answer("clicks", "ads") == 1


def test_a_change_of_the_platform_arrives(cluster, argo, fleet):
    fleet.values["controller"] = {"replicas": 2}
    all_synced(argo, fleet.publish("two controllers"))
    assert cluster.get(*CONTROLLER)["spec"]["replicas"] == 2
