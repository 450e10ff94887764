"""What the README shows must run."""

import re
import shlex
from pathlib import Path

import pytest

from experiments.cli import main

README = (Path(__file__).parents[1] / "README.md").read_text()
PYTHON = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
SHELL = "".join(re.findall(r"```bash\n(.*?)```", README, re.DOTALL))
COMMANDS = [shlex.split(line, comments=True)[1:] for line in re.findall(r"^simlab .*$", SHELL, re.MULTILINE)]


@pytest.mark.parametrize("block", PYTHON, ids=[str(number) for number in range(len(PYTHON))])
def test_python_blocks_run(block, capsys):
    exec(compile(block, "README.md", "exec"), {})
    assert capsys.readouterr().out


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_commands_run(words, tmp_path, monkeypatch, capsys):
    """The commands that train are run at a tiny size, in an empty folder; `plot` follows the run it redraws."""
    monkeypatch.chdir(tmp_path)
    tiny = (
        "--n-words 6 --n-classes 4 --sentence-length 2 --embedding-dim 4 --batch-size 10 --n-evaluation 20 --epochs 2"
    )
    if words[0] == "plot":
        assert main(["run", "zipf-layer-norm", *tiny.split(), "--out", words[1], "--quiet"]) == 0
    assert main([*words, *(tiny.split() if words[0] == "run" else [])]) == 0


def test_the_blocks_were_found():
    assert len(PYTHON) == 2
    assert len(COMMANDS) == 6


def test_figures_of_the_readme_exist():
    for path in re.findall(r"!\[.*?\]\((.*?)\)", README):
        assert (Path(__file__).parents[1] / path).is_file()
