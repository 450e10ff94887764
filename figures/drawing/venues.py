"""Width and typeface of figures for a venue: those of its LaTeX style file."""

from typing import Any, NamedTuple


class Venue(NamedTuple):
    """How a venue sets a figure.

    Attributes:
        width: of the text, inches.
        family: typeface, one that matplotlib brings.
        mathematics: the set of mathematical letters that goes with it.
    """

    width: float
    family: str
    mathematics: str

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of matplotlib that differ from the house style."""
        return {"font.family": self.family, "mathtext.fontset": self.mathematics}


# Times is set as STIX. So is Computer Modern, whose letters in matplotlib are Latin alone.
VENUES = {
    "neurips": Venue(5.5, "STIXGeneral", "stix"),
    "icml": Venue(6.75, "STIXGeneral", "stix"),  # both columns
    "iclr": Venue(5.5, "STIXGeneral", "stix"),
    "jmlr": Venue(6.0, "STIXGeneral", "stix"),
    "beamer": Venue(5.5, "DejaVu Sans", "dejavusans"),  # 160 mm less margins of 10 mm
}
