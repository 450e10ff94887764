"""Failures that show only while a command runs: too little memory, a missing device, files not written by simlab."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from simlab.storage.manifest import OtherSweep
from simlab.storage.results import RESULTS_FILE
from simlab.validation import first_line

Action = Callable[[], int]

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


def attempt(prepare: Callable[[], Action]) -> tuple[int, str | None]:
    """Prepare an action and carry it out.

    Args:
        prepare: checks the input and returns the action.

    Returns:
        The exit status, and in one line what kept the action from being done; None if nothing did.
    """
    begun = False
    try:
        action = prepare()
        begun = True
        return action(), None
    except (OtherSweep, UnreadableRun) as error:
        return 2, str(error)
    except ValueError as error:
        if begun and not isinstance(error, OSError):  # input is checked before: this is a fault of simlab's
            raise
        return 1 if begun else 2, str(error)
    except ArithmeticError as error:  # a solver that did not converge
        return 1, first_line(error)
    except OSError as error:
        return 1 if begun else 2, _describe_os_error(error)
    except (MemoryError, RuntimeError, ImportError) as error:
        line = describe_failure(error)
        if line is None:
            raise
        return 1, line
    except KeyboardInterrupt:
        return 130, "interrupted"


def _describe_os_error(error: OSError) -> str:
    """Return what the operating system did not do, and with which file."""
    if error.strerror is None:
        return first_line(error)
    return error.strerror if error.filename is None else f"{error.filename!r}: {error.strerror}"
