"""The abbreviations of values.schema.yaml, such as `x-image`, and what they stand for."""

from __future__ import annotations

from typing import Any

from generator.catalog import Image, Runtime, catalog
from generator.values.formats import expand, kubernetes
from generator.yaml.data import JsonObject


class Expansion:
    """Expands the abbreviations; only the first image and runtime keep the prose of their parts."""

    def __init__(self) -> None:
        self.described: set[str] = set()
        # Whether what is expanded becomes a part of a custom resource.
        self.custom = False

    def expand(self, node: JsonObject) -> JsonObject:
        """A copy of a node, and of all in it, without abbreviations."""
        node = dict(node)
        for abbreviation, meaning in (
            ("x-entries", self._entries),
            ("x-image", self._image_of),
            ("x-runtimes", self._runtimes),
            ("x-sidecar-resources", self._sidecar_resources),
            ("x-default-resources", self._default_resources),
        ):
            if abbreviation in node:
                return meaning(node.pop(abbreviation), node)
        if (kind := node.get("x-kubernetes")) is not None:
            custom = self.custom or node.get("x-custom", False)
            return node | _kubernetes_type(kind, custom=custom)
        if "properties" in node:
            node["properties"] = {k: self.expand(v) for k, v in node["properties"].items()}
        if "properties" in node or "additionalProperties" in node:
            node["type"] = "object"
        return expand(node)

    def _entries(self, entries: JsonObject, node: JsonObject) -> JsonObject:
        names = node.pop("x-names", None)
        outer, self.custom = self.custom, node.pop("x-custom", True)
        entry = {
            "type": "object",
            "additionalProperties": False,
            "properties": {key: self.expand(child) for key, child in entries.items()},
        }
        self.custom = outer
        if (elsewhere := node.pop("x-elsewhere", None)) is not None:
            entry["x-elsewhere"] = elsewhere
        if names is not None:
            node["propertyNames"] = expand({"x-format": "entry name"} | names)
        return node | {"type": "object", "additionalProperties": entry, "x-entries": True}

    def _image_of(self, name: str, node: JsonObject) -> JsonObject:
        return self._image(catalog().images[name], node)

    def _runtimes(self, _: bool, node: JsonObject) -> JsonObject:
        every = catalog().runtimes.items()
        properties = {key: self._runtime(runtime) for key, runtime in every}
        return node | {"type": "object", "properties": properties}

    def _sidecar_resources(self, default: JsonObject, node: JsonObject) -> JsonObject:
        return self._resources(default, node, optional=False)

    def _default_resources(self, default: JsonObject, node: JsonObject) -> JsonObject:
        return self._resources(default, node, optional=True)

    def _image(self, image: Image, node: JsonObject) -> JsonObject:
        parts: JsonObject = {
            "registry": _string(
                "Registry; global.imageRegistry replaces it.", image.registry, "registry"
            ),
            "repository": _string(
                "Repository, without the registry.", image.repository, "repository"
            ),
            "tag": _string("Tag; empty means the chart's appVersion.", image.tag, "tag?"),
        }
        if image.pinnable:
            parts["digest"] = _string("Digest (sha256:…); it wins over the tag.", "", "digest?")
        return self._terse("image", node | {"type": "object", "properties": parts})

    def _resources(self, default: JsonObject, node: JsonObject, *, optional: bool) -> JsonObject:
        form = "quantity of a custom resource" if node.get("x-custom") else "quantity"
        amount = expand({"x-format": f"{form}{'?' if optional else ''}"})
        return node | {
            "type": "object",
            "x-terse": True,
            "x-check": "ResourceRequirements",
            "properties": {
                kind: {
                    "type": "object",
                    "properties": {
                        name: amount | {"default": value} for name, value in default[kind].items()
                    },
                }
                for kind in ("requests", "limits")
            },
        }

    def _runtime(self, runtime: Runtime) -> JsonObject:
        resources = dict(runtime.resources) or {
            "requests": {"cpu": "1", "memory": "2Gi"},
            "limits": {"cpu": "1", "memory": "2Gi"},
        }
        parts: JsonObject = {
            "enabled": {
                "description": f"Whether to create the ClusterServingRuntime {runtime.name}.",
                "x-charts": "both",
                "type": "boolean",
                "default": runtime.enabled,
            },
            "image": self._image(runtime.image, {"description": "The model server's image."}),
            # The models chart asks whether a model's own go together with these.
            "resources": {
                "x-charts": "both",
                **_open(
                    "Resources of an InferenceService that names none.",
                    "ResourceRequirements",
                    resources,
                ),
            },
            "env": _open(
                "More environment variables, by name; a value is a string, or an EnvVar without "
                "its name (`valueFrom: …`).",
                "map[string]EnvVar",
                {},
            ),
            "extraArgs": {
                # The models chart asks whether arguments start as the image needs them to.
                **({"x-charts": "both"} if runtime.command else {}),
                "description": "More arguments for the model server, in order.",
                "type": "array",
                "items": {"type": "string"},
                "default": [],
            },
            "nodeSelector": {
                "description": "Labels of the nodes that may run these models.",
                **expand({"x-format": "labels"}),
                "default": {},
            },
            "tolerations": _open("Taints that these models tolerate.", "[]Toleration", []),
        }
        summary = f"{runtime.summary}."
        return self._terse(
            "runtime", {"description": summary, "type": "object", "properties": parts}
        )

    def _terse(self, what: str, node: JsonObject) -> JsonObject:
        if what in self.described:
            node["x-terse"] = True
        self.described.add(what)
        return node


def _string(description: str, default: str, kind: str) -> JsonObject:
    return expand({"description": description, "x-format": kind, "default": default})


def _open(description: str, kind: str, default: Any) -> JsonObject:
    """A sub-tree of a runtime, which is a custom resource."""
    node = {"description": description, "x-kubernetes": kind, "default": default}
    return node | _kubernetes_type(kind, custom=True)


def _kubernetes_type(kind: str, *, custom: bool) -> JsonObject:
    """What Helm's schema says of an open sub-tree: its outermost shape, and what is cheap to say.

    `x-custom` stays in the node where the sub-tree becomes a part of a custom resource.
    """
    node: JsonObject = {"x-custom": True} if custom else {}
    if kind.startswith("[]"):
        node |= {"type": "array", "items": {"type": "object"}}
    elif kind.startswith("map[string]"):
        node |= {"type": "object", "additionalProperties": {"type": "object"}}
    else:
        node |= {"type": "object"}
    name = f"custom {kind}" if custom and f"custom {kind}" in kubernetes()["shapes"] else kind
    return node | expand(kubernetes()["shapes"].get(name, {}))
