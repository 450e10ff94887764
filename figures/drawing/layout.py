"""The layout of a finished figure: its ticks are placed once, and its solved layout is kept for all files."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib
from matplotlib.axis import Axis
from matplotlib.figure import Figure

# With this setting a figure has no layout engine by default. ``savefig`` draws a figure that has one twice, even if it
# is only the placeholder that ``set_layout_engine("none")`` leaves.
WITHOUT_LAYOUT: dict[Any, Any] = {"figure.constrained_layout.use": False}
# Methods of an axis that place its ticks, and measure their labels: () and (ticks, renderer) are the arguments.
METHODS = ("_update_ticks", "_get_ticklabel_bboxes")


@contextmanager
def steady_ticks(figure: Figure) -> Iterator[None]:
    """Place and measure the ticks of all panels only once for given limits and sizes while the context lasts.

    Matplotlib does so again whenever it measures an axis, its label, a title or a spine: about ten times for each axis
    in each pass of the layout. Only limits, sizes and positions of panels may change in the context.
    """
    axes = [axis for ax in figure.axes for axis in (ax.xaxis, ax.yaxis)]
    for axis in axes:
        vars(axis).update(_remembering_methods(axis))  # they hide those of the class
    try:
        yield
    finally:
        for axis in axes:
            for name in METHODS:
                vars(axis).pop(name, None)


def _remembering_methods(axis: Axis) -> dict[str, Callable]:
    """Return methods of an axis that repeat the result of the last equal call as long as the axis stays in place."""

    def remember(method: Callable) -> Callable:
        last, result = None, None

        def remembering(*arguments):
            nonlocal last, result
            state = (*_state(axis), *map(id, arguments[1:]))
            if state != last:
                last, result = state, method(*arguments)
            return result

        return remembering

    return {name: remember(getattr(axis, name)) for name in METHODS if hasattr(axis, name)}


def _state(axis: Axis) -> tuple:
    """Return what the ticks of an axis depend on in a finished figure: its limits and the places of panels.

    Axes that share their limits share a locator too, which considers the size of one of their panels.
    """
    locators = axis.get_major_locator(), axis.get_minor_locator()
    panels = {axis.axes, *(getattr(locator.axis, "axes", axis.axes) for locator in locators)}
    return *axis.get_view_interval(), {panel: panel.bbox.bounds for panel in panels}


def keep_layout(figure: Figure) -> None:
    """Keep the solved layout, and round panel positions to 1e-6 of the figure (0.2 micrometres).

    Matplotlib's solver orders its variables by memory address, so the last digits of a layout differ between drawings
    of the same figure, and files contain ten digits.
    """
    with matplotlib.rc_context(WITHOUT_LAYOUT):
        figure.set_layout_engine()
    for ax in figure.axes:
        for which in ("original", "active"):
            left, bottom, width, height = ax.get_position(original=which == "original").bounds
            ax.set_position((round(left, 6), round(bottom, 6), round(width, 6), round(height, 6)), which=which)
