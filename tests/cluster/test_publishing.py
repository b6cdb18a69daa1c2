"""docs/release.md, "A chart of your own": packed, signed, pushed, pulled and verified.

It needs a registry, Debian's, and gpg, but no cluster: pytest runs this file as it is.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from generator import CHART, tools
from generator.values.load import NOTHING
from tests.cluster.harness import debian, registry
from tests.cluster.harness.registry import Registry
from tests.laws.test_01_parity import differences
from tests.rendering import CASES, ROOT, helm_template, objects, parse

CASE = "istio-virtual-service"
SECTION = (ROOT / "docs/release.md").read_text("utf-8").partition("## A chart of your own")[2]
PUBLISH, INSTALL = re.findall(r"^```console\n(.*?)^```", SECTION, re.MULTILINE | re.DOTALL)[:2]
VERSION = re.findall(r"--version (\S+)", PUBLISH)[0]
KEY = "owner@example.com"


@dataclass(frozen=True)
class Reader:
    """Somebody who follows the page, in a folder of their own."""

    folder: Path
    registry: Registry
    environment: dict[str, str]

    def follows(self, commands: str) -> subprocess.CompletedProcess[str]:
        """Run commands of the page; a registry on loopback has no TLS."""
        script = re.sub(r"helm (push|pull|template) ", r"helm \1 --plain-http ", commands)
        script = script.replace("REGISTRY", self.registry.host).replace("KEY", KEY)
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def does(self, commands: str) -> str:
        """The same, which must succeed; what it prints."""
        done = self.follows(commands)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    @property
    def package(self) -> Path:
        """The chart, packed."""
        return self.folder / f"{CHART}-{VERSION}.tgz"


@pytest.fixture(scope="module")
def keys() -> Iterator[str]:
    """A folder of gpg's with two keys; its agent's socket wants a short path."""
    assert shutil.which("gpg"), "gpg is missing; install gnupg"
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"GNUPGHOME": folder}
        for name in (KEY, "stranger@example.com"):
            make = ["gpg", "--batch", "--quiet", "--passphrase", "", "--quick-generate-key"]
            subprocess.run([*make, name, "rsa3072", "sign"], env=environment, check=True)
        yield folder
        subprocess.run(["gpgconf", "--kill", "all"], env=environment, check=True)


@pytest.fixture(scope="module", params=["helm", "helm3"])
def published(request, keys, tmp_path_factory) -> Iterator[Reader]:
    """The chart is in the registry, signed; the reader still has what was pushed."""
    debian.REGISTRY.build()
    folder = tmp_path_factory.mktemp("publishing")
    (folder / "bin").mkdir()
    (folder / "bin" / "helm").symlink_to(tools.find(request.param))
    shutil.copy(CASES[CASE], folder / "my.yaml")
    (folder / "registry").mkdir()
    path = (str(folder / "bin"), str(Path(sys.executable).parent), os.environ["PATH"])
    own = {f"HELM_{kind}_HOME": str(folder / kind) for kind in ("CACHE", "CONFIG", "DATA")}
    environment = os.environ | own | {
        "PATH": os.pathsep.join(path), "PYTHONPATH": str(ROOT), "GNUPGHOME": keys,
    }  # fmt: skip
    with registry.serving(folder / "registry") as serving:
        reader = Reader(folder, serving, environment)
        reader.does(PUBLISH)
        yield reader


def test_who_has_the_public_key_gets_the_chart_and_knows_whose_it_is(published):
    published.package.unlink()
    said = published.does(INSTALL)
    assert said.count(f"Signed by: {KEY}") == 2
    assert said.count("Chart Hash Verified: sha256:") == 2
    assert (published.folder / f"{published.package.name}.prov").is_file()
    rendered = helm_template(published.package, NOTHING, more=())
    (stock,) = re.findall(
        r"^version: (\S+)", (ROOT / "charts" / CHART / "Chart.yaml").read_text(), re.M
    )
    assert differences(objects(CASE), parse(rendered.replace(VERSION, stock))) == []
    assert VERSION in rendered
    # The options of an installation.
    again = published.does(
        f"helm template {CHART} oci://REGISTRY/charts/{CHART} --version {VERSION} --verify "
        "--keyring public.gpg --namespace kserve --kube-version 1.34"
    )
    assert "kind: Deployment" in again


def test_a_chart_that_was_changed_is_refused(published):
    before = published.package.read_bytes()
    published.package.write_bytes(before + b"\0")
    done = published.follows(INSTALL.splitlines()[1])
    published.package.write_bytes(before)
    assert done.returncode != 0
    assert "sha256 sum does not match" in done.stderr


def test_a_chart_that_somebody_else_signed_is_refused(published):
    (published.folder / "theirs").mkdir()
    theirs = Reader(published.folder / "theirs", published.registry, published.environment)
    theirs.does("gpg --export stranger@example.com > public.gpg")
    render = INSTALL.splitlines()[0].replace("pull", f"template {CHART}")
    for command in (INSTALL.splitlines()[0], render):
        done = theirs.follows(command)
        assert done.returncode != 0
        assert "openpgp: signature made by unknown entity" in done.stderr


def test_a_chart_without_a_signature_is_refused(published):
    bare = VERSION.replace("prod", "bare")
    published.does(
        f"helm package prod/{CHART} --version {bare}\n"
        f"helm push {CHART}-{bare}.tgz oci://REGISTRY/charts"
    )
    done = published.follows(INSTALL.splitlines()[0].replace(VERSION, bare))
    assert done.returncode != 0
    assert "prov" in done.stderr
