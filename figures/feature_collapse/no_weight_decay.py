"""Training without weight decay: norms, spread and the effect of word frequencies; and early stopping."""

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from figures.drawing import style
from figures.drawing.scales import set_log_steps, set_names
from figures.drawing.seeds import mean_and_error

LINE = {"color": style.PREDICTED, "linewidth": 0.8, "zorder": 2}
DASHED, DOTTED = (0, (4, 1.5)), (0, (1, 1.5))
MARK = {"linestyle": "none", "markeredgewidth": 0, "zorder": 3}


@style.styled
def draw(dataset):
    """Draw six panels: norms, spread and norm ratio on the population; accuracy, spread and stopping on a small sample.

    Black lines are predicted. The regimes are, in this order, the population from small and from large weights, and the
    sample. The first weight decay of the dataset is zero.
    """
    figure, axes = style.make_grid(2, 3, 2.25)
    (norms, spread, ratio), (accuracy, sample_spread, stopping) = axes
    small, large, sample = (dataset.isel(regime=index) for index in range(3))
    _draw_norms(norms, small.isel(weight_decay=0))
    _draw_spread(spread, small.isel(weight_decay=0), large)
    _draw_ratio(ratio, small)
    _draw_over_steps(accuracy, sample, "test_accuracy", "test accuracy, few sentences")
    accuracy.set_ylim(float(sample.end_accuracy.min()) - 0.1, 1)
    accuracy.yaxis.set_major_locator(MaxNLocator(5))
    _draw_over_steps(sample_spread, sample, "embedding_spread", "spread of directions,\nfew sentences")
    _draw_stopping(stopping, sample)
    sample_spread.legend(handles=_decay_handles(sample), title="weight decay (d, e)", title_fontsize=6,
                         loc="upper right", ncols=2, columnspacing=1)  # fmt: skip
    bands = "bands and bars: \N{PLUS-MINUS SIGN} one standard error of the mean over seeds"
    notes = [_line("black lines: predicted", "-"), Patch(label=bands, color="0.5", alpha=0.4, linewidth=0)]
    figure.legend(handles=notes, loc="outside lower center", ncols=2)
    for ax, letter in zip(axes.flat, "abcdef", strict=True):
        ax.set_title(letter, loc="left", fontweight="bold", pad=3)
    return figure


def draw_key(ax, dataset) -> None:
    """Draw the norm ratio of the most frequent to the rarest word, with and without weight decay."""
    _draw_ratio(ax, dataset.isel(regime=0))
    low, high = ax.get_ylim()
    ax.set_ylim(low, high + 0.6 * (high - low))  # room for the legend in a low panel
    ax.get_legend().set_title("black lines: predicted", {"size": 6})


def _draw_norms(ax, regime) -> None:
    """Draw the norms of words by rank and of the classifier without weight decay, means over seeds."""
    steps = regime.step.values
    shown = _spaced(steps, 14)
    # A task with fewer ranks than the largest in the dataset is padded with NaN.
    n_ranks = int(regime.rank_norm.isel(seed=0, record=0).notnull().sum())
    curves = [(f"word of rank {rank + 1}", "rank_norm", {"rank": rank}) for rank in range(n_ranks)]
    for index, (label, name, where) in enumerate([*curves, ("classifier", "classifier_norm", {})]):
        learned = regime[name if where else f"history_{name}"].isel(where)
        predicted = regime[f"{name}_descent"].isel(where).mean("seed", skipna=False)
        mean, error = mean_and_error(learned)
        ax.errorbar(steps[shown], mean[shown], error[shown], markersize=3, elinewidth=0.7, label=label,
                    **MARK, **style.concept_style(index))  # fmt: skip
        ax.plot(steps[1:], predicted[1:], **LINE)
        if where:
            late = regime.rank_norm_late.isel(where).isel(seed=0)
            ax.plot(steps[1:], late[1:], linestyle=DOTTED, **LINE)
    set_log_steps(ax)
    low, high = ax.get_ylim()
    ax.set_ylim(low - 0.1 * (high - low), high + 0.65 * (high - low))
    ax.set_ylabel("norm, no weight decay")
    lines = [_line("descent", "-"), _line("late law", DOTTED)]
    ax.legend(handles=[*ax.get_legend_handles_labels()[0], *lines], ncols=2, loc="upper left", columnspacing=0.8,
              handlelength=1.5)  # fmt: skip


def _draw_spread(ax, small, large) -> None:
    """Draw the spread of every seed: from large weights for each weight decay, from small ones without it."""
    drawn = [(large.isel(weight_decay=index), index) for index in range(min(4, large.sizes["weight_decay"]))]
    steps = large.step.values
    shown = _spaced(steps, 14)
    for regime, index in drawn:
        for seed in range(regime.sizes["seed"]):
            member = regime.isel(seed=seed)
            ax.plot(steps[shown], member.history_embedding_spread.values[shown], markersize=2.5, **MARK,
                    **style.concept_style(index))  # fmt: skip
            ax.plot(steps[1:], member.embedding_spread_frozen.values[1:], **LINE)
    for seed in range(small.sizes["seed"]):
        values = small.isel(seed=seed).history_embedding_spread.values
        ax.plot(steps[shown], values[shown], color="0.5", marker="x", markersize=2.5, linestyle="none")
    set_log_steps(ax)
    ax.set_yscale("log")
    ax.set_ylim(1e-7, 1)
    ax.yaxis.set_major_locator(LogLocator(numticks=8))
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.set_ylabel("spread of directions")
    handles = _decay_handles(large)[: len(drawn)]
    handles.append(
        Line2D([], [], color="0.5", marker="x", markersize=3, linestyle="none", label="0, small initial weights")
    )
    ax.legend(handles=handles, loc="lower left", title="weight decay", title_fontsize=6)


