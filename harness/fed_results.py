"""What became of the messages that a fault of the input put between the events: a part of its results."""

from typing import Literal

import msgspec


class FedResults(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the messages that a fault of the input put between the events, or of the events it moved.

    `fate` is what was to become of them: `refuse` (a dead letter each), `ignore` (events that came again: no second
    decision, no dead letter) or `decide` (events out of their order). `messages` says how many they were, `refused` how
    many were dead-lettered, with their own bytes; of those `unexplained` for a reason that does not name what was wrong
    with them. `by_reason` counts the reasons, numbers in them left out.
    """

    fate: Literal["refuse", "ignore", "decide"]
    messages: int
    refused: int = 0
    unexplained: int = 0
    by_reason: dict[str, int] = {}
