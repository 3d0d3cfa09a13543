"""A scorer that somebody else starts and ends: what is said to whoever starts it, and how its joining is noticed."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from streams.brokers.groups import Holding
from streams.errors import RunInvalidError
from streams.topics import Topics

POLL_S = 0.5
QUIET_S = 2.0
"""Explanations have come to their end when none has come for so long."""
EXPLANATIONS_S = 45.0


class Holdings(Protocol):
    """Says who reads a topic: `streams.brokers.groups.Groups`."""

    def holding(self, topic: str) -> list[Holding]: ...


@dataclass(frozen=True, slots=True)
class Pace:
    """Clock (s, monotonic) and sleep of the waiting; `check` raises when the run cannot go on."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    check: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True)
class ExternalScorer:
    """Nothing is started: whoever answers on the topics is measured.

    It has joined when one consumer group holds every partition of the events topic; or, where `settle_s` is given (for
    a scorer that uses no group), after that time. `say` tells the person where the topics are and what is waited for.
    """

    settle_s: float | None
    join_within_s: float
    say: Callable[[str], None]
    accounts: Path | None = None
    """The file of the accounts that transfers are between; cards have none."""

    def introduce(self, topics: Topics, bootstrap_servers: str, partitions: int) -> None:
        """Say where the scorer has to read and write."""
        self.say(f"Kafka at {bootstrap_servers}; start your scorer on these topics ({partitions} partitions each):")
        self.say(f"  reads   {topics.events}")
        self.say(f"  writes  {topics.decisions}")
        free = [topics.explanations, topics.dead_letter, *([topics.alerts] if topics.domain == "aml" else [])]
        self.say(f"  (free)  {', '.join(free)}")
        if self.accounts is not None:
            self.say(f"Accounts, with whose they are: {self.accounts}")

    def await_joined(self, groups: Holdings, events: str, partitions: int, pace: Pace) -> str | None:
        """Wait until the scorer has joined; returns its group, None where time alone was waited for.

        Raises RunInvalidError when no group holds all of `events` within `join_within_s`.
        """
        if self.settle_s is not None:
            self.say(f"Waiting {self.settle_s:g} s for the scorer, then the stream begins …")
            _wait(self.settle_s, pace)
            return None
        self.say(
            f"Waiting for a consumer group that holds all {partitions} partitions of {events}, at most "
            f"{self.join_within_s:g} s …"
        )
        until, told = pace.clock() + self.join_within_s, ""
        while True:
            pace.check()
            holdings = groups.holding(events)
            for held in holdings:
                if len(held.partitions) >= partitions:
                    self.say(f"Group {held.group} has joined ({held.members} member(s)): the stream begins")
                    return held.group
            now = _partly(holdings, partitions)
            if now and now != told:
                self.say(f"So far: {now}")
            told = now
            if pace.clock() >= until:
                raise RunInvalidError(
                    f"no scorer joined within {self.join_within_s:g} s (scorer.join_within_s): no consumer group holds "
                    f"all {partitions} partitions of {events} ({now or 'none holds any'}); a scorer that uses no "
                    "consumer group is given time instead: --settle SECONDS"
                )
            pace.sleep(POLL_S)

    def await_explained(self, written: Callable[[], int], pace: Pace) -> None:
        """Explanations follow their decisions: wait until no more of them come. `written` counts them so far."""
        count = written()
        if count == 0:
            return
        until = pace.clock() + EXPLANATIONS_S
        while pace.clock() < until:
            _wait(QUIET_S, pace)
            before, count = count, written()
            if count == before:
                return
        self.say(f"! Explanations still came {EXPLANATIONS_S:g} s after the stream: the rest is not counted")


def _wait(seconds: float, pace: Pace) -> None:
    until = pace.clock() + seconds
    while (left := until - pace.clock()) > 0:
        pace.check()
        pace.sleep(min(POLL_S, left))


def _partly(holdings: list[Holding], partitions: int) -> str:
    return ", ".join(f"group {held.group} holds {len(held.partitions)} of {partitions}" for held in holdings)
