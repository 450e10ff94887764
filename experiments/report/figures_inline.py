"""Figures as parts of a page: drawn as SVG, described in words, enlarged by a click or a tap without any script."""

import io
from base64 import b64encode

from experiments.report.figure_text import caption_of, describe, title_of
from experiments.report.headline import headline_words
from experiments.report.markup import TIMES, Markup, element, join
from experiments.report.svg import Drawing, read_svg

# A scatter of a hundred thousand words is no longer a drawing that a page can hold: it becomes a picture.
MOST_CHARACTERS = 3_000_000
PICTURE_RESOLUTION = 250  # dots per inch
NATURAL = 4 / 3  # CSS pixels in a point
LEGIBLE = 2.0  # CSS pixels for a point, at least, where a figure is enlarged: labels have 6 points


def all_figures(dataset, prefix: str) -> Markup:
    """Return every figure of a saved run; where it declares none, a line that says so.

    Args:
        dataset: the saved run.
        prefix: of the ids of the figures.
    """
    from figures import figures_of, file_name

    try:
        names = figures_of(dataset)
    except ValueError as error:
        return element("p", f"No figures: {error}", class_="problem")
    numbers = headline_words(dataset)
    keys = (f"{prefix}-{file_name(name).replace('_', '-')}" for name in names)
    return join(*(figure_element(name, dataset, key, numbers) for name, key in zip(names, keys, strict=True)))


def figure_element(name: str, dataset, prefix: str, numbers: str = "") -> Markup:
    """Return a figure of a saved run; where it cannot be drawn from that file, a line that says why.

    Args:
        name: of the figure.
        dataset: the saved run.
        prefix: its id in the page; ids inside it begin with it.
        numbers: the headline numbers of the run in words, for the alternative text.
    """
    from figures import draw

    title = title_of(name)
    try:
        figure = draw(name, dataset)
    except (AttributeError, KeyError, ValueError) as error:  # a file of another version lacks what the figure shows
        why = f"{title} cannot be drawn from this file: {type(error).__name__}: {error}"
        return element("p", why, class_="problem", id=prefix)
    caption = caption_of(name)
    content = draw_inline(figure, f"{prefix}-svg")
    description = " ".join(filter(None, (caption, describe(figure), numbers)))
    style = f"--natural:{content.width * NATURAL:.0f}px"
    sheet = element("div", _image(content, prefix, description), _button(prefix, caption), class_="sheet", style=style)
    words = element("figcaption", element("b", f"{title}. "), caption)
    return element(
        "figure", element("div", sheet, class_="card"), _enlarged(content, prefix, description), words, id=prefix
    )


def draw_inline(figure, prefix: str) -> Drawing:
    """Return a matplotlib figure as SVG, text as outlines; as a picture in an SVG where that would be too large."""
    drawing = read_svg(_save(figure, "svg"), prefix)
    if len(drawing.content) <= MOST_CHARACTERS:
        return drawing
    data = b64encode(_save(figure, "png")).decode()
    picture = element("image", href=f"data:image/png;base64,{data}", width=drawing.width, height=drawing.height)
    return drawing._replace(content=picture)


def _save(figure, kind: str) -> bytes:
    """Return the file that matplotlib writes; equal figures give equal files."""
    from figures.drawing.style import styled

    buffer = io.BytesIO()
    options = {"metadata": {"Date": None}} if kind == "svg" else {"dpi": PICTURE_RESOLUTION}
    styled(figure.savefig)(buffer, format=kind, **options)
    return buffer.getvalue()


def _image(drawing: Drawing, prefix: str, description: str) -> Markup:
    """Return the drawing itself; what all of it inherits stands at its group, which the enlarged one shows again."""
    group = element("g", drawing.content, id=f"{prefix}-all", stroke_linejoin="round", stroke_linecap="butt")
    return _svg(drawing, description, group)


def _svg(drawing: Drawing, description: str, content: Markup) -> Markup:
    box = f"0 0 {drawing.width:g} {drawing.height:g}"
    return element("svg", content, viewBox=box, role="img", aria_label=description)


def _button(prefix: str, caption: str) -> Markup:
    return element("button", type="button", popovertarget=f"{prefix}-large", aria_label=f"Enlarge: {caption}")


def _enlarged(drawing: Drawing, prefix: str, description: str) -> Markup:
    """Return the same drawing as large as the window, shown by its button and hidden by another or by Escape."""
    again = _svg(drawing, description, element("use", href=f"#{prefix}-all"))
    close = element("button", TIMES, type="button", popovertarget=f"{prefix}-large", popovertargetaction="hide",
                    aria_label="Close")  # fmt: skip
    style = f"--ratio:{drawing.width / drawing.height:.3f};--least:{drawing.width * LEGIBLE:.0f}px"
    return element("div", close, element("div", again, style=style), id=f"{prefix}-large", popover=True, class_="large")
