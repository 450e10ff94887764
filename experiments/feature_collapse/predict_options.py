"""``simlab predict feature-collapse``: the options, and the prediction as a table."""

from dataclasses import dataclass

from experiments.core.configuration import TRAINING, option, option_of
from experiments.core.predictor import Predictor
from experiments.feature_collapse.configuration import WordConfiguration
from experiments.feature_collapse.phenomenon import predict
from experiments.tables.columns import format_columns
from simlab.validation import check_real


@dataclass(frozen=True, kw_only=True)
class FeatureCollapseOptions:
    """A task of feature collapse; defaults are those of the paper."""

    n_concepts: int = option_of(WordConfiguration, "n_concepts")
    n_words: int = option_of(WordConfiguration, "n_words")
    sentence_length: int = option_of(WordConfiguration, "sentence_length")
    n_classes: int | str = option_of(WordConfiguration, "n_classes")
    word_frequency: str | tuple[float, ...] = option_of(WordConfiguration, "word_frequency")
    embedding_dim: int = option_of(WordConfiguration, "embedding_dim")
    layer_norm: bool = option_of(WordConfiguration, "layer_norm")
    weight_decay: float | None = option(
        None, "lam, of embeddings and classifier; 0.001 if not given", unit="nats", group=TRAINING
    )
    classifier_weight_decay: float | None = option(
        None, "lam_U, of the classifier; lam if not given", unit="nats", group=TRAINING
    )

    def configuration(self) -> WordConfiguration:
        """Return the task with its weight decays.

        With LayerNorm the theorem's risk penalises the classifier alone; a penalty on both layers is used only if both
        weight decays are given.
        """
        decay = 1e-3 if self.weight_decay is None else check_real("weight_decay", self.weight_decay, positive=True)
        classifier_decay = decay
        if self.classifier_weight_decay is not None:
            classifier_decay = check_real("classifier_weight_decay", self.classifier_weight_decay, positive=True)
        penalises_both = self.weight_decay is not None and self.classifier_weight_decay is not None
        return WordConfiguration(
            n_concepts=self.n_concepts,
            n_words=self.n_words,
            sentence_length=self.sentence_length,
            n_classes=self.n_classes,
            word_frequency=self.word_frequency,
            embedding_dim=self.embedding_dim,
            layer_norm=self.layer_norm,
            embedding_weight_decay=0.0 if self.layer_norm and not penalises_both else decay,
            classifier_weight_decay=classifier_decay,
        )


def _predict(options: FeatureCollapseOptions):
    return predict(options.configuration())


def _format(prediction) -> str:
    """Return a prediction as lines of name and value."""
    norms = prediction.embedding_norms
    agree = norms.min() == norms.max()
    rows = [
        ("collapse type", prediction.collapse_type),
        ("embedding norm", f"{norms[0]:.10g}" if agree else f"{norms[0]:.10g} (rank 1) to {norms[-1]:.10g}"),
        ("classifier norm", f"{prediction.classifier_norm:.10g}"),
        ("cross-entropy (nats)", f"{prediction.cross_entropy:.10g}"),
        ("risk (nats)", f"{prediction.risk:.10g}"),
        ("zero threshold", "none" if prediction.zero_threshold is None else f"{prediction.zero_threshold:.10g}"),
        ("exact", "yes, a theorem" if prediction.is_theorem else "no, an approximation"),
    ]
    lines = [format_columns(rows)]
    if prediction.is_zero:
        lines.append("The weight decay is above the zero threshold: the minimiser is the zero network.")
    lines += [
        f"assumption not met: {assumption.name}: {assumption.reason}"
        for assumption in prediction.assumptions
        if not assumption.holds
    ]
    return "\n".join(lines)


PREDICTOR = Predictor(
    options=FeatureCollapseOptions,
    predict=_predict,
    format=_format,
    of_configuration=predict,
    columns=("collapse_type", "embedding_norms", "classifier_norm", "cross_entropy", "risk", "zero_threshold", "exact"),
)
