"""The objects in a side's documents, read as Kubernetes reads them, each sound for its kind."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass, field, replace

from generator.comparison.shapes import misshapen
from generator.comparison.sides import Side, Text
from generator.errors import Problem, ValuesError
from generator.importer.objects import Object, read_document
from generator.manifests.parsing import stated
from generator.values.identity import Identity, of_object, unsaid
from generator.yaml.data import JsonObject
from generator.yaml.document import Document
from generator.yaml.kubernetes import KubernetesReader

_SECRET = re.compile(r"""\bkind["']?: *["']?Secret\b""")


def objects(side: Side, home: str, *, alike: Container[str] = ()) -> dict[Identity, JsonObject]:
    """The objects of a side, by identity; `home` is the namespace of those that name none.

    Documents whose text is among `alike` are left out. Raises ValuesError with everything that
    cannot be read, is misshapen for its kind, or is there twice; objects left out count in that.
    """
    found = _Found(home)
    for each in side.texts:
        if each.text not in alike:
            found.read(each)
        elif (identity := _stated(each.text, home)) is None or identity in found.seen:
            found.read(each, keep=False)
        else:
            found.seen[identity] = f"{each.source}:{each.lines_before + 1}"
    if found.problems:
        raise ValuesError(found.problems)
    return found.objects


def parts(text: Text) -> Iterator[Object | Problem]:
    """The objects in a document, each sound for its kind; Problems for the others."""
    secret = _SECRET.search(text.text)
    for part in _read(text):
        if problems := list(_problems(part)):
            yield from map(_masked, problems) if secret else problems
        else:
            yield part


def of_kinds(side: Side, *kinds: str) -> Iterator[JsonObject]:
    """The sound objects of some kinds; documents that are plainly of others are not even parsed.

    A CRD names the kind that it defines, and is long.
    """
    named = re.compile(rf"""\bkind["']?: *["']?(?:{"|".join(kinds)}|\w*List)\b""")
    for text in side.texts:
        if named.search(text.text) and _may_be(text.text, kinds):
            found = (part.data for part in parts(text) if isinstance(part, Object))
            yield from (data for data in found if data["kind"] in kinds)


def _may_be(text: str, kinds: Container[str]) -> bool:
    """Whether a document may hold an object of some kinds, as far as its text states its own."""
    found = stated(text)
    if found is None or not found.kind.isalnum() or found.kind.endswith("List"):
        return True
    return found.kind in kinds


def _read(text: Text) -> Iterator[Object | Problem]:
    if text.data is None:
        yield from read_document(text.text, text.source, text.lines_before, reader=KubernetesReader)
    else:
        yield Object(Document(text.source, text.data, {}), (), text.data)


def _problems(part: Object | Problem) -> Iterator[Problem]:
    """What is wrong with an object, by its kind; or why it could not be read."""
    if isinstance(part, Problem):
        yield part
    elif of_object(part.data, "") is None:
        yield part.problem(*unsaid(part.data, "kind and metadata.name"))
    else:
        label = f"{part.data['kind']} {part.data['metadata']['name']}"
        if not part.data.get("apiVersion"):
            yield part.problem((), f"is no object: it does not say apiVersion, in {label}")
        for path, fact in misshapen(part.data):
            yield part.problem(path, f"{fact}, in {label}")


def _masked(problem: Problem) -> Problem:
    """What is wrong in a document with a Secret, without the value that is."""
    return replace(problem, message="cannot be read, and is not shown: there is a Secret; quote it")


def _stated(text: str, home: str) -> Identity | None:
    """The identity that a text states, where that can be told without parsing it."""
    found = stated(text)
    if found is None or found.kind.endswith("List"):
        return None
    return found.group, found.kind, found.namespace or home, found.name


@dataclass
class _Found:
    """What was found so far: objects to compare, where each object is, and what is wrong."""

    home: str
    objects: dict[Identity, JsonObject] = field(default_factory=dict)
    seen: dict[Identity, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def read(self, text: Text, *, keep: bool = True) -> None:
        """Add the objects in a document; without `keep`, only that they are there."""
        for part in parts(text):
            if isinstance(part, Problem):
                self.problems.append(part)
            elif identity := of_object(part.data, self.home):
                self._add(identity, part)
                if keep:
                    self.objects[identity] = part.data

    def _add(self, identity: Identity, part: Object) -> None:
        if first := self.seen.get(identity):
            fact = f"{identity[1]} {identity[3]} is there already, in {first}"
            self.problems.append(part.problem((), f"{fact}; leave one of them out"))
        else:
            self.seen[identity] = f"{part.document.file}:{part.position[0]}"
