"""Law 19: whatever the values, no command ends in a traceback, and what it takes is right.

Hypothesis puts right and hostile values at random places of the values API (tests/hostile.py). A
command refuses them with a line, or succeeds, and then what it rendered is what kubeconform and the
API server itself take (tests/faults.py). `FUZZ=1000 python -m pytest tests/laws/test_19_fuzz.py`
looks further.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import sys
import traceback
from pathlib import Path

import pytest
import yaml
from hypothesis import given, note
from hypothesis import strategies as st

from generator.cli import main
from generator.manifests.kubeconform import check
from generator.manifests.parsing import Manifest, manifest, split
from generator.values.check import read
from tests.faults import faults
from tests.hostile import FUZZ, fuzz, inference_services, values
from tests.images import listed, named
from tests.rendering import CASES, ROOT

PLACE = re.compile(r"[^:]+:[0-9]+:[0-9]+: ")


def run(*arguments: object) -> tuple[int, str, str]:
    """`python -m generator …` in this process: its exit code and what it printed."""
    out, err = io.StringIO(), io.StringIO()
    before, sys.argv = sys.argv, ["generator", *map(str, arguments)]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main.main()
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(bool(error.code))
    except BaseException:
        pytest.fail(f"{arguments}: {traceback.format_exc()[-3000:]}")
    finally:
        sys.argv = before
    assert "Traceback" not in err.getvalue() + out.getvalue()
    return code, out.getvalue(), err.getvalue()


@pytest.fixture(autouse=True)
def _mistakes_of_ours_are_failures(monkeypatch):
    """What nobody foresaw is told in a sentence, and is wrong all the same."""

    def fail(error: Exception) -> str:
        raise error

    monkeypatch.setattr(main, "own_mistake", fail)


def refused(code: int, err: str) -> bool:
    """Whether it was refused, with something to read, a place to look at, and a remedy."""
    if code == 0:
        return False
    note(err)
    assert code == 1
    assert len(err) < 20_000
    for line in err.splitlines():
        assert PLACE.match(line), f"no file, line and column: {line}"
        assert "; " in line or "not valid YAML" in line or " such as " in line, f"no remedy: {line}"
        for raw in ("Helm refuses it", "does not match", "nothing usable", "valid under"):
            assert raw not in line, f"not in words: {line}"
    return bool(err.strip())


def rendered(folder: Path) -> list[Manifest]:
    """The objects in a folder, CRDs aside."""
    files = [file for file in sorted(folder.rglob("*.yaml")) if file.name != "kustomization.yaml"]
    texts = [
        file.read_text("utf-8") for file in files if not file.name.startswith("customresource")
    ]
    return [manifest(text) for text in texts]


def hold_to_the_api(objects: list[Manifest]) -> None:
    """Fail for what an API server would refuse."""
    for found in objects:
        assert list(faults(yaml.safe_load(found.text))) == [], found.text


def written(data, tmp_path_factory) -> tuple[Path, Path]:
    """A new folder, and the values file in it; what it says is told when it fails."""
    folder = tmp_path_factory.mktemp("fuzz")
    text = json.dumps(data, ensure_ascii=False)
    note(text)
    (folder / "my.yaml").write_text(text)
    return folder, folder / "my.yaml"


def test_manifests_takes_only_what_an_api_server_takes(tmp_path_factory):
    accepted: dict[str, Manifest] = {}

    @fuzz(60)
    @given(values())
    def look(data):
        folder, file = written(data, tmp_path_factory)
        code, _, err = run("manifests", "-f", file, "-o", folder / "out")
        if refused(code, err):
            assert not (folder / "out").exists()
            return
        objects = rendered(folder / "out")
        hold_to_the_api(objects)
        assert listed(read([file])) == set(named(yaml.safe_load(each.text) for each in objects))
        new = {found.text: found for found in objects if found.text not in accepted}
        accepted.update(new)
        if FUZZ:
            assert list(check(list(new.values())).problems) == []

    look()
    # One run of kubeconform for all of them.
    assert len(accepted) > 50
    assert list(check(list(accepted.values())).problems) == []


@pytest.mark.parametrize(
    ("command", "examples"), [("validate", 10), ("chart", 8), ("build", 4), ("images", 60)]
)
def test_other_commands_refuse_or_succeed(command, examples, tmp_path_factory):
    @fuzz(examples)
    @given(values())
    def look(data):
        folder, file = written(data, tmp_path_factory)
        output = () if command in ("images", "validate") else ("-o", folder / "out")
        code, _, err = run(command, "-f", file, *output)
        refused(code, err)

    look()


def test_routes_are_what_an_api_server_takes(tmp_path):
    routed: dict[str, Manifest] = {}

    @fuzz(60)
    @given(inference_services())
    def look(service):
        file = tmp_path / "service.json"
        file.write_text(json.dumps(service, ensure_ascii=False))
        note(json.dumps(service, ensure_ascii=False))
        code, out, err = run("routes", file, "-f", CASES["istio-virtual-service"])
        objects = list(split(out))
        hold_to_the_api(objects)
        if not refused(code, err):
            assert objects
        routed.update((found.text, found) for found in objects)

    look()
    assert len(routed) > 3
    assert list(check(list(routed.values())).problems) == []


def test_an_entry_made_of_a_manifest_is_one_that_the_commands_take(tmp_path):
    @fuzz(40)
    @given(inference_services())
    def look(service):
        file, values_file = tmp_path / "service.json", tmp_path / "my.yaml"
        file.write_text(json.dumps(service, ensure_ascii=False))
        note(json.dumps(service, ensure_ascii=False))
        code, out, err = run("model", file)
        if refused(code, err):
            return
        values_file.write_text(out)
        code, _, err = run("validate", "-f", values_file)
        refused(code, err)

    look()


def test_a_values_file_with_any_bytes_is_read_or_refused(tmp_path):
    whole = [
        file.read_bytes()
        for file in (*CASES.values(), *(ROOT / "examples" / "models").rglob("*.yaml"))
    ]

    @fuzz(150)
    @given(st.data())
    def look(data):
        raw = data.draw(st.sampled_from(whole) | st.binary(max_size=200))
        for _ in range(data.draw(st.integers(0, 3))):
            at = data.draw(st.integers(0, len(raw)))
            until = min(len(raw), at + data.draw(st.integers(0, 9)))
            raw = raw[:at] + data.draw(st.binary(max_size=6) | SNIPPETS) + raw[until:]
        file = tmp_path / "my.yaml"
        file.write_bytes(raw)
        code, _, err = run("model", file)
        assert code in (0, 1)
        assert code == 0 or err.strip()

    look()


SNIPPETS = st.sampled_from(
    [
        b"\t",
        b"\r\n",
        b"\n- ",
        b": ",
        b"{",
        b"[",
        b"&a ",
        b"*a",
        b"!!python/object:x ",
        b"\xff",
        b"\x00",
        b"---\n",
        b"? ",
    ]
    + [
        b"kind: InferenceService\n",
        b"apiVersion: serving.kserve.io/v1beta1\n",
        b"spec: {predictor: {model: 1}}\n",
    ]
)


def test_a_domain_that_yaml_takes_for_a_boolean_stays_text(tmp_path):
    """One of the values that the fuzz found, kept: hosts of a VirtualService stood without quotes."""
    file = tmp_path / "my.yaml"
    file.write_text(
        'routing: {mode: virtualService, domain: "true", domainTemplate: "{{ .Name }}.{{ .IngressDomain }}",\n'
        '  pathTemplate: "/{{ .Name }}"}\n'
        "models: {m: {format: sklearn, storageUri: s3://a/b}}\n"
    )
    code, _, _ = run("manifests", "-f", file, "-o", tmp_path / "out")
    assert code == 0
    hold_to_the_api(rendered(tmp_path / "out"))
