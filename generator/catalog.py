"""The catalog: the versions, images and runtimes of upstream that the charts are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from generator import DATA
from generator.yaml.document import load_fast


@dataclass(frozen=True)
class Versions:
    """The versions of the chart and of upstream; `kubernetes` is a range, `tested` one of it."""

    chart: str
    kserve: str
    kubernetes: str
    tested: str


@dataclass(frozen=True)
class Derivation:
    """What KServe adds to an image's `tag` or `repository` for a model that asks for `hardware`.

    Source: UpdateImageTag in pkg/controller/v1beta1/inferenceservice/utils of the KServe module.
    """

    hardware: str
    tag: str = ""
    repository: str = ""

    def of(self, image: str) -> str:
        """The image that KServe runs in place of `image`; empty where it runs that one itself.

        It changes none with a digest or without a tag, and adds nothing to what ends in it already.
        """
        name, colon, tag = image.rpartition(":")
        if "@" in image or not colon or "/" in tag:
            return ""
        other = f"{_ending(name, self.repository)}:{_ending(tag, self.tag)}"
        return "" if other == image else other


@dataclass(frozen=True)
class Image:
    """An image, and the platforms it is published for; without a `tag` it has KServe's version.

    `pinnable` is whether a digest can stand in place of the tag, which it cannot where KServe puts
    name and version together.
    """

    registry: str
    repository: str
    platforms: tuple[str, ...]
    tag: str = ""
    digest: str = ""
    derived: Derivation | None = None
    pinnable: bool = True

    @property
    def reference(self) -> str:
        """What a container names: `docker.io/kserve/agent:v1`; a digest wins over the tag."""
        end = f"@{self.digest}" if self.digest else f":{self.tag}"
        return f"{self.registry}/{self.repository}{end}"


@dataclass(frozen=True)
class Crd:
    """A custom resource of the group serving.kserve.io."""

    kind: str
    plural: str
    version: str
    description: str


@dataclass(frozen=True)
class Format:
    """A model format that a runtime serves; `automatic`, also when nobody names the runtime."""

    name: str
    version: str = ""
    automatic: bool = False
    priority: int | None = None


@dataclass(frozen=True)
class Files:
    """What a server looks for in a model's folder: `one` of the patterns once, or `all` of them."""

    one: tuple[str, ...] = ()
    all: tuple[str, ...] = ()


@dataclass(frozen=True)
class Security:
    """The user where the image sets no numeric one; why it runs as `root`, where it must."""

    runAsUser: int | None = None  # noqa: N815  (the name it has in Kubernetes and in catalog.yaml)
    root: str = ""


@dataclass(frozen=True)
class OpenShift:
    """How an image runs as any user: with more `env`, or not at all and why (`refused`)."""

    refused: str = ""
    env: list[Mapping[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Runtime:
    """A ClusterServingRuntime: `key` is its word under `runtimes:`, `name` the object's.

    `spec` is a ServingRuntimeSpec of Kubernetes, as upstream has it; `resources` are empty where
    the values' default fits.
    """

    key: str
    name: str
    summary: str
    image: Image
    serverType: str  # noqa: N815  (the name it has in catalog.yaml)
    spec: Mapping[str, Any]
    enabled: bool = False
    resources: Mapping[str, Any] = field(default_factory=dict)
    command: tuple[str, ...] = ()
    files: Files | None = None
    security: Security = Security()
    openshift: OpenShift = field(default_factory=OpenShift)

    @property
    def formats(self) -> tuple[Format, ...]:
        """The model formats it serves, in the order of its spec."""
        return formats(self.spec)

    @property
    def protocols(self) -> tuple[str, ...]:
        """The inference protocols that it lists; none means that KServe gives it any."""
        return tuple(self.spec.get("protocolVersions", ()))

    @property
    def claims(self) -> list[str]:
        """What it claims for automatic selection, as FORMAT/VERSION/PRIORITY/PROTOCOL.

        The webhook compares runtimes that list a protocol both, whatever the case of the format;
        one that lists none clashes with nobody, nor does one of several models
        (validateServingRuntimePriority).
        """
        if self.spec.get("multiModel"):
            return []
        return [
            f"{each.name.lower()}/{each.version}/{each.priority}/{protocol}"
            for each in self.formats
            if each.automatic and each.priority is not None
            for protocol in self.protocols
        ]


@dataclass(frozen=True)
class Catalog:
    """All of catalog.yaml: images by the platform's part, runtimes by their key."""

    versions: Versions
    images: Mapping[str, Image]
    crds: tuple[Crd, ...]
    runtimes: Mapping[str, Runtime]


def formats(spec: Mapping[str, Any]) -> tuple[Format, ...]:
    """The model formats of a ServingRuntimeSpec, in its order."""
    return tuple(
        Format(
            name=each["name"],
            version=str(each.get("version", "")),
            automatic=each.get("autoSelect", False),
            priority=each.get("priority"),
        )
        for each in spec.get("supportedModelFormats") or []
    )


@cache
def catalog() -> Catalog:
    """What catalog.yaml says. Raises TypeError for a key there that nothing here has."""
    data = load_fast(DATA / "catalog.yaml")
    versions = Versions(**data["versions"])
    return Catalog(
        versions=versions,
        images={key: _image(image, versions) for key, image in data["images"].items()},
        crds=tuple(Crd(**crd) for crd in data["crds"]),
        runtimes={key: _runtime(key, each, versions) for key, each in data["runtimes"].items()},
    )


def _image(data: Mapping[str, Any], versions: Versions) -> Image:
    parts = dict(data, platforms=tuple(data["platforms"]))
    if "derived" in parts:
        parts["derived"] = Derivation(**parts["derived"])
    if "tag" in parts:
        parts["tag"] = parts["tag"].format(kserve=versions.kserve)
    return Image(**parts)


def _runtime(key: str, data: Mapping[str, Any], versions: Versions) -> Runtime:
    parts = dict(data, image=_image(data["image"], versions))
    parts["command"] = tuple(parts.get("command", ()))
    if "files" in parts:
        parts["files"] = Files(**{how: tuple(each) for how, each in parts["files"].items()})
    if "security" in parts:
        parts["security"] = Security(**parts["security"])
    if "openshift" in parts:
        parts["openshift"] = OpenShift(**parts["openshift"])
    return Runtime(key=key, **parts)


def _ending(text: str, end: str) -> str:
    return text if text.endswith(end) else text + end
