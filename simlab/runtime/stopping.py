"""Ending a run on SIGTERM and SIGINT.

SIGINT ends the run at once. SIGTERM, which a cluster sends before it reclaims a node, ends it as soon as the state is
saved, or at once where there is nothing to save. Both are certain to end the process: an exception swallowed by a
callback of the compiler's runtime is raised again, and if no Python code runs within the grace period, as during one
long call of a compiled program, the process exits without it.
"""

import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar

# Seconds after SIGTERM or SIGINT within which the process ends, and seconds after which the exception is raised again.
GRACE = 20.0
_AGAIN = 1.0

ADVICE = "the same command resumes from the saved state"


class Terminated(BaseException):
    """The process received SIGTERM and has saved its state; like ``KeyboardInterrupt`` this is not an ``Exception``."""


class _Request:
    """A request to end the process: the signal received, and whether it is deferred."""

    def __init__(self, grace: float):
        self.grace = grace
        self.received: int | None = None
        self.is_closed = False
        self._n_deferring, self._lock = 0, threading.Lock()
        self._receiver, self._sender = socket.socketpair()
        self._receiver.setblocking(False)
        self._sender.setblocking(False)

    @property
    def is_deferred(self) -> bool:
        """Whether a thread has a state to save first."""
        return self._n_deferring > 0

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Defer SIGTERM within this context, which several threads may enter."""
        with self._lock:
            self._n_deferring += 1
        try:
            yield
        finally:
            with self._lock:
                self._n_deferring -= 1

    def handle(self, number: int, frame: object) -> None:
        """Raise in the main thread, unless the signal is SIGTERM and deferred until the state is saved."""
        self.received = number
        if not self.is_closed and not (number == signal.SIGTERM and self.is_deferred):
            self.end()

    def end(self) -> None:
        """Raise the exception that ends the run."""
        raise KeyboardInterrupt if self.received == signal.SIGINT else Terminated

    def watch(self) -> None:
        """Resend a received signal until the run has ended, and exit the process after the grace period.

        Runs in a separate thread, which receives signals even while the main thread is in one long call.
        """
        number, deadline = 0, 0.0
        while True:
            ready, _, _ = select.select([self._receiver], [], [], _AGAIN if number else None)
            sent = self._receiver.recv(64) if ready else b""
            if self.is_closed:
                self._receiver.close()
                return
            for candidate in sent:
                if candidate in (signal.SIGINT, signal.SIGTERM):
                    deadline = deadline if number else time.monotonic() + self.grace
                    number = candidate
            if number and time.monotonic() > deadline:
                os.write(
                    sys.stderr.fileno(), f"simlab: ended within {self.grace:g} s of the signal; {ADVICE}\n".encode()
                )
                os._exit(128 + number)
            if number and not ready:
                signal.pthread_kill(threading.main_thread().ident or 0, number)

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Handle SIGINT and SIGTERM within the context."""
        before = {number: signal.signal(number, self.handle) for number in (signal.SIGINT, signal.SIGTERM)}
        descriptor = signal.set_wakeup_fd(self._sender.fileno(), warn_on_full_buffer=False)
        threading.Thread(target=self.watch, name="signals", daemon=True).start()
        try:
            yield
        finally:
            self.is_closed = True
            signal.set_wakeup_fd(descriptor)
            with suppress(OSError):  # the watcher may have closed the socket already
                self._sender.send(b"\0")
            self._sender.close()
            for number, handler in before.items():
                signal.signal(number, handler)


_REQUEST: ContextVar[_Request | None] = ContextVar("request", default=None)


@contextmanager
def ending_on_signals(grace: float = GRACE) -> Iterator[None]:
    """End the code in this context on SIGINT or SIGTERM, within ``grace`` seconds.

    Outside the main thread, which alone receives signals, the context has no effect.

    Raises:
        KeyboardInterrupt: on SIGINT.
        Terminated: on SIGTERM.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    request = _Request(grace)
    token = _REQUEST.set(request)
    try:
        with request.installed():
            yield
            if request.received is not None:  # swallowed at the very end
                request.end()
    finally:
        _REQUEST.reset(token)


@contextmanager
def saving_first() -> Iterator[None]:
    """Defer SIGTERM within this context, until it ends or :func:`end_if_asked` is called."""
    request = _REQUEST.get()
    if request is None:
        yield
        return
    with request.deferred():
        yield
    end_if_asked()


def is_asked_to_end() -> bool:
    """Return whether SIGINT or SIGTERM has been received."""
    request = _REQUEST.get()
    return request is not None and request.received is not None


def end_if_asked() -> None:
    """Raise ``Terminated`` or ``KeyboardInterrupt`` if SIGTERM or SIGINT has been received."""
    request = _REQUEST.get()
    if request is not None and request.received is not None:
        request.end()
