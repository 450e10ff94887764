"""A page that fetches nothing: its style sheet holds all styles, and a policy allows no other."""

import html
import re
from base64 import b64encode
from hashlib import sha256

from experiments.report.markup import Markup, element
from experiments.report.style import STYLE

# ``style-src`` is the hash of the style sheet. Images in ``data:`` addresses are parts of figures and the empty icon.
_POLICY = "default-src 'none'; style-src 'sha256-{hash}'; img-src data:; base-uri 'none'; form-action 'none'"
# Quotes are escaped in texts and in values of attributes, so this matches attributes only.
_STYLE_ATTRIBUTE = re.compile(r' style="([^"]*)"')


def make_document(heading: str, *content: Markup) -> str:
    """Return a whole page as HTML.

    Args:
        heading: what a browser shows as the name of the page.
        content: of its body.
    """
    body, rules = move_styles(element("body", *content))
    return f"<!DOCTYPE html>\n{element('html', _head(heading, Markup(STYLE + rules)), body, lang='en')}\n"


def navigation(*entries: Markup) -> Markup:
    """Return the links of a page: a list beside the text, which a narrow screen shows on demand."""
    shown = element("details", element("summary", element("h2", "Contents")), element("ol", *entries))
    return element("nav", shown, aria_label="Contents")


def move_styles(body: Markup) -> tuple[Markup, str]:
    """Return a body without ``style`` attributes, and the rules of a style sheet that stand in for them.

    A policy that allows a style sheet by its hash forbids ``style`` attributes. Elements of equal style share one rule.
    """
    names: dict[str, str] = {}

    def name_of(match: re.Match) -> str:
        return f' data-s="{names.setdefault(match[1], str(len(names)))}"'

    without = _STYLE_ATTRIBUTE.sub(name_of, body)
    return Markup(without), "".join(f'[data-s="{name}"]{{{html.unescape(style)}}}\n' for style, name in names.items())


def _head(heading: str, style: Markup) -> Markup:
    policy = _POLICY.format(hash=b64encode(sha256(style.encode()).digest()).decode())
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", heading),
        element("link", rel="icon", href="data:,"),
        element("style", style),
    )
