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
    """Commands that train are run at a tiny size, in an empty folder; `plot` and `report` follow the run they draw."""
    monkeypatch.chdir(tmp_path)
    if words[0] in ("plot", "report"):
        assert main(["run", "zipf-layer-norm", *tiny_options([]), "--out", words[1], "--quiet"]) == 0
    assert main([*words, *(tiny_options(words) if words[0] == "run" else [])]) == 0


def tiny_options(words):
    """Return the options of a tiny run, less those that the words hold."""
    if "neural-collapse" in words:
        return ["--n-steps", "2"]
    sizes = {"n-words": 6, "n-classes": 4, "sentence-length": 2, "embedding-dim": 4, "n-evaluation": 20}
    steps = {} if "--n-steps" in words else {"epochs": 2}
    batch = {} if "--batch-size" in words else {"batch-size": 10}
    return [part for name, value in {**sizes, **steps, **batch}.items() for part in (f"--{name}", str(value))]


def test_the_blocks_were_found():
    assert len(PYTHON) == 2
    assert len(COMMANDS) == 10


def test_figures_of_the_readme_exist():
    for path in re.findall(r"!\[.*?\]\((.*?)\)", README):
        assert (Path(__file__).parents[1] / path).is_file()
