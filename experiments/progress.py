"""Progress on stderr: bars on a terminal, plain lines in a log, nothing when told to be quiet."""

import sys
import time


class Quiet:
    """Reports nothing."""

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        return None

    def start(self, name: str, total: int) -> None:
        """Ignore the start of a regime."""

    def advance(self, done: int) -> None:
        """Ignore an advance."""

    def certify(self) -> None:
        """Ignore that training is done."""

    def finish(self) -> None:
        """Ignore the end of a regime."""


class Lines(Quiet):
    """Prints a line when a regime starts and ends, and every ``interval`` seconds between."""

    def __init__(self, interval: float = 10.0):
        self.interval = interval

    def start(self, name: str, total: int) -> None:
        """Begin a regime of ``total`` segments."""
        self.name, self.total = name, total
        self.started = self.printed = time.monotonic()
        print(f"{name}: compiling", file=sys.stderr, flush=True)

    def advance(self, done: int) -> None:
        """Print how far the regime has come, unless a line was printed a moment ago."""
        now = time.monotonic()
        if done < self.total and now - self.printed < self.interval:
            return
        self.printed = now
        elapsed = now - self.started
        left = elapsed * (self.total - done) / done
        share = 100 * done / self.total
        print(f"{self.name}: {share:.0f} %, {elapsed:.0f} s, {left:.0f} s left", file=sys.stderr, flush=True)

    def certify(self) -> None:
        """Say that exact minimum and certificate are being computed."""
        print(f"{self.name}: exact minimum and certificate", file=sys.stderr, flush=True)


class Bars(Quiet):
    """Draws one bar per regime."""

    def __enter__(self):
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description:<33}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
        self.bars = Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=Console(stderr=True))
        self.bars.start()
        return self

    def __exit__(self, *exception):
        self.bars.stop()

    def start(self, name: str, total: int) -> None:
        """Add the bar of a regime of ``total`` segments."""
        self.name = name
        self.bar = self.bars.add_task(name, total=total)

    def advance(self, done: int) -> None:
        """Move the bar."""
        self.bars.update(self.bar, completed=done)

    def certify(self) -> None:
        """Say beside the full bar that exact minimum and certificate are being computed."""
        self.bars.update(self.bar, description=f"{self.name} (certifying)")

    def finish(self) -> None:
        """Leave the bar with its name alone."""
        self.bars.update(self.bar, description=self.name)


def make_progress(*, quiet: bool) -> Quiet:
    """Return the reporter that fits stderr."""
    if quiet:
        return Quiet()
    return Bars() if sys.stderr.isatty() else Lines()
