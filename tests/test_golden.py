"""Every flavour and case renders, byte for byte, what was last agreed on."""

import re
from itertools import pairwise
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.output import mirror
from tests import conftest, golden
from tests.golden import DEFAULT, DIFF
from tests.hunks import hunks, keys, lines
from tests.rendering import CASES

DEPLOYMENT = "10-platform/deployment-kserve-controller-manager.yaml"
CONFIG = "10-platform/configmap-inferenceservice-config.yaml"
ROLE = "10-platform/clusterrole-kserve-manager-role.yaml"
FLAVOUR = "gke"


@pytest.mark.parametrize("name", golden.GOLDENS)
def test_golden(name, request):
    if request.config.getoption("--update-golden"):
        changes = golden.update(name)
        for sign, paths in (("+", changes.added), ("~", changes.changed), ("-", changes.removed)):
            for path in paths:
                print(f"{sign} {name}/{path}")
    assert golden.differences(golden.content(name), golden.FOLDER / name) == ""


def test_every_golden_belongs_to_a_case(request):
    if request.config.getoption("--update-golden"):
        for name in golden.remove_orphans():
            print(f"- {name}")
    assert golden.orphans() == []


def test_there_is_room_for_more_cases():
    assert sum(path.is_file() for path in golden.FOLDER.rglob("*")) <= 450


def test_goldens_are_not_updated_in_ci(monkeypatch):
    options = {"--update-golden": True}
    config = SimpleNamespace(getoption=lambda name, default=None: options.get(name, default))
    monkeypatch.delenv("CI", raising=False)
    conftest.pytest_configure(config)
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.UsageError, match="not updated in CI"):
        conftest.pytest_configure(config)
    options.clear()
    conftest.pytest_configure(config)


@pytest.fixture
def default():
    return golden.content(DEFAULT)


@pytest.fixture
def flavour():
    """What a flavour renders, as it would be stored if it were stored whole."""
    return golden.stored(golden.rendered(FLAVOUR), golden.content(golden.HEADER)["header.yaml"])


def seen(name, files):
    """What is seen when this is what the case renders."""
    if name not in golden.WHOLE:
        files = golden.difference(files, golden.content(DEFAULT))
    return golden.differences(files, golden.FOLDER / name)


def test_a_changed_field_is_seen(default):
    default[DEPLOYMENT] = default[DEPLOYMENT].replace("replicas: 1", "replicas: 2")
    message = seen(DEFAULT, default)
    assert "-  replicas: 1\n+  replicas: 2" in message
    assert message.endswith("make golden")


def test_a_comment_counts(default):
    default[ROLE] = default[ROLE].replace("# Its own resources", "# Its own things")
    assert "+# Its own things" in seen(DEFAULT, default).replace("  #", "#")


def test_a_missing_golden_is_seen_and_shown(default):
    message = seen(DEFAULT, {**default, "10-platform/new.yaml": "kind: New\n"})
    assert "10-platform/new.yaml: no golden" in message
    assert "+kind: New" in message


def test_an_orphan_and_an_empty_file_are_seen(default, tmp_path):
    path, _ = default.popitem()
    assert f"{path}: stored, but not rendered" in seen(DEFAULT, default)
    assert "nothing is rendered" in golden.differences({"a.yaml": "\n"}, tmp_path)
    assert "empty" in golden.differences({}, tmp_path)


@pytest.mark.parametrize("path", [ROLE, DEPLOYMENT])
def test_a_field_that_changes_in_a_flavour_alone_is_seen(path, flavour):
    """Whether its file is otherwise that of default (the role), or not."""
    changed = re.sub(r"^  name: (\S+)$", r"  name: \1-2", flavour[path], count=1, flags=re.M)
    assert changed != flavour[path]
    assert re.search(r"^\+\+  name: \S+-2$", seen(FLAVOUR, {**flavour, path: changed}), re.M)


def test_an_object_that_vanishes_from_a_flavour_is_seen(flavour):
    del flavour[ROLE]
    assert f"+Only in default: {ROLE}\n" in seen(FLAVOUR, flavour)


def test_an_object_that_is_new_in_a_flavour_is_seen(flavour):
    message = seen(FLAVOUR, {**flavour, "10-platform/new.yaml": "kind: New\n"})
    assert f"{FLAVOUR}/10-platform/new.yaml: no golden" in message


def test_what_a_flavour_has_like_default_is_not_stored(flavour, tmp_path):
    mistaken = golden.difference(flavour, golden.content(DEFAULT)) | {ROLE: flavour[ROLE]}
    folder = tmp_path / FLAVOUR
    mirror.write(mistaken, folder)
    right = golden.difference(flavour, golden.content(DEFAULT))
    assert f"{FLAVOUR}/{ROLE}: stored, but not rendered, or not" in golden.differences(
        right, folder
    )
    (folder / ROLE).unlink()
    assert golden.differences(right, folder) == ""


def test_a_case_that_renders_what_default_renders_is_seen(default):
    assert "tests nothing" in seen(FLAVOUR, default)


