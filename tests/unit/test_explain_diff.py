"""What `explain` says of a value and of a field, held against what a diff shows."""

import random
import re

import pytest
import yaml

from generator import CHART, MODELS
from generator.errors import GeneratorError
from generator.explanation import effects, objects, trace
from generator.explanation.answer import explain
from generator.explanation.influence import steps
from generator.explanation.labels import Thing
from generator.manifests import rendering
from generator.values.check import check
from generator.values.load import Values
from generator.yaml.embedded import opened
from generator.yaml.fields import compare
from generator.yaml.path import dotted, key_of
from tests.effects import differing
from tests.flips import LEAVES, VALUES, WHOLE, at, changed, flips, places

# The values that change most, each under the modes in which the charts write different objects.
CASES = (
    "gateway-routes",
    "istio-models",
    "tenant-routes",
    "tenants-gateways",
    "istio-tenants",
    "models-by-host",
)
SECTIONS = ("models", "routing", "tenants", "deploymentMode", "global")
SAMPLE = 12


@pytest.fixture(scope="module")
def copies(tmp_path_factory):
    folder = tmp_path_factory.mktemp("copies")
    return {name: trace.copy(name, folder) for name in (CHART, MODELS)}


def sampled(case):
    """Some of all changes of one value that are allowed, the same in every run."""
    every = [
        (leaf.name, path, other)
        for leaf in LEAVES
        if leaf.path[0] in SECTIONS
        for path in places(WHOLE[case], leaf.path)
        for other in flips(leaf, at(WHOLE[case], path))
    ]
    random.Random(case).shuffle(every)
    allowed = (
        (name, path, values)
        for name, path, other in every
        if not list(check(values := Values.made(changed(VALUES[case], path, other))))
    )
    yield from (each for each, _ in zip(allowed, range(SAMPLE), strict=False))


def by_identity(manifests):
    return {
        (each.kind, each.name, each.namespace): opened(yaml.safe_load(each.text))
        for each in manifests
        if each.kind != "CustomResourceDefinition"
    }


def shown(old, new, compared):
    """The objects that differ, and the fields; "" where one comes or goes."""
    for identity in old.keys() | new.keys():
        if identity in old and identity in new:
            for path in compared(old[identity], new[identity]):
                # No value says it: it follows from another object, by a hash.
                if "checksum/" not in path:
                    yield identity, re.sub(r"\[[-+]\]$| \(order\)$", "", path)
        elif "-HASH" not in effects.label(*identity[:2]):
            # The hash in a name changes with what the object says; to people it is the same one.
            yield identity, ""


def diffed(old, new):
    return (field.path for field in compare(old, new))


def alike(one, other):
    return effects.NAME in one or "" in (one, other) or one == other or (one + other).isdecimal()


def is_related(one, other):
    """Whether one path leads to the other, or to what it is in."""
    pairs = zip(steps(one), steps(other), strict=False)
    return all(
        bool(re.fullmatch(re.escape(a).replace(effects.NAME, ".+"), b)) or alike(a, b)
        for a, b in pairs
    )


def is_listed(name, thing, field):
    """Whether `explain` of a value lists what was shown."""
    found = explain(name).effects
    known = [found[label] for label in thing.labels.keys() & found.keys()]
    if not field:
        return any(effects.is_whole(fields) for fields in known)
    return any(is_related(each, field) for fields in known for each in fields if each)


def is_named(path, setters):
    """Whether a value is among those that `explain` names: itself, what it is in, or in it."""
    entry = [path[0], effects.NAME, *path[2:]]
    wanted = [path, tuple(entry)] if path[0] in ("models", "tenants") else [path]
    said = [key_of(setter.path) for setter in setters]
    return any(
        each[: len(own)] == own or own[: len(each)] == each for each in wanted for own in said
    )


def missing(case, copies, monkeypatch):
    """What a diff shows and `explain` does not, of a value and of a field."""
    values = Values.made(VALUES[case])
    before = rendering.render(values, charts=copies.__getitem__)
    old = by_identity(before)
    monkeypatch.setattr(objects, "render", lambda *_, **__: before)
    for name, path, others in sampled(case):
        try:
            after = rendering.render(others)
        except GeneratorError:
            continue  # the chart refuses what the values API takes
        new = by_identity(after)
        for (kind, own, namespace), field in shown(old, new, diffed):
            home = namespace or ("default" if name.startswith("models") else "kserve")
            given = values if (kind, own, namespace) in old else others
            if not is_listed(name, Thing(kind, own, home, given), field):
                yield f"explain {name} does not list {kind}/{own} {field}"
        # An item of a list by its index, where a diff shows that one went and another came.
        for (kind, own, namespace), field in shown(old, new, differing):
            if (kind, own, namespace) in old:
                yield from unnamed(path, f"{kind}/{own}", field, values)


def unnamed(path, thing, field, values):
    what = f"explain {thing} {field} does not name {dotted(path)}"
    listings = objects.explain(thing, values=values)
    if not field:
        if not any(is_named(path, each.presence) for each in listings):
            yield what
        return
    below = [
        each
        for listing in listings
        for each in listing.fields
        if is_related(field, each.path) and len(steps(each.path)) >= len(steps(field))
    ]
    if below and not any(is_named(path, each.setters) for each in below):
        yield what


@pytest.mark.parametrize("case", CASES)
def test_explain_says_what_a_diff_shows(case, copies, monkeypatch):
    assert list(missing(case, copies, monkeypatch)) == []
