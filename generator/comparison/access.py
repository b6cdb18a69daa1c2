"""Risks of the API: rights, webhooks, and what CRDs accept."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import product
from typing import Any

from generator.comparison.change import Change, Found, Pair
from generator.yaml.fields import at

_SCOPE = ("rules", "namespaceSelector", "objectSelector", "matchConditions", "matchPolicy")
_WEBHOOKS = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
_Right = tuple[str, str, str, str]
"""Verb, API group, resource (or URL), and the name of the object, each `*` for all."""


def wider(change: Change) -> Found:
    """Rights and subjects that the new state has and the old one did not cover."""
    for pair in change.pairs:
        if pair.kind in ("Role", "ClusterRole"):
            held = list(_rights(pair.old))
            for right in _rights(pair.new):
                if not any(_covers(other, right) for other in held):
                    held.append(right)
                    yield pair, "rules", f"may {_spoken(right)}"
            for selector in _collected(pair.new):
                if selector not in _collected(pair.old):
                    what = json.dumps(selector)
                    yield pair, "aggregationRule", f"collects the rules of ClusterRoles by {what}"
        elif pair.kind in ("RoleBinding", "ClusterRoleBinding") and pair.new:
            bound = _subjects(pair.old) if pair.old and _role(pair.old) == _role(pair.new) else []
            for subject in _subjects(pair.new):
                if subject not in bound:
                    yield pair, "subjects", f"{subject} gets {_role(pair.new)}"


def _collected(role: dict[str, Any] | None) -> list[Any]:
    """The selectors by which a ClusterRole collects the rules of others."""
    return ((role or {}).get("aggregationRule") or {}).get("clusterRoleSelectors") or []


def _rights(role: dict[str, Any] | None) -> Iterator[_Right]:
    for rule in (role or {}).get("rules") or []:
        verbs = rule.get("verbs") or []
        for url, verb in product(rule.get("nonResourceURLs") or [], verbs):
            yield verb, "", url, "*"
        names = rule.get("resourceNames") or ["*"]
        groups, resources = rule.get("apiGroups") or [], rule.get("resources") or []
        for group, resource, name, verb in product(groups, resources, names, verbs):
            yield verb, group, resource, name


def _covers(held: _Right, right: _Right) -> bool:
    return all(own in ("*", other) for own, other in zip(held, right, strict=True))


def _spoken(right: _Right) -> str:
    verb, group, resource, name = right
    what = f"{resource}.{group}" if group and not resource.startswith("/") else resource
    return f"{verb} {what}" + (f" named {name}" if name != "*" else "")


def _role(binding: dict[str, Any]) -> str:
    reference = binding.get("roleRef") or {}
    return f"{reference.get('kind')} {reference.get('name')}"


def _subjects(binding: dict[str, Any] | None) -> list[str]:
    subjects = (binding or {}).get("subjects") or []
    return [
        " ".join(str(each[key]) for key in ("kind", "namespace", "name") if each.get(key))
        for each in subjects
    ]


def webhook_scope(change: Change) -> Found:
    """Webhooks that come, go, or are asked about other objects."""
    for pair, name, old, new in _webhooks(change):
        if old is None or new is None:
            come = "is new" if old is None else "is not there any more"
            yield pair, f"webhooks[{name}]", f"the webhook {come}"
            continue
        for key in _SCOPE:
            if old.get(key) != new.get(key):
                yield pair, f"webhooks[{name}].{key}", "other objects are sent to the webhook"


def webhook_policy(change: Change) -> Found:
    """Webhooks that let through, or refuse, what they refused or let through when they fail."""
    meaning = {
        "Fail": "while the webhook cannot be reached, its objects cannot be written",
        "Ignore": "while the webhook cannot be reached, its objects are written unchecked",
    }
    for pair, name, old, new in _webhooks(change):
        if old and new and (after := new.get("failurePolicy")) != old.get("failurePolicy"):
            field = f"webhooks[{name}].failurePolicy"
            yield pair, field, f"{after}: {meaning.get(str(after), '')}"


def _webhooks(
    change: Change,
) -> Iterator[tuple[Pair, str, dict[str, Any] | None, dict[str, Any] | None]]:
    for pair in change.pairs:
        if pair.kind in _WEBHOOKS:
            old, new = (
                {each.get("name"): each for each in (data or {}).get("webhooks") or []}
                for data in (pair.old, pair.new)
            )
            for name in {**old, **new}:
                yield pair, str(name), old.get(name), new.get(name)


def crd_versions(change: Change) -> Found:
    """Versions of a CRD that are served no longer."""
    for pair, old, new in _crds(change):
        after = _served(new)
        for name in _served(old).keys() - after.keys():
            field = f"spec.versions[{name}]"
            yield pair, field, f"objects of {name} cannot be read or written any more"


def crd_fields(change: Change) -> Found:
    """Fields that a CRD has no longer: an API server drops them from what is written."""
    for pair, old, new in _crds(change):
        before, after = _served(old), _served(new)
        for name in before.keys() & after.keys():
            gone = _fields(before[name]) - _fields(after[name])
            # What is below a field that is gone, is gone with it.
            for path in sorted(gone):
                if not any(path.startswith((f"{other}.", f"{other}[")) for other in gone):
                    yield pair, f"{name}: {path}", "the API server drops this field from objects"


def crd_summary(old: dict[str, Any], new: dict[str, Any]) -> str:
    """In a line what changes in a CRD's schemas; empty if nothing does."""
    before, after = _served(old), _served(new)
    gone: set[str] = set()
    come: set[str] = set()
    for name in before.keys() | after.keys():
        first, second = _fields(before.get(name, {})), _fields(after.get(name, {}))
        gone |= {f"{name}: {path}" for path in first - second}
        come |= {f"{name}: {path}" for path in second - first}
    parts = [
        f"{len(paths)} fields {word}" for paths, word in ((come, "more"), (gone, "fewer")) if paths
    ]
    other = not parts and before != after
    return ", ".join(parts) or ("constraints or descriptions" if other else "")


def _crds(change: Change) -> Iterable[tuple[Pair, dict[str, Any], dict[str, Any]]]:
    return (each for each in change.both if each[0].kind == "CustomResourceDefinition")


def _served(crd: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The schema of each version that a CRD serves."""
    return {
        str(version.get("name")): at(version, "schema.openAPIV3Schema") or {}
        for version in at(crd, "spec.versions") or []
        if version.get("served")
    }


def _fields(schema: dict[str, Any], path: str = "") -> set[str]:
    found = set()
    for key, child in (schema.get("properties") or {}).items():
        own = f"{path}.{key}".removeprefix(".")
        found |= {own} | _fields(child or {}, own)
    for word, mark in (("items", "[]"), ("additionalProperties", "[*]")):
        if isinstance(child := schema.get(word), dict):
            found |= _fields(child, path + mark)
    return found
