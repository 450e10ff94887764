"""Two-layer networks on signed features: early neurons, training curves, and activations without contamination."""

from experiments.core.experiment import Experiment, Regime
from experiments.feature_contamination.configuration import NEURONS, ContaminationConfiguration
from experiments.feature_contamination.phenomenon import FEATURE_CONTAMINATION

BASE = ContaminationConfiguration(n_records=40)
# The natural time tau = mu_c^2 d_c s at the end of each run; margins reach 1 near tau = 1.5.
EARLY, HINGE, LOGISTIC = 0.64, 4.0, 32.0


def _regime(name: str, summary: str, *, time: float, n_steps: int, **changes) -> Regime:
    quick = BASE.replace(n_steps=n_steps, learning_rate=time / n_steps, **changes)
    paper = quick.replace(n_steps=4 * n_steps, learning_rate=time / (4 * n_steps), batch_size=1024)
    return Regime(name=name, summary=summary, quick=quick, paper=paper)


LOGISTIC_RUN = {"loss": "logistic", "time": LOGISTIC, "n_steps": 1600}
REGIMES = (
    _regime(
        "early-neurons",
        "each neuron from its initial weights, before margins matter",
        time=EARLY,
        n_steps=160,
        n_hidden=256,
        initial_scale=0.05,
        batch_size=1024,
        reduction=NEURONS,
    ),
    _regime("relu-hinge", "hinge loss to saturation", time=HINGE, n_steps=800),
    _regime("relu-logistic", "logistic loss", **LOGISTIC_RUN),
    _regime("gelu", "logistic loss, smooth activation", activation="gelu", **LOGISTIC_RUN),
    _regime("tanh", "logistic loss, odd activation: no contamination", activation="tanh", **LOGISTIC_RUN),
    _regime("linear", "logistic loss, linear network: no contamination", activation="linear", **LOGISTIC_RUN),
)


def derive(dataset, plan):
    """Add the vector field of the aligned network in the plane of both weights."""
    from experiments.feature_contamination import phase_plane

    return phase_plane.derive(dataset, plan)


EXPERIMENT = Experiment(
    name="feature-contamination",
    summary="ReLU networks learn background features and fail out of distribution; odd activations do not",
    regimes=REGIMES,
    quick_time="40 s",
    paper_time="60 s (1 seed)",
    phenomenon=FEATURE_CONTAMINATION,
    seeds={"quick": 4, "paper": 8},
    derive=derive,
    figures=(
        "feature_contamination.neurons",
        "feature_contamination.phase_plane",
        "feature_contamination.curves",
    ),
    talk=("feature_contamination.curves", "What does an irrelevant background cost?"),
)
