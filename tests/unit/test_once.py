"""What the workers of a test run share is made once, and is what each would have made."""

import pytest

from tests import once


@pytest.fixture
def calls(tmp_path, monkeypatch):
    """The calls of `double`, in the folder of a run."""
    monkeypatch.setenv(once.FOLDER, str(tmp_path))
    return []


def workers(calls):
    """A function as two processes have it."""

    def double(number, *, text=""):
        calls.append((number, text))
        return {"number": 2 * number, "text": 2 * text}

    return once.once(double), once.once(double)


def test_what_one_worker_made_the_other_takes(calls):
    one, other = workers(calls)
    assert one(2, text="a") == other(2, text="a") == {"number": 4, "text": "aa"}
    assert one(2) == other(2) == {"number": 4, "text": ""}
    assert other(3) == one(3) == {"number": 6, "text": ""}
    assert calls == [(2, "a"), (2, ""), (3, "")]
    assert one(2) is one(2)


def test_the_function_itself_can_be_had(calls):
    one, _ = workers(calls)
    assert one(2) == one.__wrapped__(2)
    assert len(calls) == 2


def test_without_a_folder_each_is_on_its_own(calls, monkeypatch):
    monkeypatch.delenv(once.FOLDER)
    one, other = workers(calls)
    assert one(2) == one(2) == other(2)
    assert len(calls) == 2


def test_what_fails_is_tried_again(calls, tmp_path):
    def fail(number):
        calls.append(number)
        raise ValueError(number)

    failing = once.once(fail)
    for _ in range(2):
        with pytest.raises(ValueError, match="1"):
            failing(1)
    assert calls == [1, 1]
    assert list(tmp_path.iterdir()) == []
