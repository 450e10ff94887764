"""The phenomenon of the modality gap: two contrastive encoders against threshold, branch and conserved product."""

from experiments.core.phenomenon import Phenomenon
from experiments.modality_gap.configuration import ModalityConfiguration
from experiments.modality_gap.reference import check_theory, predict
from experiments.modality_gap.training_spec import make_hyperparameters, make_training_spec


def _load_comparison():
    from experiments.modality_gap.comparison import COMPARISON

    return COMPARISON


MODALITY_GAP = Phenomenon(
    name="modality-gap",
    configuration=ModalityConfiguration,
    check_theory=check_theory,
    make_training_spec=make_training_spec,
    make_hyperparameters=make_hyperparameters,
    predict=predict,
    load_comparison=_load_comparison,
    keeps="trajectory",
)
