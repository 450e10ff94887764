"""Learning rates over a stage, and the two weight decays of Adam, against loops in NumPy."""

import jax
import numpy as np
import pytest

from simlab.training.trainer import make_train

N_STEPS, WARMUP = 6, 2
FACTORS = {
    "constant": lambda k: 1.0,
    "cosine": lambda k: (1 + np.cos(np.pi * k / N_STEPS)) / 2,
    "warmup-cosine": lambda k: (
        (k + 1) / WARMUP if k < WARMUP else (1 + np.cos(np.pi * (k - WARMUP) / (N_STEPS - WARMUP))) / 2
    ),
}


@pytest.mark.parametrize("schedule", FACTORS)
def test_each_schedule_is_its_formula(lab, schedule):
    """SGD by hand with the formula; in float64, so that a factor in float32 would be seen."""
    warmup = WARMUP if schedule == "warmup-cosine" else 0
    hyper = lab.Hyper(weight_decay=0.05)
    run = lab.train(lab.make_spec(n_steps=N_STEPS, schedule=schedule, warmup_steps=warmup), hyper, initials=True)
    by_hand = lab.NumpyRun(run.initial)
    for k in range(N_STEPS):
        by_hand.sgd(by_hand.gradients(lab.population_of(), 0.05), 0.1 * FACTORS[schedule](k))
    lab.assert_weights(run.final, by_hand)


def test_a_schedule_is_the_same_however_the_run_is_cut(lab):
    specs = [
        lab.make_spec(schedule="warmup-cosine", warmup_steps=WARMUP, steps_per_record=steps, dtype="float32")
        for steps in (1, 3, 6)
    ]
    first, *others = [lab.train(spec).final for spec in specs]
    for other in others:
        lab.assert_same_bits(first, other)


def test_adamw_decays_beside_the_moments(lab):
    spec = lab.make_spec(objective=lab.DecoupledLeastSquares(), optimizer="adamw", schedule="cosine", n_steps=N_STEPS)
    run = lab.train(spec, lab.DecoupledHyper(decoupled_weight_decay=0.3), initials=True)
    by_hand = lab.NumpyRun(run.initial)
    for k in range(N_STEPS):
        by_hand.adam(by_hand.gradients(lab.population_of(), 0.0), 0.1 * FACTORS["cosine"](k), decay=0.3)
    lab.assert_weights(run.final, by_hand)


def test_adam_with_a_penalty_puts_the_decay_into_the_moments(lab):
    run = lab.train(lab.make_spec(optimizer="adam"), lab.Hyper(weight_decay=0.3), initials=True)
    by_hand, decoupled = lab.NumpyRun(run.initial), lab.NumpyRun(run.initial)
    for _ in range(6):
        by_hand.adam(by_hand.gradients(lab.population_of(), 0.3), 0.1)
        decoupled.adam(decoupled.gradients(lab.population_of(), 0.0), 0.1, decay=0.3)
    lab.assert_weights(run.final, by_hand)
    # The two weight decays are told apart.
    assert np.abs(run.final["first"] - decoupled.weights[0]).max() > 1e-3


def test_values_of_hyperparameters_and_data_do_not_recompile(lab):
    """One trace for all learning rates, decays and teachers, also of a schedule and a decoupled decay."""
    spec = lab.make_spec(
        objective=lab.DecoupledLeastSquares(), optimizer="adamw", schedule="cosine", dtype="float32", n_steps=4
    )
    traces = []

    @jax.jit
    def counted(key, data, hyper):
        traces.append(1)
        return make_train(spec)(key, data, hyper)[2]

    risks = []
    for seed, scale in ((0, 1.0), (1, 0.5), (2, 0.1)):
        hyper = lab.DecoupledHyper(*(np.float32(scale * value) for value in lab.DecoupledHyper()))
        data = jax.tree.map(np.float32, spec.task.sample(seed))
        risks.append(float(counted(jax.random.key(seed), data, hyper).metrics.risk[-1]))
    assert len(traces) == 1
    assert counted._cache_size() == 1
    assert len(set(risks)) == 3


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"schedule": "linear"}, "schedule: expected one of constant, cosine, warmup-cosine, got 'linear'"),
        ({"schedule": "warmup-cosine"}, "warmup_steps: expected between 1 and n_steps-1=5 with schedule=warmup-cosine"),
        ({"schedule": "warmup-cosine", "warmup_steps": 6}, "warmup_steps: expected between 1 and n_steps-1=5"),
        ({"schedule": "cosine", "warmup_steps": 2}, "warmup_steps: expected 0 with schedule=cosine, got 2"),
        ({"warmup_steps": 2}, "warmup_steps: expected 0 with schedule=constant, got 2"),
        ({"warmup_steps": 0.5}, "warmup_steps: expected a whole number of at least 0, got 0.5"),
        ({"schedule": "cosine", "optimizer": "lbfgs"}, "schedule: expected constant, as optimizer=lbfgs has no"),
    ],
)
def test_misuse_of_a_schedule_is_named(lab, fields, message):
    with pytest.raises(ValueError, match=f"^{message}[^\n]*$"):
        lab.make_spec(**fields)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "lbfgs"])
def test_a_decoupled_decay_needs_an_optimiser_that_has_one(lab, optimizer):
    with pytest.raises(ValueError, match=r"^optimizer: expected one of adamw, .* decoupled weight decay, got '\w+'$"):
        lab.make_spec(objective=lab.DecoupledLeastSquares(), optimizer=optimizer)
