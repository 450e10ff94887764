"""Ticks are those that matplotlib places by itself, and a figure is laid out once and drawn once for each file."""

import numpy as np
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from figures.drawing import style
from figures.drawing.layout import steady_ticks


def _make_figure() -> Figure:
    figure = Figure(figsize=(6, 2))
    axes = figure.subplots(1, 2, sharex=True)
    axes[0].plot([1, 3, 2000], [1e-4, 1, 30])
    axes[0].set_yscale("log")
    axes[1].plot([1, 3, 2000], [0, 0.1, 0.2])
    return figure


def _ticks(axis: Axis) -> list:
    ticks = [(tick.get_loc(), tick.label1.get_text()) for tick in axis._update_ticks()]
    boxes = axis._get_ticklabel_bboxes(axis._update_ticks(), axis.figure._get_renderer())[0]
    return [ticks, np.array([box.bounds for box in boxes])]


def test_steady_ticks_follow_limits_and_sizes():
    steady, plain = _make_figure(), _make_figure()

    def check() -> None:
        for ax, other in zip(steady.axes, plain.axes, strict=True):
            for name in ("xaxis", "yaxis"):
                for got, expected in zip(_ticks(getattr(ax, name)), _ticks(getattr(other, name)), strict=True):
                    np.testing.assert_array_equal(got, expected)

    def change(figure: Figure, index: int) -> None:
        first, second = figure.axes
        if index == 0:
            second.set_position((0.9, 0.3, 0.05, 0.2))
        elif index == 1:
            first.set_xlim(1, 7)
            first.set_ylim(0.1, 1e3)
        elif index == 2:
            figure.set_size_inches(2, 1)
        elif index == 3:
            figure.set_dpi(40)

    with steady_ticks(steady):
        for index in range(5):
            check()
            change(steady, index)
            change(plain, index)
        check()
        n_placed = len(vars(steady.axes[0].xaxis))
    assert len(vars(steady.axes[0].xaxis)) < n_placed  # matplotlib's own methods are back


def test_ticks_are_placed_once(monkeypatch):
    figure, calls, place = _make_figure(), [], Axis._update_ticks
    monkeypatch.setattr(Axis, "_update_ticks", lambda axis: calls.append(axis) or place(axis))
    with steady_ticks(figure):
        for _ in range(3):
            for ax in figure.axes:
                ax.get_tightbbox()
    assert len(calls) == len(set(calls)) == 4  # two axes of two panels


def test_a_figure_is_laid_out_once_and_drawn_once_for_each_file(monkeypatch, tmp_path):
    calls = []

    def count(owner, name: str) -> None:
        method = getattr(owner, name)
        monkeypatch.setattr(owner, name, lambda *arguments: calls.append(name) or method(*arguments))

    @style.styled
    def draw() -> Figure:
        figure, axes = style.make_grid(1, 1, 1.0)
        axes[0, 0].plot([0, 1])
        return figure

    count(ConstrainedLayoutEngine, "execute")
    count(Figure, "draw")
    figure = draw()
    for kind in ("pdf", "png"):
        style.save(figure, tmp_path / f"figure.{kind}")
    assert sorted(calls) == ["draw", "draw", "execute"]
