"""Parts side by side: groups that need only some of the devices run on different ones at the same time.

A *lane* is a set of devices. The number of a group decides its lane, so that its programs are compiled for the same
devices in every run of a sweep. On several lanes members of one part also train while those of another are analysed.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextvars import copy_context

from simlab.runtime.devices import local_devices
from simlab.runtime.stopping import Terminated, saving_first
from simlab.sweeps.layout import Layout
from simlab.sweeps.work import AbandonedError, Part, Work


def width(layout: Layout) -> int:
    """Return the number of devices of a layout."""
    return layout.member_shards * layout.class_shards


def first_device(group: int, layout: Layout) -> int:
    """Return the index of the first device of a group, the lanes of its width being used in turn."""
    n_lanes = max(1, len(local_devices()) // width(layout))
    return group % n_lanes * width(layout)


def run_in_lanes(work: Work, parts: Sequence[Part], layouts: Sequence[Layout]) -> None:
    """Complete the parts of a sweep: those of the narrowest layouts in lanes, after all others, which run one by one.

    Raises:
        Terminated, KeyboardInterrupt: a signal was received; after SIGTERM the state of every lane is saved.
        Exception: the first error of a lane, which also ends the other lanes.
    """
    narrowest = min(map(width, layouts))
    lanes: dict[int, list[Part]] = {}
    for part in parts:
        if width(layouts[part.group]) == narrowest:
            lanes.setdefault(first_device(part.group, layouts[part.group]), []).append(part)
        else:
            work.take(part)
    if len(lanes) > 1:
        _run_side_by_side([_in_turn(work, lane) for lane in lanes.values()], work.abandon)
        return
    for lane in lanes.values():
        _in_turn(work, lane)()


def _in_turn(work: Work, parts: Sequence[Part]) -> Callable[[], None]:
    """Return a function that completes parts one after the other."""

    def take_all() -> None:
        for part in parts:
            work.take(part)

    return take_all


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
