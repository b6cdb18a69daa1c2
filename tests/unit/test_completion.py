"""Completion in the shells that people use, by the commands of docs/commands.md."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from tests.rendering import ROOT

PAGE = (ROOT / "docs" / "commands.md").read_text("utf-8")
BASH = """\
{command}
COMP_WORDS=(kserve-lite {words})
COMP_CWORD={last}
_kserve_lite_completion kserve-lite
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
ZSH = """\
compdef() {{ :; }}
show() {{ print -rl -- "${{(@P)1}}"; }}
compadd() {{ show "${{@[-1]}}"; }}
_describe() {{ show "$3"; }}
{command}
words=(kserve-lite {words})
CURRENT=$(({last} + 1))
_kserve_lite_completion
"""
FISH = """\
{command}
complete --do-complete 'kserve-lite {line}'
"""
SHELLS = {"bash": BASH, "zsh": ZSH, "fish": FISH}
INSTALLED = [shell for shell in SHELLS if shutil.which(shell)]


def shown(shell):
    """The command that the page names for a shell, as its user puts it into a file of theirs."""
    (command,) = re.findall(rf"^\| {shell} \| `[^`]+` \| `([^`]+)` \|$", PAGE, re.MULTILINE)
    return command.replace(r"\|", "|")


@pytest.fixture
def ask(tmp_path):
    """What a shell proposes for a line, by name."""
    program = tmp_path / "bin" / "kserve-lite"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\nfrom generator.cli.main import main\n\nmain()\n")
    program.chmod(0o755)
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)}

    def asked(shell, *words):
        words = [*words[:-1], words[-1] or "''"]
        script = SHELLS[shell].format(
            command=shown(shell),
            words=" ".join(words),
            last=len(words),
            line=" ".join(words).removesuffix("''"),
        )
        done = subprocess.run(
            [shell, "-c", script],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stderr == ""
        return [re.split(r"[\t:]", line)[0] for line in done.stdout.splitlines() if line]

    return asked


def test_bash_is_there():
    assert "bash" in INSTALLED


@pytest.mark.parametrize("shell", INSTALLED)
def test_a_shell_completes_commands_options_and_words(shell, ask):
    assert ask(shell, "ma") == ["manifests"]
    assert set(ask(shell, "")) >= {"build", "chart", "diff", "validate"}
    assert ask(shell, "validate", "--prob") == ["--problems"]
    assert ask(shell, "images", "--format", "h") == ["hauler"]
    assert ask(shell, "no-such-command", "x") == []


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("words", "kind"),
    [("validate -f m", "file"), ("diff m", "file"), ("images --digests m", "file"), ("model m", "file"),
     ("routes m", "file"), ("chart -o m", "dir")],
)  # fmt: skip
def test_the_names_of_files_are_left_to_the_shell(shell, words, kind):
    environment = {
        "_KSERVE_LITE_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": f"kserve-lite {words}",
        "COMP_CWORD": "m" if shell == "fish" else str(len(words.split())),
    }
    program = "import sys; sys.argv[0] = 'kserve-lite'; from generator.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    assert re.split(r"[,\n]", done.stdout)[:2] == [kind, "m"]
