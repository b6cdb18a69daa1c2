"""KServe's templates of hosts and paths, such as `{{ .Name }}.{{ .IngressDomain }}`, filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping

# {{ .Name }}, {{ .Labels.team }} or {{ index .Labels "example.com/team" }}
_FIELD = re.compile(r'\{\{-? *(?:\.(\w+)(?:\.(\w+))?|index \.(\w+) "([^"]+)") *-?\}\}')


def filled(template: str, known: Mapping[str, str | Mapping[str, str]]) -> str:
    """The template with what is known: texts by the name of a field, maps by that of Labels and
    Annotations. What is not known stays as it is.
    """

    def field(match: re.Match[str]) -> str:
        name, key = match[1] or match[3], match[2] or match[4]
        things = known.get(name)
        value = things.get(key) if isinstance(things, Mapping) else things
        return match[0] if value is None else str(value)

    return _FIELD.sub(field, template)
