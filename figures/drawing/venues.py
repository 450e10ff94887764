"""Width and typeface of figures for a venue, from its LaTeX style file."""

from typing import Any, NamedTuple


class Venue(NamedTuple):
    """The figure settings of a venue.

    Attributes:
        width: width of the text, inches.
        family: a typeface that matplotlib includes.
        mathematics: the matching font set for mathematics.
    """

    width: float
    family: str
    mathematics: str

    @property
    def settings(self) -> dict[str, Any]:
        """The matplotlib settings that differ from the house style."""
        return {"font.family": self.family, "mathtext.fontset": self.mathematics}


# STIX replaces Times, and also Computer Modern, which in matplotlib has Latin letters only.
VENUES = {
    "neurips": Venue(5.5, "STIXGeneral", "stix"),
    "icml": Venue(6.75, "STIXGeneral", "stix"),  # both columns
    "iclr": Venue(5.5, "STIXGeneral", "stix"),
    "jmlr": Venue(6.0, "STIXGeneral", "stix"),
    "beamer": Venue(5.5, "DejaVu Sans", "dejavusans"),  # 160 mm minus margins of 10 mm
}
