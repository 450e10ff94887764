"""The phenomenon of platonic kernels: learned kernels of events against pointwise mutual information (PMI)."""

from experiments.core.phenomenon import Phenomenon
from experiments.representation_kernels.configuration import KernelConfiguration
from experiments.representation_kernels.reference import check_theory, predict
from experiments.representation_kernels.training_spec import make_training_spec


def _load_comparison():
    from experiments.representation_kernels.comparison import COMPARISON

    return COMPARISON


PLATONIC_KERNELS = Phenomenon(
    name="platonic-kernels",
    configuration=KernelConfiguration,
    check_theory=check_theory,
    make_training_spec=make_training_spec,
    predict=predict,
    load_comparison=_load_comparison,
)
