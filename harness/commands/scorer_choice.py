"""Whose scorer a run measures, and which options then have no meaning: they are refused, not passed over."""

import re
from collections.abc import Mapping
from typing import Any

from harness.scenario import Scenario
from streams.errors import BadInputError

_PREFIX = re.compile(r"[A-Za-z0-9._-]{1,200}")
"""Kafka allows names of 249 characters; the topics' own endings and the floor's need the rest."""


def refuse_for_others(kind: str | None, command: str | None, ours: Mapping[str, Any]) -> None:
    """Raise BadInputError for options that speak of our scorer (`ours`: by option, None where not given) where another
    one is measured."""
    if kind is not None and command is not None:
        raise BadInputError(f"--scorer {kind} and --scorer-command name two scorers: give one of the two")
    if kind != "external" and command is None:
        return
    other = "--scorer external" if command is None else "--scorer-command"
    for option, value in ours.items():
        if value is not None:
            raise BadInputError(f"{option} is of our own scorer, {other} measures another one: give one of the two")


def refuse_settle_for_ours(scenario: Scenario, settle_s: float | None) -> None:
    """Raise BadInputError for --settle where the scorer says by itself when it is ready."""
    scorer = scenario.scorer
    if settle_s is None or scorer.kind == "external":
        return
    if scorer.command is None:
        raise BadInputError("--settle: our own scorer says when it is ready; the option is for --scorer external")
    if "{ready}" in scorer.command:
        raise BadInputError("--settle: a command that takes {ready} says when it is ready: give one of the two")


def refuse_prefix(scenario: Scenario, prefix: str | None) -> None:
    """Raise BadInputError for a --topic-prefix that cannot be one, or has nothing to name."""
    if prefix is None:
        return
    if not _PREFIX.fullmatch(prefix):
        raise BadInputError(f"--topic-prefix {prefix!r}: 1 to 200 of the characters a–z, A–Z, 0–9, '.', '_' and '-'")
    scorer = scenario.scorer
    if scorer.kind == "ours" and scorer.command is None and scorer.engine == "inprocess":
        raise BadInputError("--topic-prefix names topics, and engine inprocess has none: give one of the two")
