"""`when`: the condition that a template declares in its first line.

    <# when: routing.mode == gatewayApi and routing.domain #>

The language is frozen: `path` (the value is true, or not empty), `path == word`, `path in a|b`,
joined by `and`. A stock chart gets it as a Helm `if` around the file. In a specialised chart words
and switches are fixed: it has the file, or has it not. Whether a text or a map is empty, Helm still
asks.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from generator.errors import TemplateError
from generator.values.schema import ValuePath
from generator.yaml.path import value_at

_HEADER = re.compile(r"<# when: (?P<condition>.+?) #>\n")
_TEST = re.compile(
    r"(?P<path>[A-Za-z0-9]+(\.[A-Za-z0-9]+)*)"
    r"( == (?P<word>[A-Za-z0-9]+)| in (?P<words>[A-Za-z0-9]+(\|[A-Za-z0-9]+)+))?"
)


@dataclass(frozen=True)
class Test:
    """One comparison: the value at `path` is one of `words`, or true when there are none."""

    path: ValuePath
    words: tuple[str, ...]

    def holds(self, value: Any) -> bool:
        """Whether it is so when this is the value."""
        return value in self.words if self.words else bool(value)

    def chooses(self, values: Mapping[str, Any]) -> bool:
        """Whether it asks for a word or a switch, and not whether a text or a map is empty."""
        return bool(self.words) or isinstance(value_at(values, self.path), bool)

    def helm(self) -> str:
        """The same as a Helm expression."""
        value = f".Values.{'.'.join(self.path)}"
        if not self.words:
            return value
        if len(self.words) == 1:
            return f'eq {value} "{self.words[0]}"'
        words = " ".join(f'"{word}"' for word in self.words)
        return f"has {value} (list {words})"


@dataclass(frozen=True)
class Condition:
    """All of `tests`."""

    tests: tuple[Test, ...]

    def holds(self, fixed: Mapping[ValuePath, Any]) -> bool:
        """Whether nothing that these values decide is against it."""
        return all(test.holds(fixed[test.path]) for test in self.tests if test.path in fixed)

    def deciding(self, values: Mapping[str, Any]) -> Sequence[Test]:
        """The tests by which a chart for these (whole) values has a file; one if it has it not."""
        choosing = [test for test in self.tests if test.chooses(values)]
        against = [test for test in choosing if not test.holds(value_at(values, test.path))]
        return against[:1] or choosing

    def left(self, fixed: Collection[ValuePath]) -> Condition | None:
        """What is still to be asked when the values at these paths are known to hold."""
        tests = tuple(test for test in self.tests if test.path not in fixed)
        return Condition(tests) if tests else None

    def helm(self) -> str:
        """The same as a Helm expression for `if`."""
        if len(self.tests) == 1:
            return self.tests[0].helm()
        parts = (test.helm() for test in self.tests)
        return "and " + " ".join(f"({part})" if " " in part else part for part in parts)


def split(text: str, file: str) -> tuple[Condition | None, str]:
    """The condition in the first line of a template, if any, and the rest of the text.

    Raises TemplateError for a condition that is not in the language.
    """
    header = _HEADER.match(text)
    if header is None:
        return None, text
    return parse(header["condition"], file), text[header.end() :]


def parse(condition: str, file: str) -> Condition:
    """Parse `a.b and c == word`. Raises TemplateError."""
    tests = []
    for part in condition.split(" and "):
        match = _TEST.fullmatch(part)
        if match is None:
            raise TemplateError(
                f"{file}:1: {part!r} is not a condition; "
                "write `path`, `path == word` or `path in a|b`, joined by `and`"
            )
        words = match["words"].split("|") if match["words"] else filter(None, [match["word"]])
        tests.append(Test(tuple(match["path"].split(".")), tuple(words)))
    return Condition(tuple(tests))
