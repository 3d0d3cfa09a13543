"""A fault given on the command line: a kind and KEY=VALUE, as an entry of a scenario's `faults`."""

from typing import Any

import yaml

from harness.faults.kinds import KINDS
from harness.scenario import Scenario
from streams.errors import BadInputError

LEAD_S = 10.0
"""From the end of the warm-up to the fault, unless said otherwise: so long it is seen how things are without it."""
REST_S = 25.0
"""From its end to the stream's: time to recover, and to see that it lasts."""


def fault_entry(kind: str, at_s: float, duration_s: float | None, options: list[str]) -> dict[str, Any]:
    """The entry. A key may be a path (`expect.recovered_s_max=20`), a value is read as YAML.

    Raises BadInputError for an unknown kind and for what is not KEY=VALUE; keys and values are checked with the
    scenario.
    """
    if kind not in KINDS:
        raise BadInputError(f"--fault {kind}: no such kind; known are {', '.join(KINDS)} (bench inject fraud --list)")
    entry: dict[str, Any] = {"kind": kind, "at_s": at_s}
    if duration_s is not None:
        entry["duration_s"] = duration_s
    for option in options:
        path, equals, text = option.partition("=")
        if not equals or not path:
            raise BadInputError(f"{option!r}: not KEY=VALUE; the keys of {kind}: {', '.join(own_keys(kind))}")
        try:
            value = yaml.safe_load(text)
        except (yaml.YAMLError, ValueError, RecursionError):
            raise BadInputError(f"{option!r}: the value cannot be read as YAML") from None
        *parents, last = path.split(".")
        place = entry
        for parent in parents:
            place = place.setdefault(parent, {})
            if not isinstance(place, dict):
                raise BadInputError(f"{option!r}: {parent} holds no keys")
        place[last] = value
    return entry


def own_keys(kind: str) -> list[str]:
    """A kind's keys, its own ones first."""
    fields = list(KINDS[kind].model_fields)
    shared = [name for name in ("duration_s", "at_s", "at_event_time", "abort", "expect") if name in fields]
    return [name for name in fields if name not in {*shared, "kind"}] + shared


def room_for(scenario: Scenario, at_s: float, duration_s: float) -> float:
    """Measured seconds that leave room for a fault and for what comes after it."""
    return max(scenario.load.duration_s or 0.0, at_s + duration_s + REST_S - scenario.load.warmup_s)
