"""The tutorials run from top to bottom; what they assert holds."""

import runpy
from pathlib import Path

import matplotlib
import pytest

EXAMPLES = Path(__file__).parents[2] / "experiments" / "examples"


@pytest.mark.parametrize(("name", "words"), [("first_sweep", "learned"), ("verify_theorem", "certified")])
def test_a_tutorial_runs(name, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with matplotlib.rc_context({"backend": "agg"}):
        runpy.run_path(str(EXAMPLES / f"{name}.py"))
    assert words in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == (["first_sweep.png"] if name == "first_sweep" else [])