def _draw_ratio(ax, regime) -> None:
    """Draw the norm ratio against the mean margin: during training without weight decay, and at minimisers."""
    free, penalised = regime.isel(weight_decay=0), regime.isel(weight_decay=slice(1, None))
    shown = _spaced(regime.step.values, 14)
    for seed in range(free.sizes["seed"]):
        member = free.isel(seed=seed)
        ax.plot(member.mean_margin.values[shown], member.norm_ratio.values[shown], color=style.COLOURS[0], marker="o",
                markersize=2.5, **MARK)  # fmt: skip
        ax.plot(member.mean_margin_descent, member.norm_ratio_descent, **LINE)
    exact = penalised.isel(seed=0)
    # Interpolate (ratio - 1) V, which tends to a constant. Margins decrease with the weight decay.
    is_predicted = exact.mean_margin_exact.notnull().values
    exact_margins, ratios = (
        exact.mean_margin_exact.values[is_predicted][::-1],
        exact.norm_ratio_exact.values[is_predicted][::-1],
    )
    between = np.linspace(exact_margins[0], exact_margins[-1], 100)
    ax.plot(
        between, 1 + np.interp(between, exact_margins, (ratios - 1) * exact_margins) / between, linestyle=DASHED, **LINE
    )
    for seed in range(penalised.sizes["seed"]):
        member = penalised.isel(seed=seed, record=-1)
        ax.plot(member.mean_margin, member.norm_ratio, color=style.COLOURS[1], marker="^", markersize=3.5, **MARK)
    margins = np.linspace(float(exact.mean_margin_exact.min()), float(free.mean_margin.max()), 100)
    leading = 1 + float(free.log_frequency_ratio[0]) / margins
    ax.plot(margins, leading, linestyle=DOTTED, **LINE)
    ax.set_xlim(margins[0] - 0.5, margins[-1] + 0.5)
    longest = max(float(np.nanmax(values)) for values in (exact.norm_ratio_exact, leading, free.norm_ratio[:, shown]))
    ax.set_ylim(1.05, 1.05 + 1.85 * (longest - 1.05))  # room for the legend
    ax.set_xlabel("mean margin (nats)")
    ax.set_ylabel("norm ratio, most frequent\nto rarest word")
    ax.legend(
        handles=[
            Line2D([], [], color=style.COLOURS[0], marker="o", markersize=2.5, label="training, no decay", **MARK),
            Line2D([], [], color=style.COLOURS[1], marker="^", markersize=3.5, label="at the end, with decay", **MARK),
            _line("descent", "-"), _line("minimiser", DASHED),
            _line("leading order", DOTTED),
        ]
    )  # fmt: skip


def _draw_over_steps(ax, regime, name: str, label: str) -> None:
    """Draw a recorded quantity of the sample for every weight decay, with standard errors over seeds."""
    steps = regime.step.values
    for index in range(regime.sizes["weight_decay"]):
        mean, error = mean_and_error(regime[f"history_{name}"].isel(weight_decay=index))
        colour = style.concept_style(index)["color"]
        is_positive = np.isfinite(mean) & (steps > 0)
        ax.plot(steps[is_positive], mean[is_positive], color=colour, linewidth=0.9)
        low, high = (mean - error)[is_positive], (mean + error)[is_positive]
        ax.fill_between(steps[is_positive], low, high, color=colour, alpha=0.25, linewidth=0)
        shown = np.flatnonzero(is_positive)[_spaced(steps[is_positive], 9)]
        ax.plot(steps[shown], mean[shown], markersize=2.8, **MARK, **style.concept_style(index))
    set_log_steps(ax)
    ax.set_ylabel(label)


def _draw_stopping(ax, regime) -> None:
    """Draw the test accuracy at the best step and at the end for every weight decay."""
    places = np.arange(regime.sizes["weight_decay"])
    for index, (name, label) in enumerate((("best_accuracy", "best step"), ("end_accuracy", "end"))):
        mean, error = mean_and_error(regime[name])
        ax.errorbar(places + 0.16 * (index - 0.5), mean, error, markersize=3.5, elinewidth=0.7, label=label,
                    **MARK, **style.concept_style(index))  # fmt: skip
    ax.yaxis.set_major_locator(MaxNLocator(5))
    set_names(ax, [_decay_text(value) for value in regime.weight_decay.values])
    low, high = ax.get_ylim()
    ax.set_ylim(low, high + 0.4 * (high - low))  # room for the legend
    ax.set_xlabel("weight decay (nats)")
    ax.set_ylabel("test accuracy, few sentences")
    ax.legend(title="stopped at", title_fontsize=6, loc="upper left", ncols=2)


def _spaced(steps: np.ndarray, count: int) -> np.ndarray:
    """Return indices of positive steps, evenly spaced on a logarithmic scale."""
    first = int(np.searchsorted(steps, 0, side="right"))
    wanted = np.geomspace(steps[first], steps[-1], count)
    return np.unique(np.abs(steps[None, :] - wanted[:, None]).argmin(axis=1))


def _decay_handles(regime) -> list:
    return [
        Line2D([], [], label=_decay_text(value), markersize=3, **MARK, **style.concept_style(index))
        for index, value in enumerate(regime.weight_decay.values)
    ]


def _decay_text(value: float) -> str:
    return f"$10^{{{round(np.log10(value))}}}$" if value > 0 and abs(np.log10(value) % 1) < 1e-9 else f"{value:g}"


def _line(label: str, pattern) -> Line2D:
    return Line2D([], [], label=label, linestyle=pattern, color=style.PREDICTED, linewidth=0.8)
