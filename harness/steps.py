"""Says what is being done while it is done, and how long it took; every step of a run is one of these."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

Say = Callable[[str], None]


class Steps:
    """Announces steps on a console: a spinner with the time on a terminal, a line each elsewhere."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self.console = console
        self._clock = clock

    @contextmanager
    def step(self, title: str) -> Iterator[Say]:
        """A step; call what it yields with a detail to show it."""
        begun = self._clock()
        if self.console.is_terminal:
            with self.console.status(f"{title} …") as status:
                yield lambda detail: status.update(f"{title}: {detail} …")
        else:
            self.console.print(f"{title} …", highlight=False, soft_wrap=True)
            yield lambda detail: None
        self.console.print(f"[green]✓[/] {title} ({self._clock() - begun:.1f} s)", highlight=False, soft_wrap=True)

    def note(self, text: str) -> None:
        """A line to remember."""
        self.console.print(text, highlight=False, soft_wrap=True)

    def warn(self, text: str) -> None:
        """Something the figures depend on."""
        self.console.print(f"[yellow]![/] {text}", highlight=False, soft_wrap=True)
