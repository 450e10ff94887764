"""From the choices that all phenomena share to the fields of a training specification."""

from experiments.configuration import Configuration
from simlab.classification import CrossEntropy, Hyperparameters
from simlab.objective import check_hyperparameters
from simlab.validation import check_count, invalid, is_number


def training_fields(configuration: Configuration, n_steps: int) -> dict[str, object]:
    """Return the fields of :class:`simlab.spec.TrainingSpec` that say how long and by what a network is trained."""
    wanted = min(check_count("n_records", configuration.n_records), n_steps)
    return {
        "optimizer": configuration.optimizer,
        "n_steps": n_steps,
        # At most ``n_records`` records, equally far apart.
        "steps_per_record": n_steps // max(n for n in range(1, wanted + 1) if n_steps % n == 0),
        "until_gradient_norm": _gradient_norm(configuration.until),
        "precision": configuration.precision,
    }


def make_hyperparameters(configuration: Configuration, embedding_weight_decay: float) -> Hyperparameters:
    """Return the traced part of a run, checked; the weight decay is that of words or of the features of samples."""
    hyperparameters = Hyperparameters(
        learning_rate=configuration.learning_rate,
        initial_scale=configuration.initial_scale,
        embedding_weight_decay=embedding_weight_decay,
        classifier_weight_decay=configuration.classifier_weight_decay,
    )
    return check_hyperparameters(CrossEntropy(), hyperparameters)


def _gradient_norm(until: str | None) -> float | None:
    """Return the gradient norm at which a member stops, from ``gradient-norm=X``."""
    if until is None:
        return None
    name, _, value = until.partition("=")
    if name.replace("_", "-") != "gradient-norm" or not is_number(value):
        raise invalid("until", "gradient-norm=X", until)
    return float(value)
