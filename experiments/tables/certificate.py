"""Words on a certificate: the bound on the distance from the global minimum, and whether it is tight."""

LOOSE = 0.05  # fraction of the value beyond which a gap is a loose bound


def certificate_word(gap: float, value: float) -> str:
    """Return whether a gap certifies a value or is a loose bound on it."""
    return "loose bound" if gap > LOOSE * abs(value) else "certified"


def gap_share(gap: float, value: float) -> str:
    """Return a gap in per cent of its value, with two significant digits."""
    return f"{100 * gap / abs(value):.2g} %" if value else "-"
