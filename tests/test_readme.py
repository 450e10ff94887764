"""What the README shows must run."""

import re
import shlex
from pathlib import Path

import pytest

from experiments.commands.cli import main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
PAGES = (
    *("README.md", "theory/README.md", "simlab/README.md", "experiments/README.md", "experiments/examples/README.md"),
    *("figures/README.md", "CONTRIBUTING.md"),
)
PYTHON = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
SHELL = "\n".join(re.findall(r"```bash\n(.*?)```", README, re.DOTALL))
COMMANDS = [shlex.split(line, comments=True)[1:] for line in re.findall(r"^simlab .*$", SHELL, re.MULTILINE)]
# Those of the other pages that train nothing.
PREDICTIONS = [
    shlex.split(line, comments=True)[1:]
    for page in PAGES[1:]
    for line in re.findall(r"^simlab predict .*$", (ROOT / page).read_text(), re.MULTILINE)
]


@pytest.mark.parametrize("block", PYTHON, ids=[str(number) for number in range(len(PYTHON))])
def test_python_blocks_run(block, capsys):
    exec(compile(block, "README.md", "exec"), {})
    assert capsys.readouterr().out


def shows(words):
    """Return whether a command draws a run that another one has left."""
    return words[0] in ("plot", "report")


def is_long(words):
    """Return whether a command runs an experiment of every phenomenon; it is tested on a small one."""
    return words[0] == "atlas"


@pytest.mark.parametrize(
    "words", [words for words in COMMANDS if not shows(words) and not is_long(words)], ids=" ".join
)
def test_commands_run(words, tmp_path, monkeypatch, capsys):
    """Commands that train are run at a tiny size, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    assert main([*words, *([*tiny_options(words), "--no-figures"] if words[0] == "run" else [])]) == 0


@pytest.mark.parametrize("words", PREDICTIONS, ids=" ".join)
def test_predictions_of_the_other_pages_run(words, capsys):
    assert main(words) == 0


def test_commands_draw_a_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    commands = [words for words in COMMANDS if shows(words)]
    (folder,) = {words[1] for words in commands}
    assert main(["run", "zipf-layer-norm", *tiny_options([]), "--out", folder, "--quiet"]) == 0
    for words in commands:
        assert main(words) == 0


def tiny_options(words):
    """Return the options of a tiny run, less those that the words hold."""
    if "all" in words:  # with --plan: sizes differ from experiment to experiment
        return []
    if "neural-collapse" in words:
        return ["--n-steps", "2"]
    sizes = {"n-words": 6, "n-classes": 4, "sentence-length": 2, "embedding-dim": 4, "n-evaluation": 20}
    steps = {} if "--n-steps" in words else {"epochs": 2}
    batch = {} if "--batch-size" in words else {"batch-size": 10}
    return [part for name, value in {**sizes, **steps, **batch}.items() for part in (f"--{name}", str(value))]


def test_the_blocks_were_found():
    assert len(PYTHON) == 2
    assert len(COMMANDS) == 14


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files(page):
    """Links and pictures of a page, those of the network left out."""
    text = (ROOT / page).read_text()
    paths = [path for path in re.findall(r"\]\(([^)]*)\)", text) if "://" not in path]
    assert [path for path in paths if not ((ROOT / page).parent / path.partition("#")[0]).exists()] == []


def test_the_readme_fits_in_200_lines():
    assert len(README.splitlines()) <= 200
