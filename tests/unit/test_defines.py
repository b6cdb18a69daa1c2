"""The defines of the templates: each says what it takes, and is called with that, by name."""

from __future__ import annotations

import re

import pytest

from generator import CHART, DATA, MODELS

ROOT = DATA / "templates"
TEXTS = {
    file.relative_to(ROOT).as_posix(): file.read_text(encoding="utf-8")
    for file in sorted(ROOT.rglob("*"))
    if "templates" in file.relative_to(ROOT).parts and file.is_file()
}
DEFINE = re.compile(
    r"(?:\{\{- /\*(?P<comment>(?:(?!\*/).)*)\*/ -\}\}\s*)?\{\{- define \"(?P<name>[^\"]+)\" -\}\}",
    re.DOTALL,
)
CALL = re.compile(r"include \"(?P<name>[^\"]+)\" \(dict (?P<arguments>[^|}]*)")
# A key of the ConfigMap each; the head of _config.tpl says for all that they take the root.
ALIKE = "kserve-lite.config."


def takes(comment: str) -> set[str] | None:
    """The names in a comment's `Takes (dict name name …)`; none where it takes one thing."""
    named = re.search(r"Takes\s+\(dict ([^)]*)\)", comment)
    if named:
        return set(named[1].split())
    return set() if re.search(r"\bTakes\b", comment) else None


def defines() -> dict[str, set[str] | None]:
    return {
        found["name"].replace("<@ chart @>", chart): takes(found["comment"] or "")
        for text in TEXTS.values()
        for found in DEFINE.finditer(text)
        for chart in (CHART, MODELS)
    }


def arguments(call: str) -> set[str]:
    """The keys of the outermost dict: every other of what its spaces part."""
    parts, depth = [""], 0
    for token in re.findall(r"\"[^\"]*\"|\s+|[()]|[^\s()\"]+", call):
        depth += {"(": 1, ")": -1}.get(token, 0)
        if depth < 0:
            break
        if depth == 0 and token.isspace():
            parts.append("")
        else:
            parts[-1] += token
    return {key.strip('"') for key in parts[::2] if key}


def test_every_define_says_what_it_takes() -> None:
    found = defines()
    assert len(found) > 60
    silent = {name for name, names in found.items() if names is None}
    assert {name for name in silent if not name.startswith(ALIKE)} == set()


def test_arguments_have_names() -> None:
    for path, text in TEXTS.items():
        assert not re.search(r"include \"[^\"]+\" \(list\b", text), path
        assert not re.search(r"\bindex \. \d", text), path


@pytest.mark.parametrize("path", TEXTS)
def test_a_define_is_called_with_what_it_takes(path: str) -> None:
    known = defines()
    # Jinja's statements are no argument, and what it prints is one.
    text = re.sub(r"\{@.*?@\}", "", TEXTS[path]).replace("<@ chart @>", CHART)
    text = re.sub(r"<@.*?@>", "0", text)
    for call in CALL.finditer(text):
        names = known[call["name"]]
        assert names, call["name"]
        assert arguments(call["arguments"]) <= names, call[0]


def test_a_call_with_another_name_is_seen() -> None:
    assert takes("Says it. Takes (dict root image), where image is a dict.") == {"root", "image"}
    assert takes("Takes the root.") == set()
    assert takes("Says nothing of it.") is None
    assert arguments('"root" . "labels" (dict "a" (list 1 2)) "imge" .Values.x) | nindent 2') == {
        "root",
        "labels",
        "imge",
    }


def indentation(text: str) -> list[str]:
    """The lines of a text's defines that do not stand two spaces in for each block they are in.

    A define that yields YAML has its lines where YAML wants them, and is left out.
    """
    wrong = []
    for define in re.findall(r"^\{\{- define .*?^\{\{- end -\}\}$", text, re.DOTALL | re.MULTILINE):
        if re.search(r"^ *(- )?(?!ERROR:)[\w./-]+:( |$)", define, re.MULTILINE):
            continue
        depth, within = 0, False
        for line in define.splitlines():
            jinja = line.startswith(("{@", "<@")) or '.catalog" -}}' in define
            opened = len(re.findall(r"\{\{-? (?:define|if|range|with)\b", line))
            ended = len(re.findall(r"\{\{-? end\b", line))
            outdent = 2 if re.match(r" *\{\{-? (?:else|end)\b", line) else 0
            if not within and not jinja and len(line) - len(line.lstrip()) != 2 * depth - outdent:
                wrong.append(line)
            depth += opened - ended
            bare = re.sub(r'"[^"]*"', "", line)
            within = "}}" not in bare and (within or "{{" in bare)
    return wrong


@pytest.mark.parametrize("path", TEXTS)
def test_defines_are_indented_as_code(path: str) -> None:
    assert indentation(TEXTS[path]) == []
    # One blank line parts a define, and what is said of it, from what is before.
    for define in DEFINE.finditer(TEXTS[path]):
        assert re.search(r"(?:^|[^\n]\n\n)$", TEXTS[path][: define.start()]), define["name"]


def test_a_line_out_of_its_block_is_seen() -> None:
    right = '{{- define "a" -}}\n  {{- if . }}\n    ERROR: x\n  {{- end -}}\n{{- end -}}'
    assert indentation(right) == []
    assert indentation(right.replace("    ERROR", "  ERROR")) == ["  ERROR: x"]
    braces = '{{- define "a" -}}\n  {{- $a := dict\n        "b" "{{ .Name }}"\n        "c" 1 -}}\n{{- end -}}'
    assert indentation(braces) == []
