"""A kubectl on PATH that is none, or whose answer is cut off: an error says so, no traceback."""

import os

import pytest

from tests.unit.test_cli import run

RESOURCES = 'test "$1" = api-resources && echo "namespaces ns v1 false Namespace" && exit'


def live(tmp_path, script):
    """What `diff --live` says of a ConfigMap with a shell script as kubectl."""
    program = tmp_path / "bin" / "kubectl"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    folder = tmp_path / "new"
    folder.mkdir()
    (folder / "a.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
    path = f"{program.parent}:{os.environ['PATH']}"
    done = run("diff", "--live", folder, environment={**os.environ, "PATH": path})
    assert (done.returncode, done.stdout) == (2, "")
    return done.stderr


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo hello", "kubectl api-resources: answers `hello`, which is no kind of the cluster's"),
        (
            "echo; echo a b c d; exit 1",
            "kubectl api-resources: answers `a b c d`, which is no kind",
        ),
        ("echo a b false C", "kubectl api-resources: answers `a b false C`, which is no kind"),
        ("exit 0", "kubectl api-resources: answers nothing, which is no kind"),
        ("kill -9 $$", "no cluster answers: ends with -9 and says nothing"),
        (f"{RESOURCES}; echo oops", "kubectl get: answers `oops`, which are no objects"),
        (f"{RESOURCES}; echo '[]'", "kubectl get: answers `[]`, which are no objects"),
        (f"{RESOURCES}; echo '{{}}'", "kubectl get: answers `{}`, which are no objects"),
        (f'{RESOURCES}; echo \'{{"kind": "List", "items": [1]}}\'', "which are no objects"),
        (f'{RESOURCES}; echo \'{{"kind": "List", \'', "which are no objects"),
    ],
)
def test_answers_that_kubectl_never_gives(tmp_path, script, said):
    text = live(tmp_path, script)
    assert said in text
    assert "mistake in kserve-lite" not in text
    assert len(text.splitlines()) == 1
