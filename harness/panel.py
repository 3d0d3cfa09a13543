"""What the person sees while the stream runs: a live panel on a terminal, a plain line every five seconds elsewhere."""

from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, Group
from rich.live import Live as RichLive
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

LINE_EVERY_S = 5.0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The stream at one moment. Rates in events/s over the last second; percentiles over the same second."""

    title: str
    elapsed_s: float
    planned_s: float
    events: int
    sent: int
    answered: int
    rate_per_s: float
    p50_ms: float
    p99_ms: float
    by_path: dict[str, int]
    duplicated: int
    overdue: int
    lag: int
    breaker: str | None

    @property
    def shares(self) -> str:
        """Share of decisions by path."""
        total = sum(self.by_path.values()) or 1
        return " · ".join(f"{path} {count / total:.1%}" for path, count in self.by_path.items())


class Display(Protocol):
    """Shows snapshots for as long as its context lasts."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None: ...
    def show(self, snapshot: Snapshot) -> None: ...


class PlainLines:
    """One line every five seconds of the stream."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._next_s = LINE_EVERY_S

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        return None

    def show(self, snapshot: Snapshot) -> None:
        """Write a line when it is time."""
        if snapshot.elapsed_s < self._next_s:
            return
        self._next_s = snapshot.elapsed_s - snapshot.elapsed_s % LINE_EVERY_S + LINE_EVERY_S
        self._console.print(
            f"{snapshot.title}: {snapshot.elapsed_s:.0f}/{snapshot.planned_s:.0f} s, "
            f"{snapshot.rate_per_s:,.0f} decisions/s, P50 {snapshot.p50_ms:.1f} ms, P99 {snapshot.p99_ms:.1f} ms, "
            f"{snapshot.shares}, breaker {snapshot.breaker or '-'}, lag {snapshot.lag:,}, "
            f"sent {snapshot.sent:,}, answered {snapshot.answered:,}, overdue {snapshot.overdue:,}",
            highlight=False,
            soft_wrap=True,
        )


def _figures(snapshot: Snapshot) -> Table:
    table = Table.grid(padding=(0, 3))
    for _ in range(4):
        table.add_column(no_wrap=True)
    breaker = Text(snapshot.breaker or "-", style="bold green" if snapshot.breaker in {None, "closed"} else "bold red")
    lost = Text(f"{snapshot.overdue:,}", style="bold red" if snapshot.overdue else "bold")
    table.add_row("rate", f"[bold]{snapshot.rate_per_s:,.0f}[/]/s", "sent", f"[bold]{snapshot.sent:,}[/]")
    table.add_row("P50", f"[bold]{snapshot.p50_ms:.1f}[/] ms", "answered", f"[bold]{snapshot.answered:,}[/]")
    table.add_row("P99", f"[bold]{snapshot.p99_ms:.1f}[/] ms", "lost so far", lost)
    table.add_row("lag", f"[bold]{snapshot.lag:,}[/]", "breaker", breaker)
    return table


def render(snapshot: Snapshot) -> Panel:
    """The live panel."""
    done = min(snapshot.elapsed_s, snapshot.planned_s)
    bar = ProgressBar(total=max(snapshot.planned_s, 0.001), completed=max(done, 0.0), width=60)
    body = Group(bar, _figures(snapshot), Text(snapshot.shares, style="dim"))
    title = f"{snapshot.title}  {max(done, 0.0):.0f}/{snapshot.planned_s:.0f} s"
    return Panel(body, title=title, expand=False, border_style="cyan")


class LivePanel:
    """Redraws in place."""

    def __init__(self, console: Console) -> None:
        self._live = RichLive(console=console, refresh_per_second=4, transient=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._live.stop()

    def show(self, snapshot: Snapshot) -> None:
        """Redraw."""
        self._live.update(render(snapshot))


def display_for(console: Console) -> Display:
    """A live panel where it can be drawn, plain lines elsewhere."""
    return LivePanel(console) if console.is_terminal else PlainLines(console)
