"""A function of one member, mapped over the rows of one device in blocks."""

from collections.abc import Callable

import jax

from simlab.losses.chunks import CHUNK_ENTRIES
from simlab.runtime.devices import platform
from simlab.sizes import largest_divisor
from simlab.sweeps.layout import Layout
from simlab.sweeps.row_blocks import in_blocks, members_side_by_side, on_single_row
from simlab.sweeps.same_seed import on_same_seed
from simlab.training.spec import TrainingSpec

# Numbers drawn, or logits evaluated, for all members of a block on a device; members that need more run in smaller
# blocks. Intermediate results take several times as much memory. An accelerator needs large blocks to be busy.
HELD_NUMBERS = {"cpu": CHUNK_ENTRIES, "accelerator": 16 * CHUNK_ENTRIES}


def over_rows(
    spec: TrainingSpec, layout: Layout, function: Callable, axes: tuple, needed: int = 0, *, in_place: bool = False
) -> Callable:
    """Map a function of one member over the rows of one device.

    Args:
        spec: of the members.
        layout: of the rows.
        function: a function of one member.
        axes: those of its arguments for rows that share a seed, see :class:`simlab.sweeps.same_seed.SameSeed`.
        needed: numbers that a member needs in addition to its state; blocks are as large as memory allows.
        in_place: whether the results overwrite the second argument.
    """
    per_device, same_seed = layout.rows // layout.member_shards, layout.same_seed
    at_most = HELD_NUMBERS["cpu" if platform() == "cpu" else "accelerator"] // max(1, needed)
    unit = largest_divisor(same_seed, at_most)
    size = members_side_by_side(spec, per_device, at_most, unit)
    if same_seed > 1:
        mapped = on_same_seed(function, axes, unit)
    else:
        mapped = jax.vmap(function) if size > 1 else on_single_row(function)
    return in_blocks(mapped, size, in_place=in_place)
