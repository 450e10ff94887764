"""The experiment that represents each phenomenon, with its source and the predicted quantities."""

from experiments.catalogue import Entry
from experiments.registry import CATALOGUES
from simlab.validation import check_choice

ENTRIES = tuple(entry for catalogue in CATALOGUES for entry in catalogue.atlas)
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
