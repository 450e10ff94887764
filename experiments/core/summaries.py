"""A line on a regime, made from the configuration that was run and not from the one that the paper has."""

from collections.abc import Collection, Mapping
from string import Formatter

from experiments.core.experiment import Regime


def summarise_regime(regime: Regime, configuration: Mapping[str, object], varied: Collection[str] = ()) -> str:
    """Return the summary of a regime with the values of its fields, as ``{per_class}``, filled in.

    Args:
        regime: whose summary it is.
        configuration: the values that were run, by the name of the field.
        varied: fields that took several values, which are "several".
    """
    names = {name for _, name, _, _ in Formatter().parse(regime.summary) if name}
    values = {name: "several" if name in varied else _words(configuration.get(name, "")) for name in names}
    return regime.summary.format_map(values)


def _words(value: object) -> str:
    """Return a value as a reader writes it: the name of a law with its capital."""
    return str(value).replace("zipf", "Zipf")
