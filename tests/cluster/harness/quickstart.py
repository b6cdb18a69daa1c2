"""The quick start of the README, as its readers type it."""

from __future__ import annotations

import re

from tests.rendering import ROOT

MODEL = "localhost:8080"
"""Where its port-forward leads to the model, and its curl asks."""


def curl() -> str:
    """The command that asks the model at MODEL, in the lines that it has there."""
    text = (ROOT / "README.md").read_text("utf-8")
    (found,) = re.findall(r"^curl (?:.*\\\n)*.*$", text, re.MULTILINE)
    assert MODEL in found, found
    return str(found)
