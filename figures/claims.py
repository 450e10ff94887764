"""All verified claims: values against predictions, errors against tolerances, and excess risks of random restarts."""

import numpy as np

from figures.drawing import style

FILE_NAME = "verified_claims"


@style.styled
def draw(dataset):
    """Draw measured against predicted values, errors, and the excess risk of restarts over the prediction."""
    figure, axes = style.make_grid(1, 3, 2.3)
    checked = dataset.where(dataset.status != "not applicable", drop=True)
    controls = np.array(["control" in name or "less the minimum" in name for name in checked.claim.values])
    _draw_diagonal(axes[0, 0], checked.predicted.values[~controls], checked.learned.values[~controls])
    left_out = {"controls": int(controls.sum()), "not applicable": dataset.sizes["claim"] - checked.sizes["claim"]}
    words = ", ".join(f"{count} {name}" for name, count in left_out.items() if count)
    axes[0, 0].set_title(axes[0, 0].get_title() + (f"\n(without {words})" if words else ""))
    _draw_errors(axes[0, 1], checked.error.values[~controls], checked.tolerance.values[~controls])
    _draw_restarts(axes[0, 2], dataset.restart_excess.values)
    return figure


def _draw_diagonal(ax, predicted: np.ndarray, measured: np.ndarray) -> None:
    low, high = min(predicted.min(), measured.min()), style.ceiling(predicted, measured)
    ax.plot([low, high], [low, high], color=style.PREDICTED, linewidth=0.6)
    ax.plot(
        predicted,
        measured,
        linestyle="none",
        marker="o",
        markersize=2.5,
        markeredgewidth=0,
        color=style.TEST,
        alpha=0.6,
    )
    ax.set_xlabel("predicted")
    ax.set_ylabel("found")
    ax.set_title(f"{len(predicted)} claims")


def _draw_errors(ax, errors: np.ndarray, tolerances: np.ndarray) -> None:
    """Draw sorted errors with their tolerances; open markers at the lower edge are errors of zero."""
    order = np.argsort(errors)
    floor = min(1e-17, 0.1 * errors.min(where=errors > 0, initial=1.0))
    ranks = np.arange(1, len(errors) + 1)
    errors, is_zero = errors[order], errors[order] == 0
    ax.plot(ranks[~is_zero], errors[~is_zero], linestyle="none", marker="o", markersize=2, color=style.TEST,
            markeredgewidth=0, label="error")  # fmt: skip
    if is_zero.any():
        label = f"error exactly 0 ({is_zero.sum()})"
        ax.plot(ranks[is_zero], np.full(is_zero.sum(), floor), linestyle="none", marker="o", markersize=2.5,
                color=style.TEST, markerfacecolor="none", markeredgewidth=0.5, label=label)  # fmt: skip
    ax.plot(ranks, np.maximum(tolerances[order], floor), linestyle="none", marker="_", markersize=3,
            color=style.PREDICTED, label="tolerance")  # fmt: skip
    ax.set_yscale("log")
    ax.set_xlabel("claims, sorted by error")
    ax.set_ylabel("|found - predicted|")
    ax.legend(loc="upper left")


def _draw_restarts(ax, excess: np.ndarray) -> None:
    values = excess[np.isfinite(excess)]
    ax.set_xlabel("excess risk (1e-12 nats)")
    ax.set_ylabel("restarts")
    ax.set_title(f"{len(values)} restarts, {len(excess)} tasks")
    if len(values):
        # Bins of width 1e-12 on both sides of the prediction; the outermost bins collect all larger deviations.
        top = 20.0
        ax.hist(np.clip(values * 1e12, -top, top), bins=np.arange(-top, top + 1), color=style.TEST)
        ax.axvline(0, color=style.PREDICTED, linewidth=0.7)
        ax.set_yscale("log")
