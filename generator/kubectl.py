"""kubectl: the cluster of the current context, which is only asked, never written to."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

from generator import process, tools
from generator.errors import GeneratorError, ToolFailed, ToolMissing
from generator.values.identity import Identity, of_object
from generator.yaml.data import JsonObject

_TIMEOUT = "--request-timeout=30s"
_AT_ONCE = 4  # kubectls beside each other, where each object is asked about on its own
_DRY = ("apply", "--server-side", "--dry-run=server")
_COMMAND = re.compile(r"^kubectl [\w-]+: ")
UNKNOWN_KIND = re.compile(r"no matches for kind|doesn't have a resource type")
"""In what kubectl says of a kind that the cluster does not have."""

_RESOURCE = re.compile(r"(?:\S+\s+){1,2}(?:([^\s/]+)/[a-z][-a-z0-9]*|v1)\s+false\s+(\S+)\s*")

Answers = tuple[dict[Identity, JsonObject], dict[Identity, str]]
"""Objects as the server answers with them, and why it has no answer about others."""


def cluster_wide() -> frozenset[tuple[str, str]]:
    """Group and kind of everything in the cluster that is in no namespace.

    Raises GeneratorError when no cluster answers or what answers is no kubectl, ToolMissing
    without one.
    """
    command = ["api-resources", "--no-headers", "--namespaced=false"]
    try:
        text = _run(command)
    except ToolFailed as error:
        text = ""
        # It fails, too, when one of several API servers is away, and prints what the others know.
        with contextlib.suppress(ToolFailed):
            text = _run(command, accept=(0, 1))
        if not text:
            raise GeneratorError(f"no cluster answers: {_reason(error)}") from None
    kinds = set()
    for line in filter(str.strip, text.splitlines()):
        if (found := _RESOURCE.fullmatch(line)) is None:
            raise _strange("api-resources", line, "is no kind of the cluster's")
        kinds.add((found[1] or "", found[2]))
    if not kinds:
        raise _strange("api-resources", text, "is no kind of the cluster's")
    return frozenset(kinds)


def server_version() -> str:
    """The Kubernetes of the cluster, such as `v1.34.1`.

    Raises GeneratorError when no cluster answers or what answers is no kubectl, ToolMissing
    without one.
    """
    try:
        text = _run(["get", "--raw", "/version"])
    except ToolFailed as error:
        raise GeneratorError(f"no cluster answers: {_reason(error)}") from None
    try:
        return str(json.loads(text)["gitVersion"])
    except (ValueError, TypeError, LookupError):
        raise _strange("get --raw /version", text, "is no version") from None


def read(*arguments: str) -> list[JsonObject]:
    """The objects that `kubectl get` with some arguments finds; none of a kind that is not known.

    Raises ToolFailed with the reason, on a line, where they cannot be read.
    """
    text = read_field(*arguments, field="")
    found = _items(text) if text.strip() else []
    if not all(isinstance(each, dict) for each in found):
        raise _strange("get", text, "are no objects")
    return found


def read_field(*arguments: str, field: str) -> str:
    """A field, by JSONPath, of what `kubectl get` finds; empty where there is no such object.

    Without a field it is all of it, as JSON. Raises ToolFailed as `read` does.
    """
    form = f"jsonpath={field}" if field else "json"
    try:
        return _run(["get", *arguments, "--ignore-not-found", "-o", form])
    except ToolFailed as error:
        if UNKNOWN_KIND.search(reason := _reason(error)):
            return ""
        raise ToolFailed(reason) from None


def get(objects: Mapping[Identity, JsonObject]) -> Answers:
    """What the cluster has of some objects; those that are not there are in neither answer."""
    return _ask(objects, ("get", "--ignore-not-found", "--show-managed-fields"))


def dry_run(
    objects: Mapping[Identity, JsonObject], *, manager: str, force: bool = False
) -> Answers:
    """What the objects would be after a server-side apply as a field manager.

    The server does all that it does for an apply, webhooks included, and keeps nothing.
    """
    forced = ("--force-conflicts",) if force else ()
    return _ask(objects, (*_DRY, f"--field-manager={manager}", *forced))


def _ask(objects: Mapping[Identity, JsonObject], command: Sequence[str]) -> Answers:
    """Ask about all objects at once; where that is refused, about each."""
    if not objects:
        return {}, {}
    try:
        return _asked(objects.values(), command), {}
    except ToolFailed as error:
        if len(objects) == 1:
            return {}, dict.fromkeys(objects, _reason(error))
    answers: dict[Identity, JsonObject] = {}
    refusals: dict[Identity, str] = {}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for found, refused in pool.map(lambda each: _ask({each: objects[each]}, command), objects):
            answers |= found
            refusals |= refused
    return answers, refusals


def _asked(objects: Any, command: Sequence[str]) -> dict[Identity, JsonObject]:
    """The objects that kubectl prints, by identity."""
    given = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
    text = _run([*command, "-f", "-", "-o", "json"], stdin=given)
    if not text.strip():
        return {}
    found: dict[Identity, JsonObject] = {}
    for item in _items(text):
        # What is in no namespace has none here either.
        if (identity := of_object(item, "")) is None:
            raise _strange(command[0], text, "are no objects")
        found[identity] = item
    return found


def _items(text: str) -> list[Any]:
    """The objects in what kubectl prints, one alone or a list; text that is none as one of them."""
    try:
        data: Any = json.loads(text)
    except ValueError:
        return [text]
    items = data.get("items") if isinstance(data, dict) and data.get("kind") == "List" else None
    return items if isinstance(items, list) else [data]


def _strange(command: str, text: str, fact: str) -> GeneratorError:
    """The error for an answer that kubectl does not give."""
    said = " ".join(text.split())[:100]
    what = f"`{said}`" if said else "nothing"
    remedy = f"see what {_program()} is"
    return GeneratorError(f"kubectl {command}: answers {what}, which {fact}; {remedy}")


def _run(
    arguments: Sequence[str], *, stdin: str | None = None, accept: Sequence[int] = (0,)
) -> str:
    return process.run([_program(), *arguments, _TIMEOUT], stdin=stdin, accept=accept)


@cache
def _program() -> str:
    """The kubectl on PATH, which fits the user's cluster, or the one that tests have built."""
    if found := shutil.which("kubectl"):
        return found
    try:
        return str(tools.find("kubectl"))
    except ToolMissing:
        raise ToolMissing("kubectl is missing; install it and put it on PATH") from None


def _reason(error: ToolFailed) -> str:
    """What kubectl said, on a line."""
    return " ".join(_COMMAND.sub("", str(error)).split())[:500]
