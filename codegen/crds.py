"""KServe's CustomResourceDefinitions, compact: each small enough for client-side `kubectl apply`.

KServe's own fields are typed all the way down. Of Kubernetes' types, those that the overlay lists
are typed; the others are opaque: kept whole, and checked when the pod is made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from codegen import upstream
from codegen.definitions import custom, overlay
from codegen.operations import REF, Schema, rewrite
from generator import DATA, MARK
from generator.manifests.protection import KEEP
from generator.yaml.writer import dump, scalar

FOLDER = DATA / "crds"

_OPAQUE = "x-kubernetes-preserve-unknown-fields"
# The order in which people read a schema: first what it is, last what it holds.
_ORDER = {"type": -2, "format": -1, "required": 1, "items": 2, "properties": 3}
# A schema of at most so many characters is written on one line: a field of KServe's with all that
# Kubernetes has below it. Helm keeps the CRDs with each release, in an encoding that hides most of
# what is repeated from gzip, so that indentation costs more than the schemas themselves (law 15).
_LINE = 2_500


def files() -> dict[str, str]:
    """The six CRDs as text: `{"serving.kserve.io_inferenceservices.yaml": YAML}`."""
    head = (
        f"# {MARK} (`make crds`) from the field tables of the KServe SDK\n"
        f"# {upstream.version(upstream.KSERVE)} and codegen/overlay.yaml; do not edit.\n"
    )
    texts = {}
    for crd in manifests():
        plural, _, group = crd["metadata"]["name"].partition(".")
        spec = "\n".join(_lines(crd.pop("spec"), "  "))
        texts[f"{group}_{plural}.yaml"] = f"{head}{dump(crd)}spec:\n{spec}\n"
    return texts


def manifests() -> Iterator[dict[str, Any]]:
    """The six CustomResourceDefinitions, as objects."""
    for kind, facts in overlay()["kinds"].items():
        yield _manifest(kind, facts)


def _manifest(kind: str, facts: dict[str, Any]) -> dict[str, Any]:
    plural = f"{kind.lower()}s"
    group = overlay()["group"]
    version = {"name": facts["version"], "served": True, "storage": True}
    for key in ("additionalPrinterColumns", "subresources"):
        if key in facts:
            version[key] = facts[key]
    version["schema"] = {"openAPIV3Schema": schema(kind)}
    names = {"kind": kind, "listKind": f"{kind}List", "plural": plural, "singular": kind.lower()}
    if "shortNames" in facts:
        names["shortNames"] = facts["shortNames"]
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}", "annotations": dict(KEEP)},
        "spec": {"group": group, "names": names, "scope": facts["scope"], "versions": [version]},
    }


def schema(kind: str) -> Schema:
    """The structural schema of one of KServe's kinds, as an API server wants it: without `$ref`."""
    facts = overlay()["kinds"][kind]
    root = custom()[f"{facts['version'].capitalize()}{kind}"]
    # An API server checks metadata itself, and refuses a CRD that does it too.
    fields = root["properties"] | {"metadata": {"type": "object"}}
    typed = None if facts.get("deep") else overlay()["typed"]
    return rewrite(_inside(root | {"properties": fields}, typed), _tidy)


def _expand(schema: Schema, typed: Sequence[str] | None) -> Schema:
    """`schema` with what each reference means in its place.

    Kubernetes' types become opaque, except those named in `typed`; None types them all.
    """

    def inline(node: Schema) -> Schema:
        if "$ref" not in node:
            return node
        name = node["$ref"].removeprefix(REF)
        target = custom()[name]
        if typed is None or not name.startswith("io.k8s.") or name in typed:
            return _inside(target, _fewer(typed, "types", name))
        if target.get("type") != "object":
            # A quantity or a time. KServe's webhook parses it: not worth the bytes of a pattern.
            return {key: value for key, value in target.items() if key != "pattern"}
        kept = {key: target[key] for key in ("type", "x-kubernetes-map-type") if key in target}
        return kept | {_OPAQUE: True}

    return rewrite(schema, inline)


def _inside(target: Schema, typed: Sequence[str] | None) -> Schema:
    """A type with its references expanded; in some of its fields fewer types stay typed."""
    fields: Schema = {
        name: _expand(field, _fewer(typed, "fields", name))
        for name, field in target.get("properties", {}).items()
    }
    without = {key: value for key, value in target.items() if key != "properties"}
    return _expand(without, typed) | ({"properties": fields} if fields else {})


def _fewer(typed: Sequence[str] | None, what: str, name: str) -> Sequence[str] | None:
    """Those of `typed` that stay typed below the type or field (`what`) of that name."""
    if typed is None:
        return None
    limits = [group["typed"] for group in overlay()["shallow"] if name in group.get(what, [])]
    return [kind for kind in typed if all(kind in limit for limit in limits)]


def _tidy(node: Schema) -> Schema:
    """A node as a structural schema has it, without keywords that state the default."""
    if node.get("additionalProperties") is False:
        del node["additionalProperties"]  # An API server prunes what is not typed.
    if node.get("x-kubernetes-list-type") == "atomic" or node.get("items", {}).get(_OPAQUE):
        # Lists are atomic unless they say how to tell their items apart, which needs typed items.
        node.pop("x-kubernetes-list-type", None)
        node.pop("x-kubernetes-list-map-keys", None)
    return {key: node[key] for key in sorted(node, key=lambda key: (_ORDER.get(key, 0), key))}


def _lines(value: Any, pad: str = "") -> Iterator[str]:
    """A mapping or list as YAML, a line for each entry that is short and a block for the others."""
    entries = value.items() if isinstance(value, dict) else (("", item) for item in value)
    for key, entry in entries:
        head = f"{pad}{scalar(key)}:" if isinstance(value, dict) else f"{pad}-"
        short = scalar(entry)
        if not entry or not isinstance(entry, dict | list) or len(short) <= _LINE:
            yield f"{head} {short}"
        elif isinstance(value, dict):
            yield head
            yield from _lines(entry, pad if isinstance(entry, list) else f"{pad}  ")
        else:
            first, *rest = _lines(entry, f"{pad}  ")
            yield f"{head} {first.lstrip()}"
            yield from rest
