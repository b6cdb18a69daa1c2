"""YAML that people wrote, read from the parser's events into data and places.

Reading goes by events, not by libyaml's tree of nodes: the tree is built by recursion in C, which
ends the process on deep nesting, and an alias is expanded there before anybody can count.
"""

from __future__ import annotations

from typing import Any, NoReturn

import yaml

from generator.errors import Problem, ValuesError
from generator.yaml.path import Key, dotted
from generator.yaml.scalar import complaint, is_merge, tagged
from generator.yaml.syntax import action, mistake

_Event = Any  # PyYAML's stubs know neither the tags nor the anchors of its events.

DEEPEST = 100
"""How deep collections may nest. The values API ends at a tenth of that, pods included."""

MOST_ALIASED = 100_000
"""How many values the aliases of a file may stand for together."""

_TEXT = "tag:yaml.org,2002:str"
_COLLECTIONS = (None, "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")


class Reader:
    """Reads one document. `positions` has line and column (from 1) of each value by its path.

    What is wrong but does not hinder reading on is collected in `problems`; what does is raised as
    a ValuesError.
    """

    keys_are_unique = True

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self.positions: dict[Key, tuple[int, int]] = {}
        self.problems: list[Problem] = []
        self._text = text
        self._loader = yaml.CSafeLoader(text)
        self._plain: dict[str, Any] = {}
        # By anchor: the value, and how many values it holds, aliases counted out.
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._open: set[str] = set()
        self._read = 0
        self._aliased = 0

    def document(self) -> Any:
        """The data of the only document; None when there is nothing in it."""
        self._next()
        if isinstance(self._next(), yaml.StreamEndEvent):
            return None
        data = self._value(self._next(), ())
        self._next()
        event = self._next()
        if not isinstance(event, yaml.StreamEndEvent):
            self._stop(event, (), "not valid YAML: a second document begins here; use two files")
        return data

    def _next(self) -> _Event:
        try:
            event: _Event = self._loader.get_event()
        except yaml.MarkedYAMLError as error:
            line, column, message = mistake(self._text, error)
            problem = Problem(self.file, line, column, "", message)
            raise ValuesError([*self.problems, problem]) from None
        except yaml.reader.ReaderError as error:
            before = self._text.encode()[: error.position].decode(errors="ignore")
            line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
            message = f"not valid YAML: a character that no text has ({error.character:#04x})"
            raise ValuesError([Problem(self.file, line, column, "", message)]) from None
        return event

    def _value(self, event: _Event, path: Key) -> Any:
        mark = event.start_mark
        self.positions.setdefault(path, (mark.line + 1, mark.column + 1))
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, path)
        self._read += 1
        if event.anchor is None:
            return self._content(event, path)
        if event.anchor in self._open:
            what = f"&{event.anchor} is inside of another &{event.anchor}; rename one of them"
            self._stop(event, path, what)
        self._open.add(event.anchor)
        before = self._read + self._aliased
        value = self._content(event, path)
        self._open.discard(event.anchor)
        self._anchors[event.anchor] = value, self._read + self._aliased - before + 1
        return value

    def _content(self, event: _Event, path: Key) -> Any:
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, path)
        if event.tag not in _COLLECTIONS:
            self._report(event, path, tagged(event.tag))
        if len(path) >= DEEPEST:
            self._stop(event, (), f"nests more than {DEEPEST} deep; values have no use for that")
        return (
            self._mapping(path) if isinstance(event, yaml.MappingStartEvent) else self._list(path)
        )

    def _alias(self, event: _Event, path: Key) -> Any:
        name = event.anchor
        if name in self._open:
            self._stop(event, path, f"an anchor holds itself: *{name} is inside of &{name}")
        if name not in self._anchors:
            self._stop(event, path, f"the anchor of *{name} is not above; define &{name} first")
        value, count = self._anchors[name]
        self._aliased += count
        if self._aliased > MOST_ALIASED:
            what = f"aliases stand for more than {MOST_ALIASED:,} values; write fewer of them"
            self._stop(event, path, what)
        return value

    def _list(self, path: Key) -> list[Any]:
        data: list[Any] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            data.append(self._value(event, (*path, len(data))))
        return data

    def _mapping(self, path: Key) -> dict[str, Any]:
        data: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        lines: dict[str, int] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            if is_merge(event):
                # The first of several wins, as YAML 1.1 has it.
                merged = self._merged(path) | merged
                continue
            key = self._key(event, path)
            if key is None:
                self._skip(self._next())
                continue
            here = (*path, key)
            if key in lines and self.keys_are_unique:
                self._report(event, here, f"the key is there already, in line {lines[key]}")
                self._skip(self._next())
                continue
            lines[key] = event.start_mark.line + 1
            self.positions[here] = (lines[key], event.start_mark.column + 1)
            data[key] = self._value(self._next(), here)
        return merged | data

    def _merged(self, path: Key) -> dict[str, Any]:
        """The value of a `<<`: a mapping, or mappings of which the first wins."""
        event = self._next()
        # A path that no value has: what is merged in stands where its anchor does.
        value = self._value(event, (*path, "<<"))
        data: dict[str, Any] = {}
        # Helm takes no alias that stands for the whole list.
        written = isinstance(value, list) and not isinstance(event, yaml.AliasEvent)
        for part in value if written else [value]:
            if not isinstance(part, dict):
                self._report(event, path, "<< takes a mapping, or a list of mappings")
                continue
            data = part | data
        return data

    def _key(self, event: _Event, path: Key) -> str | None:
        """The text of a key; None, with a problem, if it has none."""
        if isinstance(event, yaml.ScalarEvent):
            key = self._scalar(event, path)
            source = event.value
        elif isinstance(event, yaml.AliasEvent):
            key = self._alias(event, path)
            source = f"*{event.anchor}"
        else:
            if found := action(self._text, event.start_mark):
                problem = Problem(
                    self.file, event.start_mark.line + 1, found[0], dotted(path), found[1]
                )
                raise ValuesError([*self.problems, problem])
            self._skip(event)
            key, source = None, "(a list or mapping)"
        if (text := self._key_text(key)) is None:
            self._report(event, path, f"the key {source} is not text; quote it")
        return text

    def _key_text(self, key: Any) -> str | None:
        """The text that a key is; None if it is none."""
        return key if isinstance(key, str) else None

    def _skip(self, event: _Event) -> None:
        """Read past a value."""
        depth = 0
        while True:
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if not depth:
                return
            event = self._next()

    def _scalar(self, event: _Event, path: Key) -> Any:
        text = str(event.value)
        if event.tag == _TEXT and (text or event.style):
            return text
        # That leaves a tag without a value, too: Go loses an element of a list over it.
        if event.tag is not None:
            self._report(event, path, tagged(event.tag))
            return text
        if event.style:
            return text
        if text in self._plain:
            return self._plain[text]
        if doubt := complaint(text):
            self._report(event, path, doubt)
            return text
        value = self._plain[text] = self._resolved(text)
        return value

    def _resolved(self, text: str) -> Any:
        tag = self._loader.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
        kind = tag.rpartition(":")[2]
        if kind == "null":
            return None
        if kind == "bool":
            return text.lower() == "true"
        if kind == "int":
            return int(text, 0)
        return float(text) if kind == "float" else text

    def _report(self, event: _Event, path: Key, message: str) -> None:
        mark = event.start_mark
        self.problems.append(
            Problem(self.file, mark.line + 1, mark.column + 1, dotted(path), message)
        )

    def _stop(self, event: _Event, path: Key, message: str) -> NoReturn:
        self._report(event, path, message)
        raise ValuesError(self.problems)
