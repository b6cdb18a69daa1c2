"""The model server of tests/cluster has the packages that upstream's image has."""

import re

from codegen import upstream
from tests.rendering import ROOT

PIN = re.compile(r"^([\w.-]+)==([\w.]+)", re.MULTILINE)
LOCKED = re.compile(r'^name = "(.+)"\nversion = "(.+)"', re.MULTILINE)


def test_its_packages_are_those_of_upstreams_lock():
    pins = PIN.findall((ROOT / "tools/sklearnserver/requirements.txt").read_text("utf-8"))
    lock = upstream.folder(upstream.KSERVE) / "python/sklearnserver/uv.lock"
    assert ("kserve", upstream.version(upstream.KSERVE).removeprefix("v")) in pins
    assert set(pins) - set(LOCKED.findall(lock.read_text("utf-8"))) == set()
