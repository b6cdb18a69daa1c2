"""The model servers of tests/cluster have the packages that upstream's images have."""

import re

import pytest

from codegen import upstream
from generator.catalog import catalog
from tests.rendering import ROOT

PIN = re.compile(r"^([\w.-]+)==([\w.]+)", re.MULTILINE)
LOCKED = re.compile(r'^name = "(.+)"\nversion = "(.+)"', re.MULTILINE)
PINS = PIN.findall((ROOT / "tools/modelserver/requirements.txt").read_text("utf-8"))


def locked(server):
    """The packages, with their versions, of upstream's lock for a server."""
    file = upstream.folder(upstream.KSERVE) / "python" / server / "uv.lock"
    return LOCKED.findall(file.read_text("utf-8"))


def test_its_packages_are_those_of_upstreams_lock():
    assert ("kserve", upstream.version(upstream.KSERVE).removeprefix("v")) in PINS
    assert set(PINS) - set(locked("predictiveserver")) == set()


def test_they_are_those_of_the_scikit_learn_server_too():
    others = {name for name, _ in set(PINS) - set(locked("sklearnserver"))}
    assert others == {"lightgbm", "nvidia-nccl-cu12", "xgboost"}


@pytest.mark.parametrize(
    ("server", "package"), [("xgbserver", "xgboost"), ("lgbserver", "lightgbm")]
)
def test_the_library_is_the_one_of_the_server(server, package):
    """Those images have other versions of what lies beneath: their locks are older."""
    (pin,) = (each for each in PINS if each[0] == package)
    assert pin in locked(server)


def test_mlserver_is_the_version_of_its_runtimes_image():
    file = ROOT / "tools/mlserver/requirements.txt"
    pins = dict(PIN.findall(file.read_text("utf-8")))
    ours = {version for name, version in pins.items() if name.startswith("mlserver")}
    assert ours == {catalog().runtimes["mlserver"].image.tag}
