"""The commands by which kserve-lite takes over a running install without a restart of a model.

What they rely on, and a test on a real control plane shows (tests/cluster/test_migrate.py):

- KServe leaves an InferenceService alone that is Ready and has the annotation disable-auto-update.
- Helm decides by its own record what an uninstall deletes; annotations of running objects do not
  count, and Helm 3 deletes what belongs to another release by now. So the record goes.
- `kubectl replace` of a CRD keeps its objects, and leaves nothing of the former schema.
- While there is no controller, the mutating webhook stays and refuses new pods of models: a pod
  that was admitted without it would have no model.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from generator import CHART, CONFIG, CONTROLLER
from generator.errors import Problem, ValuesError
from generator.importer.objects import Object
from generator.importer.workload import HOLD
from generator.migration.rules import CRDS, upstream_objects
from generator.migration.serving import Fields, Model, Runtimes, models, of_kind, runtimes
from generator.release import Release

_INJECTION = "cert-manager.io/inject-ca-from"
_RELEASE = "meta.helm.sh/release-name"
_HOME = "meta.helm.sh/release-namespace"
# Kinds whose release is upstream's, and not one of the user's with models.
_OF_UPSTREAM = ("ConfigMap", "CustomResourceDefinition", "Deployment", "ClusterServingRuntime")
_REFERENCE = f"charts/{CHART}"
_CONTROLLER = f"deployment/{CONTROLLER}"


@dataclass(frozen=True)
class Adoption:
    """What the commands are about: the new release, its values and runtimes, and what runs.

    `fields` gives those in which two runtimes make other pods; `before` is KServe's version, where
    it is not ours; `helm3` is whether Helm is version 3.
    """

    release: Release
    values: str
    new: Runtimes
    objects: Sequence[Object]
    default_mode: str
    fields: Fields
    before: str = ""
    helm3: bool = False

    @property
    def models(self) -> list[Model]:
        """All models of the cluster."""
        return models(self.objects, self.default_mode, self.fields)

    @property
    def adoptable(self) -> list[Model]:
        """Those that are adopted."""
        return [model for model in self.models if model.mode != "Knative"]

    @property
    def knative(self) -> list[Model]:
        """Those that are not."""
        return [model for model in self.models if model.mode == "Knative"]


def check(objects: Iterable[Object]) -> None:
    """Raise ValuesError where objects do not tell enough of an install to adopt it."""
    names = {each.data["metadata"].get("name") for each in of_kind(objects, "ConfigMap")}
    if CONFIG not in names:
        fact = f"--commands needs the ConfigMap {CONFIG}, which is in none of the files"
        remedy = "give what `kubectl get -o yaml` prints of the install; see docs/migrate.md"
        raise ValuesError([Problem.plain(f"{fact}; {remedy}")])


def commands(adoption: Adoption) -> str:
    """The commands, a step to a paragraph, each below a comment that says what it is for."""
    steps = [
        _hold(adoption),
        _keep(adoption),
        _forget(adoption),
        _crds(),
        _remove(adoption),
        _install(adoption),
        _release(adoption),
    ]
    paragraphs = [_head(adoption)]
    for number, step in enumerate(steps, start=1):
        first, *rest = step
        paragraphs.append([f"# {number}. {first}", *rest])
    return "\n\n".join("\n".join(lines) for lines in paragraphs) + "\n"


def _head(adoption: Adoption) -> list[str]:
    names = ", ".join(f"{model.namespace}/{model.name}" for model in adoption.knative)
    lines = [
        f"# From upstream's KServe to {CHART}, in namespace {adoption.release.namespace}. Take one",
        "# step after the other; stop where one fails. Until step 7 no pod of a model changes.",
    ]
    if names:
        lines.append(f"# Not adoptable, since they run on Knative: {names}.")
    return lines


def _hold(adoption: Adoption) -> list[str]:
    lines = ["Hold the models: KServe leaves one that is Ready alone while it has this annotation."]
    for model in adoption.adoptable:
        if model.is_ready and model.is_held:
            lines.append(f"# {model.namespace}/{model.name} has it already.")
        elif model.is_ready:
            lines.append(_annotate(model, f"{HOLD}=true", "--overwrite"))
        else:
            lines.append(f"# {model.namespace}/{model.name} is not Ready, and cannot be held.")
    if not adoption.adoptable:
        lines.append("# There was no InferenceService among the objects.")
    graphs = [each.data["metadata"] for each in of_kind(adoption.objects, "InferenceGraph")]
    for each in graphs:
        own = f"{each.get('namespace', 'default')}/{each['name']}"
        lines.append(f"# Graph {own} cannot be held; step 6 replaces its router, pod by pod.")
    return lines


def _annotate(model: Model, *what: str) -> str:
    where = ["inferenceservice", model.name, "-n", model.namespace]
    return shlex.join(["kubectl", "annotate", *where, *what])


def _releases(adoption: Adoption) -> dict[str, list[str]]:
    """Upstream's releases by namespace; none for a quick install."""
    found: dict[str, dict[str, None]] = {}
    for each in adoption.objects:
        annotations = each.data["metadata"].get("annotations") or {}
        if each.data["kind"] in _OF_UPSTREAM and _RELEASE in annotations:
            home = str(annotations.get(_HOME, adoption.release.namespace))
            found.setdefault(home, {})[str(annotations[_RELEASE])] = None
    if found and not any(of_kind(adoption.objects, "CustomResourceDefinition")):
        found.setdefault(adoption.release.namespace, {})[CRDS] = None
    return {home: sorted(names) for home, names in found.items()}


