"""What to say of text that is no YAML: what often causes it, or else what the parser says."""

from __future__ import annotations

import re
from typing import Any

import yaml

from generator import conflict

# A value, or a line, that begins with an action: `image: {{ .Values.image }}`, `{{- if .x }}`.
_ACTION = re.compile(r"^(?:[^#:]*: +|[ -]+)?(\{\{.*)$")


def mistake(text: str, error: yaml.MarkedYAMLError) -> tuple[int, int, str]:
    """Line and column (from 1) of what is wrong, and what to say of it."""
    if line := conflict.first_mark(text):
        remedy = "keep what is right of both sides, and remove the marks"
        return line, 1, f"not valid YAML: {conflict.FACT}; {remedy}"
    lines = text.splitlines()
    marks: list[Any] = [mark for mark in (error.problem_mark, error.context_mark) if mark]
    for mark in marks:
        if found := _ACTION.match(_line(lines, mark)):
            return mark.line + 1, found.start(1) + 1, _of_action(found[1])
    if not marks:
        return 1, 1, f"not valid YAML: {error.problem or error.context}"
    return marks[0].line + 1, marks[0].column + 1, _of_parser(_line(lines, marks[0]), error)


def action(text: str, mark: Any) -> tuple[int, str] | None:
    """The column (from 1) of a template's action that is read as a mapping, and what to say of it.

    Its second brace begins another mapping, which is the key of the first.
    """
    line = _line(text.splitlines(), mark)
    begin = line.find("{{", max(mark.column - 1, 0), mark.column + 2)
    return (begin + 1, _of_action(line[begin:])) if begin >= 0 else None


def _of_action(rest: str) -> str:
    whole = re.match(r"\{\{.*?\}\}", rest)
    shown = whole[0] if whole else rest[:40]
    return f'"{shown}" is a template\'s action; quote it if it is text, or render the file first'


def _of_parser(line: str, error: yaml.MarkedYAMLError) -> str:
    mark: Any = error.problem_mark or error.context_mark
    before = line[: len(line) - len(line.lstrip())] + line[mark.column : mark.column + 1]
    if "\t" in before:
        return "not valid YAML: there is a tab; YAML is indented with spaces"
    return f"not valid YAML: {error.problem or error.context}"


def _line(lines: list[str], mark: Any) -> str:
    return lines[mark.line] if mark.line < len(lines) else ""
