"""The images of the platform: those that its objects name, and those that KServe makes of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from generator.catalog import Derivation, Image, Runtime, catalog
from generator.images.mention import mentions
from generator.images.usage import Listed, Use, listed
from generator.values.load import merge
from generator.yaml.embedded import opened
from generator.yaml.path import Key, dotted, value_at

_CONFIG = "ConfigMap inferenceservice-config"
_POD = "spec.template.spec"


@dataclass(frozen=True)
class _Part:
    """A part of the platform: where its values are, the fields of objects that name its image, and
    those inside the ConfigMap's JSON.
    """

    values: Key
    fields: tuple[tuple[str, str], ...] = ()
    config: tuple[Key, ...] = ()


_PARTS = {
    "agent": _Part(
        ("inference", "agent"),
        config=(("agent", "image"), ("batcher", "image"), ("logger", "image")),
    ),
    "artExplainer": _Part(("inference", "artExplainer"), config=(("explainers", "art", "image"),)),
    "certgen": _Part(
        ("webhook", "certificate"),
        # The Job's name ends in a hash of its spec.
        (
            ("Job kserve-webhook-certificate-*", f"{_POD}.initContainers[0].image"),
            ("Job kserve-webhook-certificate-*", f"{_POD}.containers[0].image"),
        ),
    ),
    "controller": _Part(
        ("controller",), (("Deployment kserve-controller-manager", f"{_POD}.containers[0].image"),)
    ),
    "router": _Part(("inference", "router"), config=(("router", "image"),)),
    "storageInitializer": _Part(
        ("storage", "initializer"),
        (("ClusterStorageContainer default", "spec.container.image"),),
        (("storageInitializer", "image"), ("localModel", "defaultJobImage")),
    ),
}


def platform_images(values: Mapping[str, Any]) -> list[Listed]:
    """The catalog's images that whole values use: those of the platform and of its runtimes."""
    parts = (use for key in _PARTS for use in _of_part(key, values))
    return listed([*parts, *_of_runtimes(values)])


def platform_uses(values: Mapping[str, Any]) -> Iterator[Use]:
    """Every use of an image in the platform's objects, by whole values: the defaults with the
    user's merged over them.
    """
    for key, part in _PARTS.items():
        yield from (use for use in _of_part(key, values) if use.object != _CONFIG)
        yield from _of_words(part, values)
    yield from _of_config(values)
    yield from _of_runtimes(values)
    for name, custom in values["customRuntimes"].items():
        yield from _of_custom(name, custom)
    for name, data in values["extraObjects"].items():
        what = f"{data['kind']} {data['metadata']['name']}"
        for path, image in mentions(opened(data)):
            yield Use(image, what, dotted(path), ("extraObjects", name, *path))


def chosen(known: Image, values: Mapping[str, Any]) -> Image:
    """The catalog's image with the values' parts of its name, from a registry of its own."""
    image = replace(known, **values)
    return replace(image, tag=image.tag or catalog().versions.kserve)


