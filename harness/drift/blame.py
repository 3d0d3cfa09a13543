"""What an alarm is blamed on: the features out of their own bounds, the furthest first."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.drift.alarm import ALL, Alarm
from harness.drift.monitors.bad_features import NAME as BAD_FEATURES
from harness.drift.monitors.csi import NAME as CSI
from harness.drift.monitors.feature_means import NAME as MEANS
from harness.drift.monitors.repeats import NAME as REPEATS
from harness.drift.monitors.rule_hits import NAME as RULE_HITS

MEASURES = {CSI: "CSI", MEANS: "mean rank moved by", BAD_FEATURES: "mean rank of bad events moved by"}
"""What the monitors of features say of one, in words."""
BLAMED_MAX = 15
"""Two drifts at once move two families of features."""
NAMED_IN_WORDS = 5


@dataclass(frozen=True, slots=True)
class Blamed:
    """A feature, its value, the threshold above which it stands, of which group, and which monitor says so."""

    feature: str
    value: float
    threshold: float
    group: str
    monitor: str = CSI


def blame(alarms: Iterable[Alarm], most: int = BLAMED_MAX) -> tuple[Blamed, ...]:
    """The features of alarms about features (a detector's `worst`), by how many times their threshold they reached;
    each once, of the monitor and the group that show it most."""
    ranked: dict[str, Blamed] = {}
    for alarm in sorted((alarm for alarm in alarms if alarm.monitor in MEASURES), key=lambda alarm: -alarm.excess):
        ranked.setdefault(alarm.name, Blamed(alarm.name, alarm.value, alarm.threshold, alarm.group, alarm.monitor))
    return tuple(ranked.values())[:most]


def in_words(alarms: Sequence[Alarm]) -> str:
    """One line for a person: the features that moved, else the rules, else what was seen at all."""
    if not alarms:
        return "no alarm"
    features = [
        f"{found.feature} ({MEASURES[found.monitor]} {found.value:.2f}, threshold {found.threshold:.2f}"
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
