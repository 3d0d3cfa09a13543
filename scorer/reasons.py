"""One list of reasons for a decision: the rules that fired, then the features that moved the score."""

from collections.abc import Sequence

from streams.decision import Reason


def merge(rules: Sequence[Reason], features: Sequence[Reason]) -> list[Reason]:
    """Rules first (they are policy), then features in the order of their weight; a code is said once."""
    found: dict[str, Reason] = {}
    for reason in (*rules, *features):
        found.setdefault(f"{reason.kind}:{reason.code}", reason)
    return list(found.values())
