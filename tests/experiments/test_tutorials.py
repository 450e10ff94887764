"""The tutorials run from top to bottom, what they assert holds, and what they print and save is what they claim."""

import re
import runpy
from pathlib import Path

import matplotlib
import numpy as np
import pytest

from experiments.norm_and_variance import SHIPPED, encoder_configuration, read_corpus
from simlab.networks.encoders.word_pieces import SPECIAL, WordPieces
from simlab.storage.results import load_dataset

EXAMPLES = Path(__file__).parents[2] / "experiments" / "examples"
NAMES = ("first_sweep", "verify_theorem", "own_phenomenon", "real_encoder")


@pytest.fixture
def execute(tmp_path, monkeypatch, capsys):
    """Run a tutorial in an empty folder; return its variables and what it prints."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SIMLAB_ENCODER", raising=False)

    def execute(name):
        with matplotlib.rc_context({"backend": "agg"}):
            variables = runpy.run_path(str(EXAMPLES / f"{name}.py"))
            matplotlib.pyplot.close("all")
        folder = tmp_path / variables["OUT"]
        assert (folder / f"{name}.png").stat().st_size > 0
        return variables, capsys.readouterr().out

    return execute


@pytest.mark.quick
@pytest.mark.parametrize("name", NAMES)
def test_a_tutorial_is_a_notebook_that_says_what_is_learnt_and_how_long_it_takes(name):
    text = (EXAMPLES / f"{name}.py").read_text()
    cells = re.split(r"^# %%", text, flags=re.MULTILINE)
    assert cells[0].strip() == cells[0].strip().splitlines()[0]  # nothing but one line before the first cell
    first = cells[1].replace("\n# ", " ")
    assert first.startswith(" [markdown] # ")
    assert "You learn" in first
    assert re.search(r"minutes to read.* to run", first)
    assert "control that must fail" in text
    assert f"[`{name}.py`]({name}.py)" in (EXAMPLES / "README.md").read_text()


def test_first_sweep(execute):
    variables, printed = execute("first_sweep")
    # The norm of the first weight decay to ten digits, learned and predicted.
    learned, predicted = re.search(r"decay 0.001: learned (\S+) .* predicted (\S+)", printed).groups()
    assert learned == predicted
    dataset = load_dataset(variables["OUT"])
    assert dict(dataset.sizes)["weight_decay"] == 3
    assert dataset.sizes["seed"] == 4


@pytest.mark.quick
def test_verify_theorem(execute):
    variables, printed = execute("verify_theorem")
    assert "certified" in printed
    with np.load(variables["OUT"] / "verify_theorem.npz") as saved:
        # Eight descents end at the prediction, the control does not.
        assert all(abs(saved[f"excess_{number}"][-1]) < 1e-12 for number in range(8))
        assert saved["control"] == pytest.approx(1.4e-3, rel=0.05)


def test_own_phenomenon(execute):
    variables, printed = execute("own_phenomenon")
    dataset = load_dataset(variables["OUT"] / "two-factors").isel(regime=0)
    # Of five inputs as many are kept as have |t| above the weight decay, in every sample.
    t, decays = np.array([2.0, 1.0, -0.5, 0.2, 0.0]), dataset.weight_decay.values
    kept = dataset.learned.sel(quantity="n_kept").transpose("weight_decay", "seed").values
    assert np.all(kept == np.sum(np.abs(t) > decays[:, None], axis=1)[:, None])
    coefficients = dataset.coefficients.mean("seed").transpose("weight_decay", "input").values
    # Five standard errors of a mean of 32 samples of 10,000, the largest of all.
    np.testing.assert_allclose(coefficients, variables["predicted"], atol=5 * 0.0235 / np.sqrt(32))
    assert "one factor is 0.42 from the theorem of two" in printed
    with pytest.raises(ValueError, match="n_factors: expected 1 or 2, got 3"):
        variables["predict"](variables["Choices"](n_factors=3))


def test_real_encoder_untrained(execute, monkeypatch):
    """At an eighth of the width, as 384 dimensions take half a minute."""
    sizes = {"n_positions": 32, "dim": 48, "n_layers": 6, "n_heads": 4, "n_hidden": 192}
    monkeypatch.setattr(encoder_configuration, "_UNTRAINED_SIZES", sizes)
    variables, printed = execute("real_encoder")
    assert printed.startswith("an untrained encoder;")
    with np.load(variables["OUT"] / "real_encoder.npz") as saved:
        # Without scale and offset LayerNorm fixes the norm: both formulas are exact, up to float32.
        np.testing.assert_allclose(saved["corr"], -1, atol=1e-6)
        np.testing.assert_allclose(saved["self_similarity"], saved["self_similarity_formula"], atol=1e-6)


def test_real_encoder_from_a_folder(execute, tmp_path, monkeypatch, tiny):
    """A tiny encoder in real files, whose LayerNorms have scale and offset: now the correlation is not -1."""
    pytest.importorskip("safetensors", reason="the extra 'encoder' is not installed")
    words = {word for sentence in read_corpus(SHIPPED) for word in WordPieces(SPECIAL).words(sentence)}
    vocabulary = [*SPECIAL, *sorted(words)]
    sizes = {"vocab_size": len(vocabulary), "max_position_embeddings": 20, "hidden_size": 16}
    config, tensors = tiny.CONFIG | sizes, tiny.random_tensors(tiny.CONFIG | sizes)
    # Branches so weak that the last layer still knows its token, as the control needs.
    weak = {
        name: array * (0.1 if name.startswith("encoder") and "LayerNorm" not in name else 1)
        for name, array in tensors.items()
    }
    tiny.write_folder(tmp_path / "tiny", weak, config, vocabulary)
    monkeypatch.setenv("SIMLAB_ENCODER", str(tmp_path / "tiny"))
    variables, printed = execute("real_encoder")
    assert printed.startswith(f"the encoder in {tmp_path / 'tiny'}")
    with np.load(variables["OUT"] / "real_encoder.npz") as saved:
        assert np.all(saved["corr"] > -0.99)
        np.testing.assert_allclose(saved["corr"], saved["corr_formula"], atol=1e-9)
