"""The one-line summary of a regime, filled in from the configuration that was run."""

from collections.abc import Collection, Mapping
from string import Formatter

from experiments.core.experiment import Regime


def summarise_regime(regime: Regime, configuration: Mapping[str, object], varied: Collection[str] = ()) -> str:
    """Return the summary of a regime, with placeholders such as ``{per_class}`` replaced by values.

    Args:
        regime: the regime.
        configuration: the values that were run, by field name.
        varied: fields with several values, for which the text says "several".
    """
    names = {name for _, name, _, _ in Formatter().parse(regime.summary) if name}
    values = {name: "several" if name in varied else _words(configuration.get(name, "")) for name in names}
    return regime.summary.format_map(values)


def _words(value: object) -> str:
    """Return a value as prose, with "Zipf" capitalised."""
    return str(value).replace("zipf", "Zipf")
