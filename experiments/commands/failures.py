"""Failures that show only while a command runs: too little memory, a missing device, files not written by simlab."""

from collections.abc import Iterator
from contextlib import contextmanager

from simlab.storage.results import RESULTS_FILE
from simlab.validation import first_line

# Parts of the messages of libraries when memory, address space or threads are exhausted.
_OUT_OF_MEMORY = (
    *("RESOURCE_EXHAUSTED", "can't start new thread", "Out of memory", "Cannot allocate memory"),
    "failed to map segment",
)


def describe_failure(error: Exception) -> str | None:
    """Return the message of an expected failure in one line, or None for any other error."""
    text = first_line(error)
    if isinstance(error, MemoryError):
        return text if "memory" in text or "bytes" in text else f"out of memory: {text or 'reduce the problem size'}"
    if any(sign in str(error) for sign in _OUT_OF_MEMORY):
        return f"out of memory: {text}"
    if text.startswith("Unable to initialize backend"):  # the platform that JAX_PLATFORMS names
        return f"JAX_PLATFORMS: {text}"
    return None


class UnreadableRun(ValueError):  # noqa: N818 - the state of a file
    """A saved run lacks data that its figures or tables need."""


@contextmanager
def drawing_of(*folders: str) -> Iterator[None]:
    """Report errors while saved runs are drawn in one line, as their files may not have been written by simlab.

    Raises:
        UnreadableRun: a variable, a dimension or an attribute is missing or is not what simlab writes.
    """
    try:
        yield
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        text = str(error)
        if isinstance(error, ValueError) and ": expected " in text and "\n" not in text:
            raise UnreadableRun(text) from error
        names = ", ".join(folders)
        reason = f"{type(error).__name__}: {first_line(error)[:200]}"
        wanted = f"folder: expected a {RESULTS_FILE} with all variables and attributes of its figures and tables"
        raise UnreadableRun(f"{wanted}, got {names!r} ({reason})") from error
