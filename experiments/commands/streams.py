"""Streams that tolerate failed output, to a closed pipe or a full device, so that a command completes its work."""

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from typing import TextIO

from simlab.validation import first_line


class Stream:
    """A text stream that discards output after its first error.

    Attributes:
        error: the first write error; None if there was none.
    """

    def __init__(self, stream: TextIO | None):
        self._stream = stream or open(os.devnull, "w")  # noqa: SIM115 - a closed descriptor, as in "simlab list >&-"
        self.error: OSError | None = None

    def __getattr__(self, name: str):
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write a text, or discard it after an earlier error."""
        if self.error is None:
            try:
                self._stream.write(text)
            except OSError as error:
                self._fail(error)
        return len(text)

    def flush(self) -> None:
        """Flush the buffer."""
        if self.error is None:
            try:
                self._stream.flush()
            except OSError as error:
                self._fail(error)

    def _fail(self, error: OSError) -> None:
        """Keep the error, and discard the rest of the buffer, which Python would flush at exit."""
        self.error = error
        with suppress(OSError):  # a stream without a file descriptor
            descriptor = self._stream.fileno()
            devnull = os.open(os.devnull, os.O_WRONLY)
            os.dup2(devnull, descriptor)
            os.close(devnull)


def _show_warning(message, category, filename, lineno, file=None, line=None) -> None:
    """Print the warning of a library in one line, except ``RuntimeWarning``: results and status show overflows."""
    if not issubclass(category, RuntimeWarning):
        print(f"simlab: warning: {first_line(message)}", file=sys.stderr)


@contextmanager
def kept_going() -> Iterator[Stream]:
    """Replace stdout and stderr by a :class:`Stream` each; yield that of stdout, and flush both at the end."""
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
