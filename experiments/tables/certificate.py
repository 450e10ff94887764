"""The line on a certificate: how far a value is from its global minimum at most, and whether that says much."""

LOOSE = 0.05  # of the value: a larger gap certifies little


def certificate_word(gap: float, value: float) -> str:
    """Return whether a gap certifies a value or is a loose bound on it."""
    return "loose bound" if gap > LOOSE * abs(value) else "certified"


def gap_share(gap: float, value: float) -> str:
    """Return a gap in per cent of its value, two digits."""
    return f"{100 * gap / abs(value):.2g} %" if value else "-"
