"""Label and word noise: learned and predicted networks, free and equal lengths on a noisy sample, reliability."""

import json
from typing import Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, LogLocator, MaxNLocator, NullFormatter
from matplotlib.typing import LineStyleType

from figures.drawing import style
from figures.drawing.seeds import mean_and_error

LINE: dict[str, Any] = {"color": style.PREDICTED, "linewidth": 0.8, "zorder": 1}
LINES: tuple[LineStyleType, ...] = ("-", (0, (4, 1.5)), (0, (1, 1.2)))
POPULATION = ("equal-words", "zipf-words")
NOISES = ("label_noise", "word_noise")
KINDS = ("label noise only", "word noise only", "both noises")
# Regimes of the noisy sample: their label, index of colour and marker, whether words are equally frequent.
SAMPLE = {
    "free-lengths": ("free lengths", 3, False),
    "equal-lengths": ("equal lengths (LayerNorm)", 4, False),
    "free-lengths-uniform": ("free lengths, equal words", 3, True),
    "equal-lengths-uniform": ("equal lengths, equal words", 4, True),
}
DECAY = 1e-2  # weight decay of the norms drawn; the nearest of the dataset is taken
MARGIN_DECAY = 1e-3  # weight decay of the margins drawn
TINY = 1e-9  # nats; smaller costs are not drawn


@style.styled
def draw(dataset):
    """Draw eight panels: norms, risk and accuracy over the noise; the noisy sample; margins and costs.

    Black lines are predicted; markers are means over seeds with standard errors. Legends in panels explain the colours
    and markers there; the legend below all panels is that of the upper row.
    """
    dataset = _with_axes(dataset)
    figure, axes = style.make_grid(2, 4, 2.0)
    chosen = _nearest(dataset, "weight_decay", DECAY)
    for ax, name in zip(axes[0, :2], POPULATION, strict=True):
        _draw_norms(ax, chosen.sel(regime=name))
        ax.set_title(style.words_of(name), pad=2)
    _draw_risk(axes[0, 2], chosen)
    _draw_accuracy(axes[0, 3], chosen.sel(regime=POPULATION[0]))
    _draw_best(axes[1, 0], dataset, "most_accuracy", "test accuracy")
    _draw_best(axes[1, 1], dataset, "least_cross_entropy", "cross-entropy - label\nentropy (nats)")
    _draw_margins(axes[1, 2], dataset)
    _draw_costs(axes[1, 3], dataset)
    for ax, letter in zip(axes.flat, "abcdefgh", strict=True):
        ax.set_title(letter, loc="left", fontweight="bold", pad=2)
    _add_legend(figure, dataset)
    return figure


def draw_key(ax, dataset) -> None:
    """Draw the learned and predicted risk against the noise."""
    _draw_risk(ax, _nearest(_with_axes(dataset), "weight_decay", DECAY))
    handles = [Line2D([], [], label=name, **_look(index)) for index, name in enumerate(KINDS)]
    handles += [
        Line2D([], [], label=f"predicted, {style.words_of(name)}", linestyle=line, **LINE)
        for name, line in zip(POPULATION, LINES, strict=False)
    ]
    ax.legend(handles=handles, loc="lower right")


def _with_axes(dataset):
    """Return the dataset with fixed options as axes of length one; curves have no noise axes."""
    fixed = next(iter(json.loads(dataset.attrs["configuration"]).values()))
    values = {"weight_decay": fixed["classifier_weight_decay"]} | {name: fixed[name] for name in NOISES}
    for name, value in values.items():
        if name not in dataset.dims:
            varied = [variable for variable in dataset.data_vars.values() if "regime" in variable.dims]
            varied = [variable for variable in varied if name not in NOISES or "level" not in variable.dims]
            dataset = dataset.assign({variable.name: variable.expand_dims({name: [value]}, 1) for variable in varied})
    return dataset


def _draw_norms(ax, regime) -> None:
    """Draw both norms against the effective noise, by kind of noise."""
    for name, text, place in (
        ("embedding_norm", "embeddings", (0.3, 0.85)),
        ("classifier_norm", "classifier", (0.05, 0.35)),
    ):
        ax.plot(regime.level, _curve(regime, name, "label_noise"), **LINE)
        _draw_kinds(ax, regime, name)
        ax.text(*place, text, transform=ax.transAxes, fontsize=6)
    _set_noise(ax, 0.9)
    ax.set_ylim(
        0, 1.12 * style.ceiling(regime.curve_predicted.sel(quantity=["embedding_norm", "classifier_norm"]).values)
    )
    ax.set_xlabel("effective noise")
    ax.set_ylabel("norm, rms")


