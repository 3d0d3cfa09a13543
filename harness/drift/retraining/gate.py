"""What a gate says of a candidate, and an answer as a whole: the rows of results.json's `drift.answers`."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

Outcome = Literal["full", "rolled-back", "under-way"]


class GateResult(msgspec.Struct, frozen=True, kw_only=True):
    """One gate passed or not, at which event time, why in words, and the figures it went by (`evidence`)."""

    gate: str
    passed: bool
    event_time_ns: int
    why: str
    evidence: dict[str, Any]


class PhaseBegun(msgspec.Struct, frozen=True, kw_only=True):
    """A phase of the rollout, and the event time from which on events belong to it."""

    phase: str
    from_event_time_ns: int
    share: float | None = None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt to answer a drift: `alarms` are what it answers, `trained` says on what the candidate was trained.
    `outcome` under-way: the stream ended first. `stopped_by` is the gate that stopped it."""

    attempt: int
    event_time_ns: int
    alarms: list[dict[str, Any]]
    champion: str
    candidate: str | None
    trained: Mapping[str, Any]
    gates: list[GateResult]
    phases: list[PhaseBegun]
    outcome: Outcome
    stopped_by: str | None = None
