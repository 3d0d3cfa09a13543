"""What an alarm is blamed on: the features out of their own bounds, the furthest first."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.drift.alarm import ALL, Alarm
from harness.drift.monitors.csi import NAME as CSI
from harness.drift.monitors.repeats import NAME as REPEATS
from harness.drift.monitors.rule_hits import NAME as RULE_HITS

BLAMED_MAX = 10
NAMED_IN_WORDS = 5


@dataclass(frozen=True, slots=True)
class Blamed:
    """A feature, its index, the threshold above which it stands, and of which group."""

    feature: str
    value: float
    threshold: float
    group: str


def blame(alarms: Iterable[Alarm], most: int = BLAMED_MAX) -> tuple[Blamed, ...]:
    """The features of CSI alarms (a detector's `worst`), by how many times their threshold they reached; each once, of
    the group that shows it most."""
    ranked: dict[str, Blamed] = {}
    for alarm in sorted((alarm for alarm in alarms if alarm.monitor == CSI), key=lambda alarm: -alarm.excess):
        ranked.setdefault(alarm.name, Blamed(alarm.name, alarm.value, alarm.threshold, alarm.group))
    return tuple(ranked.values())[:most]


def in_words(alarms: Sequence[Alarm]) -> str:
    """One line for a person: the features that moved, else the rules, else what was seen at all."""
    if not alarms:
        return "no alarm"
    features = [
        f"{found.feature} (CSI {found.value:.2f}, threshold {found.threshold:.2f}"
        f"{'' if found.group == ALL else f', {found.group}'})"
        for found in blame(alarms, NAMED_IN_WORDS)
    ]
    parts = ["features moved: " + ", ".join(features)] if features else []
    if any(alarm.monitor == REPEATS for alarm in alarms):
        parts.append("events come again under new ids")
    rules = sorted((alarm for alarm in alarms if alarm.monitor == RULE_HITS), key=lambda alarm: -alarm.excess)
    if rules:
        parts.append("rules: " + ", ".join(dict.fromkeys(alarm.why for alarm in rules[:NAMED_IN_WORDS])))
    return "; ".join(parts) or "; ".join(dict.fromkeys(alarm.why for alarm in alarms[:NAMED_IN_WORDS]))