def _draw_risk(ax, dataset) -> None:
    """Draw the risk against the effective noise, by kind of noise."""
    for name, line in zip(POPULATION, LINES, strict=False):
        regime = dataset.sel(regime=name)
        ax.plot(regime.level, _curve(regime, "test_risk", "label_noise"), **LINE | {"linestyle": line})
        _draw_kinds(ax, regime, "test_risk")
    _set_noise(ax, 0.9)
    ax.set_ylim(bottom=0)
    ax.set_xlabel("effective noise")
    ax.set_ylabel("risk (nats)")
    handles = [
        Line2D([], [], label=style.words_of(name), linestyle=line, **LINE)
        for name, line in zip(POPULATION, LINES, strict=False)
    ]
    ax.legend(handles=handles, loc="lower right")


def _draw_accuracy(ax, regime) -> None:
    """Draw the accuracy against each kind of noise separately, two tasks with the same network."""
    for index, (kind, other) in enumerate((("label_noise", "word_noise"), ("word_noise", "label_noise"))):
        ax.plot(regime.level, _curve(regime, "test_accuracy", kind), **LINE)
        alone = regime.isel({other: np.flatnonzero(regime[other].values == 0)})
        mean, error = mean_and_error(alone.learned.sel(quantity="test_accuracy"), skipna=True)
        for values, bars in zip(
            mean.reshape(-1, regime.sizes[kind]), error.reshape(-1, regime.sizes[kind]), strict=True
        ):
            ax.errorbar(regime[kind], values, bars, elinewidth=0.6, **_look(index))
    _set_noise(ax, 0.65)
    ax.set_ylim(0, 1.05)
    ax.set_xlabel("noise (one kind only)")
    ax.set_ylabel("accuracy")


def _draw_best(ax, dataset, name: str, label: str) -> None:
    """Draw the best value of each network over weight decays on the noisy sample, at the smallest label noise.

    The entropy of the labels, a lower bound for any network, is subtracted from the cross-entropy.
    """
    for regime, (text, number, equal) in _shown_sample(dataset).items():
        cells = dataset.sel(regime=regime).isel(label_noise=0, weight_decay=0)
        values = cells[name] - cells.label_entropy if name == "least_cross_entropy" else cells[name]
        mean, error = mean_and_error(values, skipna=True)
        ax.errorbar(cells.word_noise, mean, error, label=text, elinewidth=0.7, **_sample_look(number, equal))
    if name == "most_accuracy":
        cells = dataset.sel(regime=next(iter(SAMPLE))).isel(weight_decay=0)
        ax.plot(cells.level, _curve(cells, "test_accuracy", "word_noise"), **LINE)
        ax.text(0.97, 0.62, "best\npossible", transform=ax.transAxes, ha="right", va="top", fontsize=6)
    else:
        grey = {"color": "0.4", "marker": "o"}
        words = {style.words_of(POPULATION[1]): False, style.words_of(POPULATION[0]): True}
        _add_entries(ax, {text: _sample_look(3, equal) | grey for text, equal in words.items()}, loc="lower right")
    _set_noise(ax, 0.65)
    ax.set_ylim(bottom=0)
    ax.set_xlabel("word noise")
    ax.set_ylabel(label)


def _draw_margins(ax, dataset) -> None:
    """Draw the margin of each word against its frequency for rank-dependent reliability, and its zero-decay limit."""
    nearest = _nearest(dataset, "decay", MARGIN_DECAY)
    for index, case in enumerate(dataset.reliability.values):
        row = nearest.sel(reliability=case)
        ax.plot(nearest.reliability_frequency, row.reliability_margin, linewidth=1.3, **_case_look(index))
        limit = LINE | {"linestyle": LINES[index]}
        ax.plot(nearest.reliability_frequency, row.reliability_margin_limit, **limit)
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(FixedLocator([0.02, 0.05, 0.1, 0.2]))
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_ylim(0, 1.1 * float(dataset.reliability_margin_limit.max()))
    looks = {_case_word(case): _case_look(index) for index, case in enumerate(dataset.reliability.values)}
    looks["no weight decay"] = LINE
    _add_entries(ax, looks, loc="lower right", title="reliability of\nfrequent words (g, h)", title_fontsize=6)
    ax.set_xlabel("word frequency")
    ax.set_ylabel("margin of a word (nats)")


