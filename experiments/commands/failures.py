"""What keeps a command from its work and is seen late: too little memory, no such device, files of others."""

from collections.abc import Iterator
from contextlib import contextmanager

from simlab.storage.results import RESULTS_FILE
from simlab.validation import first_line

# What libraries say where memory, address space or threads run out.
_OUT_OF_MEMORY = (
    *("RESOURCE_EXHAUSTED", "can't start new thread", "Out of memory", "Cannot allocate memory"),
    "failed to map segment",
)


def describe_failure(error: Exception) -> str | None:
    """Return an error in one line, or None for one that nobody expects."""
    text = first_line(error)
    if isinstance(error, MemoryError):
        return text if "memory" in text or "bytes" in text else f"out of memory: {text or 'ask for less at once'}"
    if any(sign in str(error) for sign in _OUT_OF_MEMORY):
        return f"out of memory: {text}"
    if text.startswith("Unable to initialize backend"):  # the platform that JAX_PLATFORMS names
        return f"JAX_PLATFORMS: {text}"
    return None


class UnreadableRun(ValueError):  # noqa: N818 - the state of a file
    """A saved run lacks what is to be drawn from it."""


@contextmanager
def drawing_of(*folders: str) -> Iterator[None]:
    """Turn what goes wrong while saved runs are drawn into one line: their files may have been written by anybody.

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
        wanted = f"folder: expected a {RESULTS_FILE} with all that its figures and tables show"
        raise UnreadableRun(f"{wanted}, got {names!r} ({reason})") from error
