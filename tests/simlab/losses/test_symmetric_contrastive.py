"""Two modalities: pairs, encoders, the loss by hand, the clip, and one compilation for a sweep of temperatures."""

import math
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from simlab.data.sources import FreshExamples, Population
from simlab.losses.symmetric_contrastive import NO_CLIP, Hyperparameters, SymmetricContrastive
from simlab.metrics.modalities import centred_modalities, modality_cosines, modality_gap
from simlab.networks.specs.modalities import FreeModalities, TwoTowers
from simlab.sweeps.members import Member
from simlab.sweeps.sweep import Sweep, train_members
from simlab.tasks.paired.gaussian_pairs import GaussianPairs
from simlab.tasks.paired.modality_pairs import ModalityPairs
from simlab.tasks.pairs import ViewPair
from simlab.training.spec import TrainingSpec

N_PAIRS = 4
TASK = ModalityPairs(n_pairs=N_PAIRS, mismatch=0.2)
INPUTS = ModalityPairs(n_pairs=N_PAIRS, mismatch=0.2, latent_dim=3, image_dim=5, text_dim=7)
HYPER = Hyperparameters(0.5, 0.2, 3.0, NO_CLIP, 1.0, 0.0)
SPEC = TrainingSpec(
    task=TASK, source=Population(), network=FreeModalities(output_dim=5), objective=SymmetricContrastive(),
    n_steps=4, steps_per_record=2,
)  # fmt: skip


def build(spec, task, hyper=HYPER):
    return spec.build(task, hyper, dtype=np.float32, rngs=nnx.Rngs(params=0))


@pytest.fixture(scope="module")
def towers():
    return build(TwoTowers(hidden_width=6, depth=2, output_dim=4), INPUTS)


@pytest.fixture(scope="module")
def population():
    return jax.tree.map(jnp.asarray, INPUTS.population(jax.tree.map(np.float32, INPUTS.sample(0))))


@pytest.mark.quick
def test_the_population_has_targets_of_total_one(population):
    np.testing.assert_allclose(population.targets.sum(axis=0), 1, rtol=1e-6)
    np.testing.assert_allclose(np.diag(population.targets), 0.8, rtol=1e-6)


def test_both_inputs_have_the_latents_cosines():
    data = INPUTS.sample(3)
    assert (data.images.shape, data.texts.shape) == ((4, 5), (4, 7))
    np.testing.assert_allclose(data.images @ data.images.T, data.texts @ data.texts.T, atol=1e-12)
    assert np.linalg.matrix_rank(data.images) == 3


@pytest.mark.quick
def test_drawn_pairs_are_mismatched_at_the_rate():
    pairs = TASK.draw(jax.random.key(0), TASK.sample(0), 20_000)
    is_other = np.asarray(pairs.first != pairs.second)
    assert is_other.mean() == pytest.approx(0.2, abs=5 * math.sqrt(0.16 / 20_000))
    shifts = np.bincount(np.asarray(pairs.second - pairs.first)[is_other] % N_PAIRS, minlength=N_PAIRS)
    assert shifts[0] == 0
    np.testing.assert_allclose(shifts[1:] / shifts.sum(), 1 / 3, atol=5 * math.sqrt(2 / 9 / 4000))


def test_drawn_pairs_are_their_own_targets(towers, population):
    pairs = ViewPair(population.first[jnp.array([0, 2, 1])], population.second[jnp.array([0, 3, 1])])
    images, texts = (np.asarray(side, float) for side in towers.embed_pairs(pairs))
    logits = 3.0 * images @ texts.T
    losses = [np.log(np.exp(side).sum(axis=1)) - np.diag(side) for side in (logits, logits.T)]
    value = SymmetricContrastive().loss(towers, pairs, None, HYPER, None)
    assert float(value) == pytest.approx(np.mean(losses), rel=1e-5)


@pytest.mark.quick
def test_the_loss_is_the_one_by_hand(towers, population):
    images, texts = (np.asarray(side, float) for side in towers.embed_pairs(population))
    np.testing.assert_allclose(np.linalg.norm(images, axis=1), 1, rtol=1e-6)
    total = 0.0
    for first, second in ((images, texts), (texts, images)):
        for i in range(N_PAIRS):
            scores = [3.0 * first[i] @ other for other in second]
            log_sum = math.log(sum(map(math.exp, scores)))
            weights = [0.8 if i == j else 0.2 / 3 for j in range(N_PAIRS)]
            total += sum(w * (log_sum - score) for w, score in zip(weights, scores, strict=True))
    value = SymmetricContrastive().loss(towers, population, None, HYPER, None)
    assert float(value) == pytest.approx(total / (2 * N_PAIRS), rel=1e-5)


