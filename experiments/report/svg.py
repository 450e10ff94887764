"""A figure's SVG made fit to stand inside a page with others: its own names, nothing that the page does not need."""

import re
from typing import NamedTuple
from xml.etree import ElementTree

from experiments.report.markup import Markup

_LINK = re.compile(r"url\(#([^)]+)\)")
_LONG_DECIMAL = re.compile(r"-?\d+\.\d{3,}")
_COORDINATES = ("d", "x", "y", "points")


class Drawing(NamedTuple):
    """A drawing without its outermost element.

    Attributes:
        width: in points.
        height: in points.
        content: SVG.
    """

    width: float
    height: float
    content: Markup


def read_svg(source: bytes, prefix: str) -> Drawing:
    """Return what matplotlib has drawn, with every id prefixed.

    Style sheets go, since inside a page they would hold for all of it; so do metadata, unused ids, and digits of
    coordinates below a hundredth of a point.

    Args:
        source: an SVG file of matplotlib.
        prefix: of all ids that are left; no other part of the page may use it.
    """
    root = ElementTree.fromstring(source)
    _remove(root, {"metadata", "style"})
    used = set(_links(root))
    for node in root.iter():
        node.tag = _local(node.tag)
        node.attrib = {_local(name): value for name, value in node.attrib.items()}
        if node.get("id") not in used:
            node.attrib.pop("id", None)
        node.attrib = {name: _rewrite(name, value, prefix) for name, value in node.attrib.items()}
        node.text = node.tail = None
    _inherit(root)
    width, height = (float(length) for length in root.attrib["viewBox"].split()[2:])
    parts = (ElementTree.tostring(child, encoding="unicode") for child in root)
    return Drawing(width, height, Markup("".join(parts)))


def _local(name: str) -> str:
    """Return a name without its namespace, which HTML implies."""
    return name.rpartition("}")[2]


def _remove(root: ElementTree.Element, names: set[str]) -> None:
    for parent in list(root.iter()):
        for child in list(parent):
            if _local(child.tag) in names:
                parent.remove(child)


def _links(root: ElementTree.Element):
    """Yield the ids that something refers to."""
    for node in root.iter():
        for name, value in node.attrib.items():
            if _local(name) == "href" and value.startswith("#"):
                yield value[1:]
            yield from _LINK.findall(value)


def _rewrite(name: str, value: str, prefix: str) -> str:
    if name == "id":
        return f"{prefix}-{value}"
    if name == "href" and value.startswith("#"):
        return f"#{prefix}-{value[1:]}"
    if name in _COORDINATES:
        return _LONG_DECIMAL.sub(_shorten, " ".join(value.split()))
    return _LINK.sub(rf"url(#{prefix}-\1)", value)


def _shorten(found: re.Match) -> str:
    """Return a number to a hundredth, without zeros at its end."""
    text = f"{float(found[0]):.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _inherit(root: ElementTree.Element) -> None:
    """Write the style of marks that all look alike once, at what holds them."""
    for parent in root.iter("g"):
        styles = {child.get("style") for child in parent}
        if len(parent) < 2 or len(styles) > 1 or parent.get("style") is not None:
            continue
        style = styles.pop()
        if style is not None and _is_inherited(style):
            parent.set("style", style)
            for child in parent:
                del child.attrib["style"]


def _is_inherited(style: str) -> bool:
    """Return whether a style has only what a group hands down unchanged: opacity it would apply as a whole."""
    names = {declaration.partition(":")[0].strip() for declaration in style.split(";")}
    return names <= {"fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-linejoin"} - {""}
