"""`simlab run real-encoder` on a tiny encoder from real files, against brute force over all pairs of tokens."""

import numpy as np
import pytest

from experiments.commands.cli import main
from experiments.core.sweep import run_plan
from experiments.norm_and_variance import encoder_comparison, encoder_configuration, sentences
from experiments.norm_and_variance.encoder_configuration import load_subject
from experiments.norm_and_variance.real_encoder import EXPERIMENT
from simlab.sweeps.measurements import MeasurementRun

pytestmark = pytest.mark.quick

pytest.importorskip("safetensors", reason="the extra 'encoder' is not installed")

# Float32 through two layers, and cosines of vectors of eight dimensions.
SINGLE = 2e-4
LEAST_COUNT = 12


@pytest.fixture(scope="module", autouse=True)
def small_batches():
    """Several batches, of two shapes, which all tests share."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sentences, "TOKENS_PER_BATCH", 128)
        yield


@pytest.fixture(scope="module")
def files(tiny, tmp_path_factory):
    """The folder of the encoder and a corpus: sixty sentences, one of them too long, and a blank line."""
    root = tmp_path_factory.mktemp("encoder")
    rng = np.random.default_rng(0)
    words = [*"abcdefgh", "the", "cat", "ab"]
    weights = np.array([6, 5, 4, 3, 2, 1, 0.3, 0.3, 6, 3, 1])
    lines = [" ".join(rng.choice(words, size=rng.integers(1, 7), p=weights / weights.sum())) for _ in range(59)]
    (root / "corpus.txt").write_text("\n".join([*lines, "", "a b c d e f a b c d e f."]) + "\n")
    return tiny.write_folder(root / "model"), root / "corpus.txt"


@pytest.fixture(scope="module")
def configuration(files):
    folder, corpus = files
    return EXPERIMENT.regimes[0].quick.replace(model=str(folder), corpus=str(corpus), least_count=LEAST_COUNT)


@pytest.fixture(scope="module")
def dataset(files):
    folder, corpus = files
    options = {"model": str(folder), "corpus": str(corpus), "least_count": LEAST_COUNT}
    return run_plan(EXPERIMENT.plan("quick", options, 1)).isel(regime=0, seed=0)


@pytest.fixture(scope="module")
def oracle(tiny, configuration):
    """All tokens of all sentences in NumPy: vectors by layer, before and after scale; ids, sentences, specials."""
    subject = load_subject(configuration)
    states = [tiny.forward(tiny.random_tensors(), row) for row in subject.corpus.rows]
    ids = np.concatenate(subject.corpus.rows)
    return {
        "before": [np.concatenate([state[layer][0] for state in states]) for layer in range(3)],
        "after": [np.concatenate([state[layer][1] for state in states]) for layer in range(3)],
        "ids": ids,
        "sentences": np.repeat(np.arange(len(states)), [len(row) for row in subject.corpus.rows]),
        "is_word": (ids != 2) & (ids != 3),
        "frequent": subject.corpus.groups.tokens[subject.corpus.groups.words],
    }


def cosines(vectors):
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit @ unit.T


def test_norms_and_variances_are_those_of_the_tokens(dataset, oracle):
    assert len(oracle["frequent"]) >= 5
    for layer in range(3):
        parts = [oracle["after"][layer][oracle["ids"] == token] for token in oracle["frequent"]]
        norm = np.array([np.sum(part.mean(0) ** 2) for part in parts])
        variance = np.array([np.mean(np.sum((part - part.mean(0)) ** 2, axis=1)) for part in parts])
        np.testing.assert_allclose(dataset.token_mean_square[layer], norm, rtol=SINGLE)
        np.testing.assert_allclose(dataset.token_variance[layer], variance, rtol=SINGLE, atol=SINGLE)
        assert float(dataset.correlation[layer]) == pytest.approx(np.corrcoef(norm, variance)[0, 1], abs=SINGLE)
        whole = np.concatenate(parts)
        within = sum(len(part) * one for part, one in zip(parts, variance, strict=True)) / len(whole)
        total = np.mean(np.sum((whole - whole.mean(0)) ** 2, axis=1))
        assert float(dataset.within_share[layer]) == pytest.approx(within / total, rel=SINGLE)
        share = np.sum(whole.mean(0) ** 2) / np.mean(np.sum(whole**2, axis=1))
        assert float(dataset.mean_share[layer]) == pytest.approx(share, rel=SINGLE)


def test_the_identities_hold(dataset):
    errors = dataset.learned.sel(quantity=["undone_error", "formula_error"])
    # Squared norms before the scale differ by float32 rounding, relative to the spread of M: its square, and less.
    assert np.all(np.abs(errors) < 1e-9)
    assert np.all(np.abs(dataset.correlation) < 0.999)  # after the scale nothing of the kind


@pytest.mark.parametrize("suffix", ["", "_all"])
def test_similarities_are_those_of_all_pairs(dataset, oracle, suffix):
    counted = oracle["is_word"] if not suffix else np.ones(len(oracle["ids"]), bool)
    ids, places = oracle["ids"][counted], oracle["sentences"][counted]
    tokens = [*oracle["frequent"], *([2, 3] if suffix else [])]
    # Rare tokens are different from each other, as they have no group of their own.
    is_rare = ~np.isin(ids, tokens)
    names = np.where(is_rare, 1000 + np.arange(len(ids)), ids)
    different = (places[:, None] != places) & (names[:, None] != names)
    for layer in range(3):
        vectors = oracle["after"][layer][counted]
        pairs = cosines(vectors)
        same = [pairs[np.ix_(ids == token, ids == token)] for token in tokens]
        similar = [(block.sum() - len(block)) / (len(block) * (len(block) - 1)) for block in same]
        assert float(dataset[f"self_similarity{suffix}"][layer]) == pytest.approx(np.mean(similar), abs=SINGLE)
        # A pair of one rare token within a sentence is left out with the others of its sentence.
        assert float(dataset[f"anisotropy{suffix}"][layer]) == pytest.approx(pairs[different].mean(), abs=5e-4)
        intra = []
        for sentence in np.unique(places):
            part = vectors[places == sentence]
            mean = part.mean(0)
            intra.append(np.mean(part @ mean / np.linalg.norm(part, axis=1)) / np.linalg.norm(mean))
        assert float(dataset[f"intra{suffix}"][layer]) == pytest.approx(np.mean(intra), abs=SINGLE)


def test_the_context_of_a_token_is_that_of_its_sentences(dataset, oracle):
    last, places = oracle["after"][-1], oracle["sentences"]
    means = np.array([last[places == sentence].mean(0) for sentence in range(places.max() + 1)])
    token = oracle["frequent"][0]
    pairs = cosines(means[places[oracle["ids"] == token]])
    wanted = (pairs.sum() - len(pairs)) / (len(pairs) * (len(pairs) - 1))
    assert float(dataset.token_context[0]) == pytest.approx(wanted, abs=SINGLE)


def test_what_is_left_out_is_counted(dataset, oracle):
    learned = dataset.learned.to_series()
    assert learned["sentences"] == 60
    assert learned["sentences_cut"] == 1
    assert learned["tokens"] == len(oracle["frequent"])
    assert learned["tokens_rare"] == len(np.unique(oracle["ids"][oracle["is_word"]])) - len(oracle["frequent"])
    assert str(dataset.token_text[0].item()) in {"a", "the"}


class Listener:
    def say(self, text):
        self.text = text

    def advance(self, steps, members):
        pass


def test_a_pass_that_was_killed_goes_on_with_the_same_bits(configuration):
    subject, stages = load_subject(configuration), []
    assert len(subject.corpus) >= 4

    class Recorded(MeasurementRun):
        def advance(self, snapshot, text):
            stages.append(snapshot())

    def run_from(saved):
        stages.clear()
        encoder_comparison._pass(subject, "float32", Recorded(saved, lambda arrays: None, Listener()))
        return list(stages)

    whole = run_from(None)
    resumed = run_from(whole[1])
    assert len(resumed) == len(whole) - 2 == len(subject.corpus) - 2
    assert whole[-1].keys() == resumed[-1].keys()
    for name, array in whole[-1].items():
        np.testing.assert_array_equal(array, resumed[-1][name])
    # Saved sums of another corpus do not count.
    assert len(run_from(whole[1] | {"fingerprint": np.array("another")})) == len(whole)


def test_an_untrained_encoder_is_drawn_with_the_seed(files, monkeypatch):
    sizes = {"n_positions": 10, "dim": 8, "n_layers": 2, "n_heads": 2, "n_hidden": 12}
    monkeypatch.setattr(encoder_configuration, "_UNTRAINED_SIZES", sizes)
    monkeypatch.setitem(encoder_configuration.PUBLISHED, (2, 8), encoder_configuration.PUBLISHED[6, 384])
    options = {"model": "untrained", "corpus": str(files[1]), "least_count": LEAST_COUNT}
    dataset = run_plan(EXPERIMENT.plan("quick", options, 2)).isel(regime=0)
    assert dataset.attrs.get("published") is None
    # Its LayerNorms have neither scale nor offset yet, whatever its weights are.
    np.testing.assert_allclose(dataset.correlation, -1, atol=1e-9)
    assert np.all(dataset.self_similarity.sel(seed=0) != dataset.self_similarity.sel(seed=1))
    again = run_plan(EXPERIMENT.plan("quick", options, [1])).isel(regime=0, seed=0)
    np.testing.assert_array_equal(again.self_similarity, dataset.self_similarity.sel(seed=1))
    # The tokens are the words: "cat" and "the" are not cut into pieces.
    assert set(dataset.token_text.values) <= {*"abcdefgh", "the", "cat", "ab"}


def complain(capsys, tmp_path, *words):
    assert main(["run", "real-encoder", *words, "--out", str(tmp_path / "out"), "--quiet"]) == 2
    assert not (tmp_path / "out").exists()
    (line,) = capsys.readouterr().err.splitlines()
    return line.removeprefix("simlab: ")


def test_bad_input_is_one_line_and_nothing_is_written(files, tmp_path, capsys, tiny):
    folder, corpus = files
    model = ("--model", str(folder))
    assert complain(capsys, tmp_path).startswith("model: expected a folder with config.json")
    assert "got 'no-where/at-all'" in complain(capsys, tmp_path, "--model", "no-where/at-all")
    assert complain(capsys, tmp_path, *model, "--corpus", "none.txt").startswith("corpus: expected a file with one")
    (tmp_path / "empty.txt").write_text("\n \n")
    assert "which is empty" in complain(capsys, tmp_path, *model, "--corpus", str(tmp_path / "empty.txt"))
    (tmp_path / "latin.txt").write_bytes(b"good\ncaf\xe9 cr\xe8me\n")
    assert "latin.txt, line 2: " in complain(capsys, tmp_path, *model, "--corpus", str(tmp_path / "latin.txt"))
    few = complain(capsys, tmp_path, *model, "--corpus", str(corpus), "--least-count", "1000")
    assert few.startswith("least_count: expected at most the number of occurrences of the most frequent token")
    assert complain(capsys, tmp_path, *model, "--dtype", "float64").startswith("dtype: expected one of float32, bfloat")
    broken = tiny.write_folder(tmp_path / "broken", tiny.random_tensors(tiny.CONFIG | {"hidden_size": 4}))
    line = complain(capsys, tmp_path, "--model", str(broken))
    assert line.startswith("model.safetensors embeddings.word_embeddings.weight: expected shape (23, 8)")
    assert "--n-steps" in complain(capsys, tmp_path, *model, "--n-steps", "3")


def test_without_the_library_the_message_says_how_to_get_it(files, tmp_path, capsys, monkeypatch):
    folder, corpus = files
    load_subject.__globals__["_load"].cache_clear()
    monkeypatch.setattr("simlab.networks.encoders.bert_files.find_spec", lambda name: None)
    line = complain(capsys, tmp_path, "--model", str(folder), "--corpus", str(corpus))
    assert line == ("safetensors: needed to read model.safetensors, and not installed (pip install 'simlab[encoder]')")


def test_the_shipped_sentences_come_with_their_licence():
    corpus = sentences.read_corpus(sentences.SHIPPED)
    assert len(corpus) == len(set(corpus)) == 1000
    notice = sentences.SHIPPED.with_name("LICENSE.wordnet").read_text()
    assert "WordNet 3.0 Copyright 2006 by Princeton University.  All rights reserved." in notice