def test_the_symmetric_start_has_its_gap_and_cones_have_none_prescribed():
    for gap in (0.0, 1.2):
        network = build(SPEC.network, TASK, HYPER._replace(initial_gap=gap))
        images, texts = (np.asarray(side[...], float) for side in (network.images, network.texts))
        assert modality_gap(images, texts) == pytest.approx(gap, abs=1e-6)
        np.testing.assert_allclose(
            images @ images.T, (1 - gap**2 / 4) * (4 * np.eye(4) - 1) / 3 + gap**2 / 4, atol=1e-6
        )
    tight, wide = (build(SPEC.network, TASK, HYPER._replace(cone_spread=spread)) for spread in (1e-3, 1.0))
    assert modality_cosines(tight.images[...], tight.texts[...]).within == pytest.approx(1, abs=1e-4)
    assert modality_cosines(wide.images[...], wide.texts[...]).within < 0.9


def test_at_the_clip_a_temperature_can_only_fall():
    network = build(SPEC.network, TASK, HYPER._replace(inverse_temperature=5.0))
    assert float(network.inverse_temperature(3.0)) == pytest.approx(3.0, rel=1e-6)

    graph, state = nnx.split(network)

    def slope(sign):
        gradient = jax.grad(lambda state: sign * nnx.merge(graph, state).inverse_temperature(3.0))(state)
        return float(gradient["log_inverse_temperature"][...])

    assert slope(-1) == 0  # a descent would raise it
    assert slope(1) == pytest.approx(3.0, rel=1e-6)


def test_one_compilation_serves_temperatures_mismatch_rates_and_starts():
    members = [
        Member(replace(SPEC, task=replace(TASK, mismatch=mismatch)), HYPER._replace(inverse_temperature=beta,
               temperature_learning_rate=rate, cone_spread=spread), 0)
        for mismatch, beta, rate, spread in ((0.1, 2.0, 0.0, 0.0), (0.3, 5.0, 0.1, 0.0), (0.2, 5.0, 0.1, 0.5))
    ]  # fmt: skip
    assert len(Sweep(members).groups) == 1
    runs = train_members(members)
    assert runs[0].last_metrics["inverse_temperature"] == pytest.approx(2.0, rel=1e-6)
    assert runs[1].last_metrics["inverse_temperature"] != pytest.approx(5.0, rel=1e-4)


def test_cosines_and_retrieval_by_hand():
    images = np.array([[1.0, 0.0, 2.0], [0.0, 1.0, 2.0]])
    texts = np.array([[1.0, 0.0, -2.0], [0.0, 1.0, -2.0]])
    assert modality_gap(images, texts) == 4.0
    before = modality_cosines(images, texts)
    assert before.matched == pytest.approx(-3 / 5)
    assert (before.retrieval, before.mixed_retrieval) == (1.0, 0.0)
    after = modality_cosines(*centred_modalities(images, texts))
    assert (after.matched, after.retrieval, after.mixed_retrieval) == (pytest.approx(1.0), 1.0, 1.0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ModalityPairs(n_pairs=1), "n_pairs: expected a whole number of at least 2, got 1"),
        (lambda: ModalityPairs(n_pairs=2, mismatch=0.5), "mismatch: expected a number in"),
        (lambda: ModalityPairs(latent_dim=4, image_dim=3), "image_dim: expected a whole number of at least 4, got 3"),
        (lambda: replace(SPEC, network=FreeModalities(output_dim=3)), "output_dim: expected at least n_pairs=4, which"),
        (lambda: replace(SPEC, task=INPUTS), "latent_dim: expected None, as free embeddings read no inputs"),
        (
            lambda: replace(SPEC, network=TwoTowers(hidden_width=2, depth=1, output_dim=2)),
            "latent_dim: expected a number, as towers read inputs",
        ),
        (
            lambda: replace(SPEC, source=FreshExamples(batch_size=1)),
            "batch_size: expected at least 2, so that there are other pairs, got 1",
        ),
        (
            lambda: replace(SPEC, task=GaussianPairs(variances=(1.0,), augmentation_ratios=(1.0,))),
            "objective: expected one for the examples of the task, not two modalities, got 'GaussianPairs'",
        ),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_one_line(make, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        make()
