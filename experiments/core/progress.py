"""Progress on stderr: a bar on a terminal, plain lines in a log, nothing in quiet mode."""

import sys
import time


class Quiet:
    """Reports nothing."""

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        return None

    def start(self, n_steps: int, n_members: int) -> None:
        """Ignore the start of a sweep."""

    def advance(self, steps: int, members: int) -> None:
        """Ignore an advance."""

    def say(self, text: str, *, at_once: bool = False) -> None:
        """Ignore a message."""

    def warn(self, text: str) -> None:
        """Print a warning, even in quiet mode."""
        print(f"simlab: {text}", file=sys.stderr, flush=True)


class _Pace:
    """Steps per second since the start, and the remaining seconds at that pace."""

    def __init__(self, n_steps: int):
        self.n_steps, self.started = n_steps, time.monotonic()
        self.first: int | None = None
        self.per_second = 0.0

    def update(self, steps: int) -> None:
        if self.first is None:
            # Steps of an interrupted earlier run do not count for the pace of this one.
            self.first = steps
            self.started = time.monotonic()
            return
        elapsed = time.monotonic() - self.started
        self.per_second = (steps - self.first) / elapsed if elapsed > 0 else 0.0

    def left(self, steps: int) -> float:
        return (self.n_steps - steps) / self.per_second if self.per_second else float("inf")

    def describe(self, steps: int) -> str:
        if not self.per_second:
            return ""
        return f"{self.per_second:,.0f} steps/s, {format_seconds(self.left(steps))} left"


def format_seconds(seconds: float) -> str:
    """Return a duration in seconds, minutes or hours."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 6000:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


class Lines(Quiet):
    """Prints a line when a sweep starts and ends, and every ``interval`` seconds between."""

    def __init__(self, interval: float = 10.0):
        self.interval = interval
        self.printed = 0.0

    def start(self, n_steps: int, n_members: int) -> None:
        """Start a sweep with ``n_steps`` over all members together."""
        self.n_steps, self.n_members = n_steps, n_members
        self.pace, self.finished = _Pace(n_steps), False
        self._print(f"{n_members} member{'s' if n_members > 1 else ''}, {n_steps:,} steps: compiling")

    def advance(self, steps: int, members: int) -> None:
        """Print the progress of the sweep, unless a line was printed less than ``interval`` seconds ago."""
        self.pace.update(steps)
        finished = members == self.n_members and not self.finished
        if not finished and time.monotonic() - self.printed < self.interval:
            return
        self.finished = members == self.n_members
        share = 100 * steps / self.n_steps
        pace = self.pace.describe(steps)
        self._print(f"{share:.0f} %, {members} of {self.n_members} members done{', ' if pace else ''}{pace}")

    def say(self, text: str, *, at_once: bool = False) -> None:
        """Print a message; without ``at_once``, only if ``interval`` seconds have passed since the last line."""
        if at_once or time.monotonic() - self.printed >= self.interval:
            self._print(text)

    def _print(self, text: str) -> None:
        self.printed = time.monotonic()
        print(text, file=sys.stderr, flush=True)


class Bar(Quiet):
    """Draws one bar for the whole sweep."""

    def __enter__(self):
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("{task.percentage:>3.0f} %"), BarColumn(), TextColumn("{task.description}"))
        self.bars = Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True))
        self.bars.start()
        return self

    def __exit__(self, *exception):
        self.bars.stop()

    def start(self, n_steps: int, n_members: int) -> None:
        """Add the bar of a sweep."""
        self.n_members = n_members
        self.pace = _Pace(n_steps)
        self.bar = self.bars.add_task(f"0/{n_members} members, compiling", total=n_steps)

    def advance(self, steps: int, members: int) -> None:
        """Move the bar."""
        self.pace.update(steps)
        text = f"{members}/{self.n_members} members  {self.pace.describe(steps)}"
        self.bars.update(self.bar, completed=steps, description=text)

    def warn(self, text: str) -> None:
        """Print a warning above the bar."""
        self.bars.console.print(f"simlab: {text}", markup=False, highlight=False, soft_wrap=True)

    def say(self, text: str, *, at_once: bool = False) -> None:
        """Show a message beside the bar."""
        self.bars.update(self.bar, description=text)


def make_progress(*, quiet: bool) -> Quiet:
    """Return a reporter: none in quiet mode, a bar on a terminal, lines elsewhere."""
    if quiet:
        return Quiet()
    return Bar() if sys.stderr.isatty() else Lines()


def show_line(text: str) -> None:
    """Overwrite the current line of a terminal; an empty text clears it. Elsewhere, print nothing."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}"[:110], end="", file=sys.stderr, flush=True)
