"""Figures in words: title, caption, and the alternative text for readers who do not see them."""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec

from experiments.report.markup import plural

_LABELS: dict[str, Callable[..., str]] = {"x": lambda ax: ax.get_xlabel(), "y": lambda ax: ax.get_ylabel()}
# Mathematics of a label as it is read aloud, in this order.
_PLAIN = {r"\,": " ", r"\cdot": " times ", "$": "", "\\": "", "{": "(", "}": ")"}


def title_of(name: str) -> str:
    """Return what a figure is called: the name of its files as words."""
    from figures import file_name

    text = file_name(name).replace("_", " ")
    return text[:1].upper() + text[1:]


def caption_of(name: str) -> str:
    """Return what a figure shows: the first sentence of its module."""
    module = f"figures.{name}"
    text = (import_module(module).__doc__ or "") if find_spec(module) else ""
    return " ".join(text.partition("\n\n")[0].split())


def describe(figure) -> str:
    """Return the panels of a figure in words: titles, axes with their ranges, legends.

    A panel without a title or without labels has those of its row and of its column.
    """
    panels = [" ".join(filter(None, map(_plain, _panel_words(ax)))) for ax in figure.axes]
    named = [panel for panel in panels if panel]
    legends = [ax.get_legend() for ax in figure.axes] + list(figure.legends)
    entries = dict.fromkeys(
        _plain(text.get_text()) for legend in legends if legend is not None for text in legend.get_texts()
    )
    parts = [plural(len(panels), "panel"), *named, *([f"legend: {'; '.join(entries)}"] if entries else [])]
    return f"{'; '.join(parts)}."


def _panel_words(ax) -> tuple[str, ...]:
    title = _title(ax) or _shared(ax, "x", _title)
    x, y = (text_of(ax) or _shared(ax, axis, text_of) for axis, text_of in _LABELS.items())
    if not (title or x or y) or not ax.get_visible():
        return ()
    ranges = [_range(name, *getattr(ax, f"get_{name}lim")()) for name in "xy" if len(getattr(ax, f"get_{name}ticks")())]
    return f"{title}:" if title else "", y, f"against {x}" if x else "", f"({', '.join(ranges)})" if ranges else ""


def _range(name: str, low: float, high: float) -> str:
    """Return from where to where an axis goes, in words."""
    return f"{name} from {low:.2g} to {high:.2g}"


def _title(ax) -> str:
    """Return the title of a panel, wherever it stands above it."""
    return next(filter(None, (ax.get_title(loc=side) for side in ("center", "left", "right"))), "")


def _shared(ax, axis: str, text_of: Callable[..., str]) -> str:
    """Return the text that the panels of a row (y) or of a column (x) share; nothing if they have several."""
    place = ax.get_subplotspec()
    if place is None:
        return ""
    span = "rowspan" if axis == "y" else "colspan"
    others = [other for other in ax.figure.axes if other.get_subplotspec() is not None]
    others = [other for other in others if other.get_subplotspec().get_gridspec() is place.get_gridspec()]
    aligned = [other for other in others if getattr(other.get_subplotspec(), span) == getattr(place, span)]
    texts = {text_of(other) for other in aligned} - {""}
    return texts.pop() if len(texts) == 1 else ""


def _plain(text: str) -> str:
    """Return a label with its mathematics as plain text, on one line."""
    for sign, words in _PLAIN.items():
        text = text.replace(sign, words)
    return " ".join(text.split())
