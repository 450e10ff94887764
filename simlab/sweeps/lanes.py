"""Parts side by side: groups that need only some of the devices run on different ones at the same time.

A *lane* is a set of devices. The number of a group decides its lane, so that its programs are compiled for the same
devices in every run of a sweep. On several lanes members of one part also train while those of another are analysed.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextvars import copy_context
from functools import partial

from simlab.runtime.devices import local_devices
from simlab.runtime.stopping import Terminated, saving_first
from simlab.sweeps.layout import Layout
from simlab.sweeps.work import AbandonedError, Part, Work


def count_lanes(layout: Layout) -> int:
    """Return how many groups of this layout run at the same time."""
    return max(1, len(local_devices()) // layout.n_devices)


def first_device(group: int, layout: Layout) -> int:
    """Return the index of the first device of a group; groups take the lanes in turn."""
    return group % count_lanes(layout) * layout.n_devices


def run_in_lanes(work: Work, parts: Sequence[Part], layouts: Sequence[Layout]) -> None:
    """Complete the parts of a sweep: those of the narrowest layouts in lanes, after all others, which run one by one.

    Raises:
        Terminated, KeyboardInterrupt: a signal was received; after SIGTERM the state of every lane is saved.
        Exception: the first error of a lane, which also ends the other lanes.
    """
    narrowest = min(layout.n_devices for layout in layouts)
    lanes: dict[int, list[Part]] = {}
    for part in parts:
        layout = layouts[part.group]
        if layout.n_devices == narrowest:
            lanes.setdefault(first_device(part.group, layout), []).append(part)
        else:
            work.take(part)
    if len(lanes) > 1:
        _run_side_by_side([partial(work.take_all, lane) for lane in lanes.values()], work.abandon)
    else:
        work.take_all(part for lane in lanes.values() for part in lane)


def _run_side_by_side(calls: Sequence[Callable[[], None]], abandon: Callable[[], None]) -> None:
    """Call functions in threads; ``abandon`` is called after an error and makes the others raise an error."""
    with saving_first(), ThreadPoolExecutor(len(calls), thread_name_prefix="lane") as pool:
        futures = [pool.submit(copy_context().run, call) for call in calls]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
            errors = [future.exception() for future in futures if future.done()]
            # After a signal each lane saves its state first.
            if any(error is not None and not isinstance(error, Terminated | KeyboardInterrupt) for error in errors):
                abandon()
        except BaseException:
            abandon()
            raise
    errors = [error for future in futures if (error := future.exception()) is not None]
    for error in sorted(errors, key=lambda error: isinstance(error, AbandonedError)):
        raise error
