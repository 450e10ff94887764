"""The escape from the saddle at zero: norms, growth rates, plateaus, modes and ranks, learned and predicted."""

import math
from typing import Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter

from figures.drawing import style
from figures.drawing.seeds import mean_and_error

DOTTED = (0, (1, 1.5))
THRESHOLD = {"color": style.PREDICTED, "linewidth": 0.6, "linestyle": DOTTED, "zorder": 1}
LINE = {"color": style.PREDICTED, "linewidth": 0.8, "zorder": 2}
SCALES, DECAYS, MODES = "Blues", "Oranges", "Greens"  # colormaps; regimes have the colours of the house style
MODE_LINES = ("-", (0, (4, 1)), (0, (4, 1, 1, 1)), (0, (1, 0.7)))


@style.styled
def draw(dataset):
    """Draw six panels: norms over steps, rates and plateaus against weight decay and scale, modes and rank over steps.

    The norms and the plateau against the scale are those of the first regime of the dataset; modes and rank are those
    of the last, whose modes differ. Black lines are predicted, for the norms from the initial scale only. Blues are
    initial scales, oranges weight decays, greens modes; the colours of the house style are regimes.
    """
    figure, axes = style.make_grid(2, 3, 2.1)
    (norms, by_decay, rates), (by_scale, modes, ranks) = axes
    first, last = dataset.isel(regime=0), dataset.isel(regime=-1)
    _draw_norms(norms, first)
    _draw_rates(rates, dataset)
    _draw_plateaus(by_decay, dataset)
    _draw_plateau_over_scale(by_scale, first)
    _draw_modes(modes, last.isel(initial_scale=0, weight_decay=0, seed=0))
    _draw_ranks(ranks, last)
    for ax, letter in zip(axes.flat, "abcdef", strict=True):
        ax.set_title(letter, loc="left", fontweight="bold", pad=3)
    lines = {
        "predicted for small weights": LINE,
        "predicted minimum (a), zero threshold (b), rank (f)": THRESHOLD,
    }
    handles = [Line2D([], [], label=label, **look) for label, look in lines.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    return figure


def draw_key(ax, dataset) -> None:
    """Draw the plateau against the initial scale, learned and predicted."""
    handles = _draw_plateau_over_scale(ax, dataset.isel(regime=0))
    handles.append(Line2D([], [], label="predicted", **LINE))
    ax.legend(handles=handles, title="weight decay", title_fontsize=6, ncols=3, loc="upper right", columnspacing=1,
              handletextpad=0.2)  # fmt: skip
    ax.set_ylim(top=8 * ax.get_ylim()[1])  # room for the legend in a low panel


def _draw_norms(ax, regime) -> None:
    """Draw the norms of embeddings and classifier for every scale at an intermediate weight decay, means over seeds."""
    cells = regime.isel(weight_decay=regime.sizes["weight_decay"] // 3)
    top = 3 * float(cells.history_embedding_norm.max())
    ends = cells.plateau_expected.values
    last = 1.6 * np.max(ends[np.isfinite(ends)], initial=float(cells.step[1]))
    n_shown = int((cells.step <= last).sum())
    n_scales = cells.sizes["initial_scale"]
    for index in range(n_scales):
        member, colour = cells.isel(initial_scale=index), style.shade(index, n_scales, SCALES)
        for kind, mark in (("embedding", "o"), ("classifier", "^")):
            steps, values = member.step.values, np.sqrt((member[f"history_{kind}_norm"] ** 2).mean("seed").values)
            shown = slice(0, n_shown, max(1, n_shown // 25))
            ax.plot(steps[shown], values[shown], color=colour, marker=mark, markersize=1.8, markeredgewidth=0,
                    linestyle="none", zorder=3)  # fmt: skip
            linear = member[f"{kind}_norm_expected"].isel(seed=0).values
            ax.plot(steps, np.where(linear < top, linear, np.nan), **LINE)
    for name in ("embedding_norm", "classifier_norm"):
        ax.axhline(cells.predicted.sel(quantity=name).values.ravel()[0], **THRESHOLD)
    ax.set_yscale("log")
    _set_decades(ax)
    ax.set_xlim(0, last)
    ax.set_xlabel("training steps")
    ax.set_ylabel(f"norm, rms ({_decay_text(cells)})")
    marks = {"embeddings": "o", "classifier": "^"}
    handles = [_mark(label, "0.3", mark) for label, mark in marks.items()]
    for index, scale in enumerate(cells.initial_scale.values):
        handles.append(_mark(f"scale {_power(scale)}", style.shade(index, n_scales, SCALES), "s"))
    ax.legend(handles=handles, loc="lower right", labelspacing=0.25)


def _draw_plateaus(ax, dataset) -> None:
    """Draw the plateau of each regime against weight decay at the second smallest scale, with its threshold."""
    cells = dataset.isel(initial_scale=min(1, dataset.sizes["initial_scale"] - 1))
    for index, name in enumerate(dataset.regime.values):
        regime = cells.sel(regime=name)
        _draw_marks(ax, regime.weight_decay.values, regime.plateau, style.concept_style(index))
        threshold = float(regime.mode_singular_value.isel(mode=0).mean())
        # Interpolate the product with the distance from the threshold, which varies little between cells.
        first, last = regime.weight_decay.values[[0, -1]]
        decays = np.linspace(first, last, 100)
        products = regime.plateau_expected.mean("seed") * (threshold - regime.weight_decay)
        predicted = np.interp(decays, regime.weight_decay.values, products.values) / (threshold - decays)
        ax.plot(decays, predicted, **LINE)
        ax.axvline(threshold, color=style.COLOURS[index], linewidth=0.8, linestyle=DOTTED, zorder=1)
    ax.set_yscale("log")
    _set_decades(ax, subs=(1, 3))
    ax.set_xlim(left=0)
    ax.set_ylim(top=1.6 * ax.get_ylim()[1])
    ax.set_xlabel("weight decay (nats)")
    ax.set_ylabel(f"plateau (steps, scale {_power(cells.initial_scale.item())})")
    threshold = Line2D([], [], label="zero threshold", color="0.4", linewidth=0.8, linestyle=DOTTED)
    ax.legend(handles=[*_regime_handles(dataset), threshold])


def _draw_rates(ax, dataset) -> None:
    """Draw the learned against the predicted growth rate of every mode."""
    for index, name in enumerate(dataset.regime.values):
        regime = dataset.sel(regime=name)
        x, y = regime.growth_rate_predicted.values.ravel(), regime.growth_rate.values.ravel()
        ax.plot(x, y, linestyle="none", markersize=2.5, markeredgewidth=0, zorder=3, **style.concept_style(index))
    high = 1.08 * np.nanmax(dataset.growth_rate_predicted.values)
    ax.plot([0, high], [0, high], **LINE)
    ax.set_xlim(0, high)
    ax.set_ylim(0, high)
    ax.set_xlabel("predicted growth rate (nats)")
    ax.set_ylabel("learned growth rate (nats)")
    deviations = dataset.growth_rate / dataset.growth_rate_predicted - 1
    n_modes, largest = int(deviations.notnull().sum()), 100 * float(abs(deviations).max())
    ax.text(0.05, 0.95, f"{n_modes} modes, all\nwithin {largest:.1g} %", transform=ax.transAxes, va="top")
    ax.legend(handles=_regime_handles(dataset), loc="lower right")


def _regime_handles(dataset) -> list[Line2D]:
    """Return a legend entry for each regime."""
    names = map(style.words_of, dataset.regime.values)
    return [_mark(name, **style.concept_style(index)) for index, name in enumerate(names)]


def _draw_plateau_over_scale(ax, regime) -> list[Line2D]:
    """Draw the plateau against the initial scale for every weight decay, and return its legend entries."""
    handles = []
    n_decays = regime.sizes["weight_decay"]
    for index in range(n_decays):
        cell = regime.isel(weight_decay=index)
        look: dict[str, Any] = {**style.concept_style(index), "color": style.shade(index, n_decays, DECAYS)}
        _draw_marks(ax, cell.initial_scale.values, cell.plateau, look)
        # Interpolate linearly in the logarithm of the scale.
        logs = np.log(cell.initial_scale.values)
        between = np.linspace(logs[0], logs[-1], 50)
        ax.plot(np.exp(between), np.interp(between, logs, cell.plateau_expected.mean("seed").values), **LINE)
        handles.append(_mark(f"{cell.weight_decay.item():g}", **look))
    ax.set_xscale("log")
    ax.set_yscale("log")
    _set_decades(ax, subs=(1, 3))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_xlabel("initial scale")
    ax.set_ylabel("plateau (steps)")
    ax.set_ylim(top=ax.get_ylim()[1] * 4)
    ax.legend(handles=handles, title="weight decay", title_fontsize=6, ncols=3, loc="upper right", columnspacing=1,
              handletextpad=0.2)  # fmt: skip
    return handles


def _draw_modes(ax, member) -> None:
    """Draw |w_i|^2 along each mode: learned in colour, predicted for the linear regime in black."""
    n_modes = int(member.mode_singular_value.notnull().sum())
    values = member.mode_square.values[:, :n_modes]
    top = 4 * np.nanmax(values)
    for mode in range(n_modes):
        linear = member.mode_square_linear.values[:, mode]
        ax.plot(member.step, values[:, mode], color=style.shade(mode, n_modes, MODES),
                linestyle=MODE_LINES[mode % 4], linewidth=1.4,
                label=f"mode {mode + 1}: {member.mode_singular_value.values[mode]:.3f}")  # fmt: skip
        ax.plot(member.step, np.where(linear < top, linear, np.nan), **LINE)
    ax.set_yscale("log")
    _set_decades(ax)
    late = np.flatnonzero(values[:, n_modes - 1] > 0.01 * top / 4)
    ax.set_xlim(0, 1.5 * member.step.values[late[0] if late.size else -1])
    ax.set_xlabel("training steps")
    ax.set_ylabel(f"squared norm along a mode\n({_decay_text(member)}, scale {_power(member.initial_scale.item())})")
    ax.legend(loc="lower right", title="singular value at zero", title_fontsize=6)


def _draw_ranks(ax, regime) -> None:
    """Draw the rank of the embeddings over training for every scale, for the seed whose modes are drawn."""
    members = regime.isel(weight_decay=0, seed=0)
    n_scales = members.sizes["initial_scale"]
    for index in range(members.sizes["initial_scale"]):
        member = members.isel(initial_scale=index)
        colour = style.shade(index, n_scales, SCALES)
        ax.plot(member.step, member["rank"], color=colour, linestyle=MODE_LINES[index % 4],
                label=_power(member.initial_scale.item()))  # fmt: skip
    n_modes = int(members.mode_singular_value.isel(initial_scale=0).notnull().sum())
    for count in range(1, n_modes + 1):
        ax.axhline(count, **THRESHOLD)
    columns = 3
    rows = math.ceil(members.sizes["initial_scale"] / columns)
    ax.set_ylim(0.8, n_modes + 0.5 + 0.3 * rows)  # room for the legend above the last rank
    ax.set_yticks(range(1, n_modes + 1))
    finished = np.nanmax(members.plateau.values)
    ax.set_xlim(0, 4 * finished)
    ax.set_xlabel("training steps")
    ax.set_ylabel("rank of the embeddings")
    ax.legend(loc="upper right", title="initial scale", title_fontsize=6, ncols=columns, columnspacing=1)


def _draw_marks(ax, x: np.ndarray, values, look: dict[str, Any]) -> None:
    """Draw the mean over seeds with its standard error; nothing where a seed has no value."""
    mean, error = mean_and_error(values)
    ax.errorbar(x, mean, error, linestyle="none", markersize=3, markeredgewidth=0, elinewidth=0.7,
                zorder=3, **look)  # fmt: skip


def _set_decades(ax, subs: tuple[int, ...] = (1,)) -> None:
    ax.yaxis.set_major_locator(LogLocator(subs=subs, numticks=8))
    ax.yaxis.set_minor_formatter(NullFormatter())


def _mark(label: str, color: str | style.RGBA, marker: str) -> Line2D:
    return Line2D([], [], label=label, color=color, marker=marker, markersize=3, markeredgewidth=0, linestyle="none")


def _decay_text(cell) -> str:
    return f"decay {cell.weight_decay.item():g}"


def _power(value: float) -> str:
    """Return a number as text, powers of ten as such."""
    exponent = np.log10(value)
    return f"$10^{{{round(exponent)}}}$" if abs(exponent - round(exponent)) < 1e-9 else f"{value:g}"
