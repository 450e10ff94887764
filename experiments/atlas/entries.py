"""The experiment that represents each phenomenon, with its source and the predicted quantities."""

from typing import NamedTuple

from simlab.validation import check_choice


class Entry(NamedTuple):
    """One panel of the atlas.

    Attributes:
        name: name of the phenomenon, as typed on the command line.
        experiment: name of the experiment.
        source: authors and year of the source of the phenomenon.
        predicts: the predicted quantities, in a few words.
        arrays: learned arrays that are compared entry by entry, in addition to the quantities of the tables.
    """

    name: str
    experiment: str
    source: str
    predicts: str
    arrays: tuple[str, ...] = ()


ENTRIES = (
    Entry(
        "feature-collapse",
        "feature-collapse",
        "Laurent, von Brecht, Bresson 2023",
        "norms and directions of word vectors",
    ),
    Entry("neural-collapse", "neural-collapse", "Papyan, Han, Donoho 2020", "norms and angles of features, classifier"),
    Entry("superposition", "superposition", "Elhage et al. 2022", "dimensions shared by features, and loss"),
    Entry(
        "hierarchical-labels",
        "hierarchical-labels",
        "this project",
        "resolved levels of a tree of classes",
        arrays=("level_strengths",),
    ),
    Entry(
        "deep-linear-networks",
        "deep-linear-networks",
        "Saxe, McClelland, Ganguli 2019",
        "learning of singular values",
        arrays=("strengths",),
    ),
    Entry("feature-contamination", "contamination-ratio", "Zhang et al. 2024", "background learned with the core"),
    Entry(
        "dimensional-collapse",
        "collapse-curve",
        "Jing et al. 2022",
        "variances kept by an encoder",
        arrays=("eigenvalues",),
    ),
    Entry(
        "hidden-manifold",
        "hidden-manifold",
        "HaoChen et al. 2021",
        "eigenfunctions of a manifold",
        arrays=("eigenvalues",),
    ),
    Entry("platonic-kernels", "platonic-kernels", "Huh et al. 2024", "kernels, losses and their alignment"),
    Entry("modality-gap", "gap-threshold", "Liang et al. 2022", "gap and loss of image and text vectors"),
    Entry(
        "contextual-embeddings",
        "token-collapse",
        "Xiao et al. 2023",
        "similarities of words in context",
        arrays=("self_similarity",),
    ),
    Entry(
        "norm-and-variance",
        "norm-and-variance",
        "Yamagiwa, Shimodaira 2024",
        "norm of the mean and variance, by layer",
        arrays=("correlation", "mean_share"),
    ),
)
NAMES = tuple(entry.name for entry in ENTRIES)


def choose_entries(names: str | None) -> tuple[Entry, ...]:
    """Return the entries of some phenomena, in the order of the atlas.

    Args:
        names: separated by commas; None for all.

    Raises:
        ValueError: the atlas has no such phenomenon; the message lists all.
    """
    chosen = NAMES if names is None else {check_choice("only", name, NAMES) for name in names.split(",")}
    return tuple(entry for entry in ENTRIES if entry.name in chosen)
