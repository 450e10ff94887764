"""Output that cannot be written, to a closed pipe or a full device, does not stop the work of a command."""

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from typing import TextIO

from simlab.validation import first_line


class Stream:
    """A text stream that is silent from its first error on.

    Attributes:
        error: the first error of writing; None while all goes well.
    """

    def __init__(self, stream: TextIO | None):
        self._stream = stream or open(os.devnull, "w")  # noqa: SIM115 - a closed descriptor, as in "simlab list >&-"
        self.error: OSError | None = None

    def __getattr__(self, name: str):
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write a text, unless an earlier one could not be written."""
        if self.error is None:
            try:
                self._stream.write(text)
            except OSError as error:
                self._fail(error)
        return len(text)

    def flush(self) -> None:
        """Hand on what is in the buffer."""
        if self.error is None:
            try:
                self._stream.flush()
            except OSError as error:
                self._fail(error)

    def _fail(self, error: OSError) -> None:
        """Keep the error; what is left in the buffer goes nowhere, also where Python flushes it at exit."""
        self.error = error
        with suppress(OSError):  # no stream of the operating system's
            descriptor = self._stream.fileno()
            devnull = os.open(os.devnull, os.O_WRONLY)
            os.dup2(devnull, descriptor)
            os.close(devnull)


def _show_warning(message, category, filename, lineno, file=None, line=None) -> None:
    """Print the warning of a library in one line; none of a number that overflows, which results and status tell."""
    if not issubclass(category, RuntimeWarning):
        print(f"simlab: warning: {first_line(message)}", file=sys.stderr)


@contextmanager
def kept_going() -> Iterator[Stream]:
    """Let stdout and stderr be such streams for a while; yield that of stdout, and flush both at the end."""
    output, messages = Stream(sys.stdout), Stream(sys.stderr)
    show = warnings.showwarning
    with redirect_stdout(output), redirect_stderr(messages):  # pyright: ignore[reportArgumentType]
        warnings.showwarning = _show_warning
        try:
            yield output
        finally:
            warnings.showwarning = show
            output.flush()
            messages.flush()