def _keep(adoption: Adoption) -> list[str]:
    lines = ["Keep a copy of what goes."]
    for home, names in _releases(adoption).items():
        lines.append(f"{_records('get', home, names)} -o yaml > {shlex.quote(home)}-releases.yaml")
    home = shlex.quote(adoption.release.namespace)
    there = [each for each in _old(adoption) if not each.startswith("secret/")]
    end = f"-n {home} --ignore-not-found -o yaml > {home}-objects.yaml"
    return [*lines, _lines("kubectl get", there, end)]


def _lines(begin: str, objects: Iterable[str], end: str) -> str:
    """A command on many objects, one a line."""
    return " \\\n  ".join([begin, *objects, end])


def _records(verb: str, home: str, names: Sequence[str]) -> str:
    selector = f"owner=helm,name in ({','.join(names)})"
    return shlex.join(["kubectl", verb, "secrets", "-n", home, "-l", selector])


def _forget(adoption: Adoption) -> list[str]:
    found = _releases(adoption)
    if not found:
        return ["No release of Helm to forget: this was installed without."]
    return [
        "Let Helm forget upstream's releases. Uninstalling them would delete the CRDs, and every",
        "# model with them, whatever annotations these have by now.",
        *(_records("delete", home, names) for home, names in found.items()),
    ]


def _crds() -> list[str]:
    return [
        "Put kserve-lite's CRDs in place of upstream's; the models stay.",
        f"kubectl replace -f {_REFERENCE}/crds",
    ]


def _remove(adoption: Adoption) -> list[str]:
    """Take away the old platform, but for the webhooks that keep pods without a model out."""
    home = adoption.release.namespace
    webhooks = [each for each in upstream_objects("taken") if "webhook" in each]
    rest = [each for each in _old(adoption) if each != _CONTROLLER]
    return [
        "Remove upstream's controller, and what kserve-lite has anew. The models go on serving.",
        "# Until step 6 is done, the API server refuses new pods of models, and changes to models.",
        f"kubectl annotate {' '.join(webhooks)} {_INJECTION}-",
        f"kubectl delete {_CONTROLLER} -n {home} --cascade=foreground",
        _lines("kubectl delete", rest, f"-n {home} --ignore-not-found"),
    ]


def _old(adoption: Adoption) -> Iterator[str]:
    """The old objects that go, a line's worth each."""
    yield from upstream_objects("replaced")
    yield from upstream_objects("certificates")
    for name in sorted({*runtimes(adoption.objects)} & {*adoption.new}):
        yield f"clusterservingruntime/{name}"


def _install(adoption: Adoption) -> list[str]:
    release = adoption.release
    force = [] if adoption.helm3 else ["--force-conflicts"]
    words = ["helm", "install", release.name, _REFERENCE, "-n", release.namespace]
    return [
        "Install kserve-lite, which takes over the webhooks that stayed.",
        shlex.join([*words, "-f", adoption.values, "--take-ownership", *force, "--wait"]),
    ]


def _release(adoption: Adoption) -> list[str]:
    lines = ["Let the models go, one by one, when a restart of each is convenient."]
    old = runtimes(adoption.objects)
    for model in adoption.adoptable:
        why = model.restart(old, adoption.new, other_version=adoption.before)
        lines.append(f"# {model.namespace}/{model.name} {why}")
        let_go = _annotate(model, f"{HOLD}-")
        if model.is_held:
            lines.append("# It had the annotation before, and keeps it. To let it go all the same:")
            let_go = f"# {let_go}"
        lines.append(let_go)
    return lines
