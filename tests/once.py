"""Results that the workers of one test run share: pytest-xdist runs each in a process of its own.

conftest.py names the folder they are in, and removes it when the run ends.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cache, update_wrapper
from pathlib import Path
from typing import Any, TypeVar

FOLDER = "KSERVE_LITE_TEST_RUN"
"""The environment variable that names the folder; without it every process is on its own."""

Result = TypeVar("Result")


def once(function: Callable[..., Result]) -> Callable[..., Result]:
    """`functools.cache` for the whole run.

    The function's arguments must have a repr that says all of them, and its result must not be
    changed by those who get it. `__wrapped__` is the function itself.
    """

    def shared(*arguments: Any, **options: Any) -> Result:
        if not (folder := os.environ.get(FOLDER)):
            return function(*arguments, **options)
        call = repr((function.__module__, function.__name__, arguments, sorted(options.items())))
        file = Path(folder) / hashlib.sha256(call.encode()).hexdigest()
        with suppress(FileNotFoundError):
            result: Result = pickle.loads(file.read_bytes())
            return result
        result = function(*arguments, **options)
        # Whole or not there: another worker may look for it now.
        draft = file.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
        draft.write_bytes(pickle.dumps(result))
        draft.rename(file)
        return result

    return update_wrapper(cache(shared), function)
