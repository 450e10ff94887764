"""Check the return values of a user-defined phenomenon before training, with one untrained member of each program."""

from collections.abc import Mapping
from functools import partial

import numpy as np

from experiments.core.experiment import Cell, Plan
from experiments.core.phenomenon import Comparison, Variable
from experiments.core.prediction import check_prediction
from simlab.validation import invalid


def rehearse(plan: Plan) -> None:
    """Raise ``ValueError`` if predictions, metrics or arrays of a plan break the contract; the message names the field.

    The plan of a registered experiment is not checked: tests hold it to the contract.
    One member of each program is drawn, predicted, measured and compared without a training step. Comparisons that
    define their own variables are not checked.

    Raises:
        ValueError: a prediction has no basis, a quantity is missing, a metric is not a scalar, or an array has another
            shape than declared.
    """
    if plan.registered:
        return
    comparison = plan.phenomenon.load_comparison()
    if comparison.arrays is None:
        return
    for prediction in plan.predict():
        check_prediction(prediction, comparison.quantities, comparison.arrays)
    programs = {cell.spec.group_key if cell.spec else None: cell for cell in plan.cells}
    for cell in programs.values():
        if cell.spec is not None:
            _check_variables(_compare_untrained(plan, cell, comparison), comparison.member_variables)


def _compare_untrained(plan: Plan, cell: Cell, comparison: Comparison) -> Mapping[str, np.ndarray]:
    """Return the variables of the first member of a cell before its first step."""
    import jax

    from simlab.runtime.random_keys import random_key
    from simlab.runtime.settings import precision_of
    from simlab.sweeps.compilation import compiler_options
    from simlab.sweeps.members import Member, MemberRun, member_inputs
    from simlab.training.record import named_values
    from simlab.training.trainer import make_trainer

    member = Member(cell.spec, cell.hyperparameters, plan.seeds[0])
    with precision_of(cell.spec.dtype):
        trainer = make_trainer(cell.spec)
        inputs = member_inputs(member)

        @partial(jax.jit, compiler_options=compiler_options())
        def begin(inputs):
            problem, state = trainer.begin(random_key(inputs.seeds), inputs.data, inputs.hyperparameters)
            record = trainer.record(problem, state, inputs.hyperparameters, 0)
            return trainer.representation(problem, state), record, problem.sample

        arrays, record, sample = jax.device_get(begin(inputs))
    missing = np.full(cell.spec.n_segments, np.nan)
    run = MemberRun(
        final=arrays,
        metrics={name: np.concatenate([[value], missing]) for name, value in named_values(record).items()},
        status="finished",
        first_bad_step=0,
        n_segments=0,
        initial=arrays,
        trajectory={name: np.stack([array] * (cell.spec.n_segments + 1)) for name, array in arrays.items()},
    )
    return comparison.describe_member(member, run, sample, cell.prediction)


def _check_variables(values: Mapping[str, np.ndarray], declared: Mapping[str, Variable]) -> None:
    """Raise ``ValueError`` unless each array has its declared dimensions and sizes agree between arrays."""
    sizes: dict[str, tuple[int, str]] = {}
    for name, value in values.items():
        if name not in declared:
            raise invalid("measured arrays", f"only the declared {', '.join(declared)}", name)
        dims, shape = declared[name].dims, np.shape(value)
        if len(dims) != len(shape):
            raise invalid(f"array {name}", f"the dimensions ({', '.join(dims)})", f"an array of shape {shape}")
        for dim, size in zip(dims, shape, strict=True):
            expected_size, first_array = sizes.setdefault(dim, (size, name))
            if expected_size != size:
                raise invalid(f"array {name}", f"size {expected_size} along {dim}, as in {first_array}", size)
