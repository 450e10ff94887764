"""Escaping of text in a saved dataset, which others may have written, so that it is never parsed as mathematics."""

import numpy as np


def without_mathematics(dataset):
    """Return the dataset with escaped dollar signs in coordinates and attributes, so that they are drawn literally."""
    coordinates = {
        name: (array.dims, np.vectorize(_escape_object, otypes=[object])(array.values), array.attrs)
        for name, array in dataset.coords.items()
        if array.dtype.kind in "OU" and any("$" in str(value) for value in array.values.ravel())
    }
    attributes = {name: _escape_attribute(value) for name, value in dataset.attrs.items()}
    if not coordinates and attributes == dict(dataset.attrs):
        return dataset
    return dataset.assign_coords(coordinates).assign_attrs(attributes)


def _escape_object(value: object) -> object:
    return value.replace("$", r"\$") if isinstance(value, str) else value


def _escape_attribute(value: object) -> object:
    """Return an attribute with its dollar signs escaped; in JSON the backslash is escaped as well."""
    if not isinstance(value, str) or "$" not in value:
        return value
    return value.replace("$", r"\\$" if value[:1] in '{["' else r"\$")