def test_a_change_that_all_cases_share_is_a_change_of_the_whole_ones(default, flavour):
    def changed(files):
        text = files[DEPLOYMENT].replace("replicas: 1", "replicas: 3")
        return {**files, DEPLOYMENT: text, CONFIG: "# Another first line.\n" + files[CONFIG]}

    assert seen(DEFAULT, changed(default)) != ""
    after = golden.difference(changed(flavour), changed(default))
    assert golden.differences(after, golden.FOLDER / FLAVOUR) == ""


def test_the_checksum_of_the_config_is_left_out_only_if_it_is_right(default, flavour):
    assert "checksum" not in golden.difference(flavour, default)[DIFF]
    checksum = golden.config_checksum(flavour[CONFIG])
    assert checksum != golden.config_checksum(default[CONFIG])
    flavour[DEPLOYMENT] = flavour[DEPLOYMENT].replace(checksum, "0" * 64)
    assert "checksum/inferenceservice-config: 0000" in seen(FLAVOUR, flavour)


def test_files_that_could_not_be_told_apart_once_stored_are_seen():
    path, other = "10-platform/job-a-00000001.yaml", "10-platform/job-a-00000002.yaml"
    text, another = "# H\nname: a-00000001\n", "# H\nname: a-00000002\n"
    assert golden.stored({path: text}, "# H\n") == {"10-platform/job-a.yaml": "name: a-00000001\n"}
    with pytest.raises(AssertionError, match="does not begin with the header"):
        golden.stored({path: text.removeprefix("# H\n")}, "# H\n")
    with pytest.raises(AssertionError, match="another object is stored"):
        golden.stored({path: text, other: another}, "# H\n")
    with pytest.raises(AssertionError, match="has another name"):
        golden.stored({path: another}, "# H\n")


# Few lines, often the same: so hunks fit in several places.
LINES = st.sampled_from(
    [
        "",
        "a:",
        "  b: 1",
        "  b: 2",
        "  - c",
        "  - c: 1",
        "    d",
        "-",
        "+",
        "@@ a @@",
        "# e",
        "\u2028",
    ]
)
TEXTS = st.lists(LINES, min_size=1, max_size=12).map(lambda some: "\n".join(some) + "\n")


@settings(max_examples=300, deadline=None)
@given(TEXTS, TEXTS)
def test_a_text_and_its_hunks_make_the_other(before, after):
    diff = hunks(before, after)
    assert (diff == []) == (before == after)
    assert restored(before, diff) == after
    assert not any(line != line.rstrip() for line in diff if line[1:] == "")


@pytest.mark.parametrize("case", [case for case in CASES if case not in golden.WHOLE])
def test_the_golden_of_a_case_and_that_of_default_make_what_it_renders(case):
    header = golden.content(golden.HEADER)["header.yaml"]
    default = golden.content(DEFAULT)
    files = golden.stored(golden.rendered(case), header)
    parts = dict(golden.content(case))
    absent, changed = parsed(parts.pop(DIFF, ""))
    made = {path: text for path, text in default.items() if path not in absent} | parts
    for path, diff in changed.items():
        made[path] = restored(made[path], diff)
    # The checksum that is left out of diffs.
    checksums = [golden.config_checksum(tree[CONFIG]) for tree in (default, files)]
    if made[DEPLOYMENT] != files[DEPLOYMENT]:
        made[DEPLOYMENT] = made[DEPLOYMENT].replace(*checksums)
    assert made == files


def parsed(text):
    """What is absent, and hunks by path, in a `from-default.diff`."""
    absent, changed = set(), {}
    for line in text.split("\n")[:-1]:
        if line.startswith("Only in default: "):
            absent.add(line.removeprefix("Only in default: "))
        elif line.startswith("diff "):
            # An empty line stands before it.
            for diff in list(changed.values())[-1:]:
                assert diff.pop() == ""
            changed[line.removeprefix("diff ")] = diff = []
        elif changed:
            diff.append(line)
    return absent, changed


def restored(before, diff):
    """A text with its hunks applied, each where its heading and its lines say."""
    old, new, done = lines(before), [], 0
    starts = [index for index, line in enumerate(diff) if line.startswith("@@")]
    for start, end in pairwise([*starts, len(diff)]):
        where, which = re.fullmatch(r"@@ (?:(.*) )?@@(?: (\d+) of \d+)?", diff[start]).groups()
        body = diff[start + 1 : end]
        fits = [at for at in range(len(old) + 1) if fit(old, body, at, where or "")]
        assert which or len(fits) == 1
        at = fits[int(which or 1) - 1]
        new += old[done:at] + [line[1:] for line in body if not line.startswith("-")]
        done = at + sum(not line.startswith("+") for line in body)
    return "\n".join(new + old[done:]) + "\n"


def fit(old, body, at, where):
    """Whether a hunk fits at a line, under the keys that its heading says."""
    kept = [line[1:] for line in body if not line.startswith("+")]
    return old[at : at + len(kept)] == kept and keys(old, body, at) == where