def _draw_costs(ax, dataset) -> None:
    """Draw the cost of free lengths against weight decay, and the smallest cost of equal lengths (horizontal)."""
    for index, case in enumerate(dataset.reliability.values):
        row = dataset.sel(reliability=case)
        ax.plot(dataset.decay, row.reliability_excess, linewidth=1.3, **_case_look(index))
        cost = float(row.reliability_equal_lengths)
        if cost > TINY:
            ax.axhline(cost, linewidth=0.8, **_case_look(index))
            text = f"equal lengths\n({_case_word(case)})"
            ax.annotate(text, (dataset.decay[0], cost), (1, 2), textcoords="offset points", fontsize=6)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_ylim(1e-4, 0.5)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(LogLocator(numticks=6))
        axis.set_minor_formatter(NullFormatter())
    ax.set_xlabel("weight decay (nats)")
    ax.set_ylabel("cost of lengths (nats)")


def _draw_kinds(ax, regime, name: str) -> None:
    """Draw learned values against the effective noise, by kind of noise."""
    label, word = np.meshgrid(regime.label_noise.values != 0, regime.word_noise.values != 0, indexing="ij")
    values = regime.learned.sel(quantity=name).transpose("label_noise", "word_noise", "seed")
    mean, error = mean_and_error(values, skipna=True)
    noise = regime.effective_noise.transpose("label_noise", "word_noise").values
    # Without noise the two kinds coincide.
    for index, is_kind in enumerate((~word, word & ~label, label & word)):
        ax.errorbar(noise[is_kind], mean[is_kind], error[is_kind], elinewidth=0.6, **_look(index))


def _curve(regime, name: str, kind: str) -> np.ndarray:
    return regime.curve_predicted.sel(quantity=name, noise_kind=kind).values


def _look(index: int) -> dict[str, Any]:
    """Return the marker style of a kind of noise; the first is open, so that it surrounds the others."""
    mark = {"markersize": 5.5, "markeredgewidth": 0.8, "markerfacecolor": "none"} if index == 0 else {"markersize": 3}
    return {"linestyle": "none", "markeredgewidth": 0, "zorder": 3} | style.concept_style(index) | mark


def _sample_look(number: int, equal: bool) -> dict[str, Any]:
    """Return the line and marker style of a regime of the noisy sample."""
    open_mark = {"markerfacecolor": "white", "markeredgewidth": 0.7, "linestyle": LINES[1]}
    filled = {"markeredgewidth": 0, "linestyle": LINES[0]}
    return (
        {"markersize": 3.4, "linewidth": 0.8, "zorder": 3}
        | style.concept_style(number)
        | (open_mark if equal else filled)
    )


def _case_look(index: int) -> dict[str, Any]:
    """Return the line style of a case of reliability."""
    return {"color": style.COLOURS[(5, 6, 7)[index % 3]], "linestyle": LINES[index % 3]}


def _shown_sample(dataset) -> dict[str, tuple[str, int, bool]]:
    """Return the regimes of the noisy sample in a dataset, with label, style index and whether words are equal."""
    return {regime: look for regime, look in SAMPLE.items() if regime in dataset.regime}


def _case_word(case: str) -> str:
    """Return how reliable frequent words are compared with rare ones: ``more``, ``the same``, ``less``."""
    return next((word for word in ("more", "less") if word in str(case)), "the same")


def _nearest(dataset, axis: str, value: float):
    """Return the dataset at the value of an axis that is nearest on a logarithmic scale."""
    return dataset.isel({axis: int(np.argmin(np.abs(np.log(dataset[axis].values / value))))})


def _set_noise(ax, end: float) -> None:
    ax.set_xlim(-0.02, end)
    ax.xaxis.set_major_locator(MaxNLocator(4))


def _add_entries(ax, looks: dict[str, dict[str, Any]], **options: Any) -> None:
    """Put a legend with the given styles, by label, into a panel."""
    handles = [Line2D([], [], label=label, **look) for label, look in looks.items()]
    ax.legend(handles=handles, labelspacing=0.25, **options)


def _add_legend(figure, dataset) -> None:
    """Put the legend shared by several panels below all of them."""
    handles = [Line2D([], [], label=f"{text} (a to d)", **_look(index)) for index, text in enumerate(KINDS)]
    handles.append(Line2D([], [], label="predicted (a to d)", **LINE))
    handles += [
        Line2D([], [], label=f"{text} (e, f)", **_sample_look(number, equal))
        for text, number, equal in _shown_sample(dataset).values()
        if not equal
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, columnspacing=1.5)
