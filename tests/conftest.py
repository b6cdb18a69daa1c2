"""Options of the test run, and what its workers share."""

import os
import shutil
import signal
import tempfile

import pytest
from hypothesis import settings

from tests import once

# The same examples in every run: what fails is what was changed. FUZZ=1 draws others.
settings.register_profile("same", derandomize=not os.environ.get("FUZZ"))
settings.load_profile("same")

# A shell has what it runs in the background ignore Ctrl-C, and what that runs; tests press it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="write what is rendered into tests/golden"
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--update-golden") and os.environ.get("CI"):
        raise pytest.UsageError("goldens are not updated in CI; run `make golden` and commit")
    if config.getoption("dist", "no") != "no" and not hasattr(config, "workerinput"):
        # Here, before the workers start, which inherit it.
        os.environ[once.FOLDER] = folder = tempfile.mkdtemp()
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
