"""All regimes on one page: word vectors, their norms, and the accuracy of the network."""

from figures.drawing import style
from figures.feature_collapse.norm_against_frequency import draw_norms
from figures.feature_collapse.principal_components import draw_embeddings
from figures.feature_collapse.training_curves import PANELS, draw_panel


def draw_key(ax, dataset) -> None:
    """Draw the word vectors of the first regime on their principal components, learned and predicted."""
    draw_embeddings(ax, dataset.isel(regime=0, seed=0))
    legend = ax.legend(loc="center left", bbox_to_anchor=(1.02, 0.5))
    legend.set_in_layout(False)  # there is room beside a square panel


@style.styled
def draw(dataset):
    """Draw one column per regime: principal components of the word vectors, their norms, and accuracy over training."""
    regimes = dataset.regime.values
    accuracy = next(panel for panel in PANELS if panel.label == "accuracy")
    figure, axes = style.make_grid(3, len(regimes), 1.5, height_ratios=(1.3, 1, 1))
    for column, name in zip(axes.T, regimes, strict=True):
        regime = dataset.sel(regime=name)
        first = regime.isel(seed=0)
        draw_embeddings(column[0], first)
        draw_norms(column[1], first)
        draw_panel(column[2], regime, accuracy)
        column[2].set_xlabel("training steps")
    style.set_regime_titles(axes[0], dataset)
    for ax in axes[1, 1:]:
        ax.set_ylabel("")
    axes[2, 0].set_ylabel(accuracy.label)
    axes[2, -1].legend(loc="lower right")
    style.legend_below(figure, axes[0, 0])
    figure.align_ylabels(axes[1:, 0])
    return figure