def variables(env: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Variables as Kubernetes has them, of a mapping of names to texts or to the rest of them."""
    return [
        {"name": name, "value": value} if isinstance(value, str) else {"name": name, **value}
        for name, value in env.items()
    ]


def use_of(image: Image, values: Mapping[str, Any], what: str, field: str, value: Key) -> Use:
    """The use of one of the catalog's images, from global.imageRegistry where there is one."""
    registry = values["global"]["imageRegistry"] or image.registry
    reference = replace(image, registry=registry).reference
    return Use(reference, what, field, value, image.reference, image.platforms)


def derivations() -> Mapping[str, Derivation]:
    """What KServe adds to images, by the type of the server."""
    every = catalog().runtimes.values()
    return {each.serverType: each.image.derived for each in every if each.image.derived}


def with_derived(use: Use, server: str) -> Iterator[Use]:
    """The use of a model server's image, and of the one that KServe runs by a model's hardware."""
    yield use
    rule = derivations().get(server)
    if rule is not None and (other := rule.of(use.reference)):
        source = rule.of(use.source) if use.source else ""
        yield replace(use, reference=other, source=source, derived=f"that asks for {rule.hardware}")


def _of_part(key: str, values: Mapping[str, Any]) -> Iterator[Use]:
    part = _PARTS[key]
    if key == "certgen" and values["webhook"]["certificate"]["mode"] != "selfSigned":
        return
    value = (*part.values, "image")
    image = chosen(catalog().images[key], value_at(values, value))
    inside = ((_CONFIG, dotted(("data", *path))) for path in part.config)
    for what, field in (*part.fields, *inside):
        yield use_of(image, values, what, field, value)


def _of_words(part: _Part, values: Mapping[str, Any]) -> Iterator[Use]:
    """What the user's own arguments and variables of a part name."""
    own = value_at(values, part.values)
    for keys, field, data in (
        (("extraArgs",), "args", own.get("extraArgs", [])),
        (("extraEnv", "env"), "env", variables(own.get("extraEnv", own.get("env", {})))),
    ):
        for _, image in mentions({field: data}):
            what, path = part.fields[0]
            value = next(key for key in keys if key in own)
            yield Use(image, what, path.replace(".image", f".{field}"), (*part.values, value))


def _of_config(values: Mapping[str, Any]) -> Iterator[Use]:
    """The images inside the ConfigMap's JSON, with configOverrides merged over it."""
    known = {use.field: use for key in _PARTS for use in _of_part(key, values)}
    overrides = values["configOverrides"]
    config: dict[str, Any] = {}
    for part in _PARTS.values():
        for path in part.config:
            image = known[dotted(("data", *path))].reference
            name, colon, tag = image.rpartition(":")
            art = path[0] == "explainers"
            own: Any = {"image": name, "defaultImageVersion": tag} if art and colon else image
            for step in reversed(path[:-1] if art else path):
                own = {step: own}
            config = merge(config, own)
    for path, image in mentions(merge(config, overrides)):
        field = dotted(("data", *path))
        if field in known and known[field].reference == image:
            yield known[field]
        else:
            yield Use(image, _CONFIG, field, ("configOverrides", *path))


def _of_runtimes(values: Mapping[str, Any]) -> Iterator[Use]:
    for key, own in values["runtimes"].items():
        if own["enabled"]:
            yield from _of_runtime(key, catalog().runtimes[key], values)


def _of_runtime(key: str, runtime: Runtime, values: Mapping[str, Any]) -> Iterator[Use]:
    own = values["runtimes"][key]
    value = ("runtimes", key, "image")
    what = f"ClusterServingRuntime {runtime.name}"
    image = chosen(runtime.image, own["image"])
    workers = runtime.spec.get("workerSpec", {}).get("containers", [])
    for index in range(len(runtime.spec["containers"])):
        field = f"spec.containers[{index}]"
        use = use_of(image, values, what, f"{field}.image", value)
        yield from with_derived(use, runtime.serverType)
        words = {"args": own["extraArgs"], "env": variables(own["env"])}
        for path, named in mentions(words):
            setting = "extraArgs" if path == ("args",) else "env"
            yield Use(named, what, f"{field}.{dotted(path)}", ("runtimes", key, setting))
    for index in range(len(workers)):
        yield use_of(image, values, what, f"spec.workerSpec.containers[{index}].image", value)


def _of_custom(name: str, custom: Mapping[str, Any]) -> Iterator[Use]:
    for path, image in mentions(custom["spec"]):
        value = ("customRuntimes", name, "spec", *path)
        use = Use(image, f"ClusterServingRuntime {name}", dotted(("spec", *path)), value)
        runs = path[:1] == ("containers",) and path[-1] == "image"
        yield from with_derived(use, server_type(name, custom) if runs else "")


def server_type(name: str, custom: Mapping[str, Any]) -> str:
    """The type of a custom runtime's server: as annotated, or else by the runtime's name
    (GetServerTypeFromRuntimeName in pkg/constants of the KServe module).
    """
    every = catalog().runtimes.values()
    by_name = {each.name: each.serverType for each in every if each.image.derived}
    annotated = (custom.get("annotations") or {}).get("serving.kserve.io/server-type")
    return str(annotated or by_name.get(name, ""))
