"""How the monitors look at a stream: blocks of event time, windows made of them, and how sure an alarm has to be."""

from dataclasses import dataclass

from streams.labels import NS_PER_DAY, NS_PER_HOUR

BLOCK_HOURS = 3
BLOCK_NS = BLOCK_HOURS * NS_PER_HOUR
BLOCKS_PER_DAY = 24 // BLOCK_HOURS
BLOCKS_PER_WEEK = 7 * BLOCKS_PER_DAY


@dataclass(frozen=True, slots=True)
class Settings:
    """The defaults raise nothing on a stable stream of some thousand events a day.

    `burn_in_weeks`: whole weeks of the stream's own beginning that show what its windows look like without drift; at
    least two, so that one can be held against the other. `limit_short` and `limit_week`: what an index of a day, and of
    a week, must exceed in any case (the convention's alarm and warning: a week has a seventh of a day's noise).
    `margin`: times what the burn-in showed at most. `false_alarms`: expected number over `looks` looks at everything
    that is watched, by chance alone. `events_min`: fewer in a window are not judged. `settled_days`: a key not seen in
    the burn-in is a newcomer for so long: growth is no drift.
    """

    burn_in_weeks: int = 2
    limit_short: float = 0.25
    limit_week: float = 0.1
    margin: float = 5.0
    false_alarms: float = 0.001
    looks: int = 1_000
    events_min: int = 500
    settled_days: int = 28
    sample_events: int = 5_000

    def __post_init__(self) -> None:
        """Two weeks are the least: what a week looks like is only known by another."""
        if self.burn_in_weeks < 2:
            raise ValueError(f"burn_in_weeks is {self.burn_in_weeks}; at least 2 are needed")

    @property
    def burn_in_blocks(self) -> int:
        """Length of the burn-in in blocks."""
        return self.burn_in_weeks * BLOCKS_PER_WEEK

    @property
    def burn_in_ns(self) -> int:
        """Length of the burn-in in event time."""
        return self.burn_in_weeks * 7 * NS_PER_DAY

    def chance(self, watched: int) -> float:
        """Probability that one look at one of `watched` things may exceed its threshold by chance (Bonferroni)."""
        return self.false_alarms / (max(1, watched) * self.looks)
