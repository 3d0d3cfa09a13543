"""A run's dead letters as people look at them: by reason, and one by one."""

from collections import Counter
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from harness.dead_letters import read_dead_letters, reason_kind
from streams.errors import BadInputError

BEGINS_BYTES = 60


class ReasonCount(msgspec.Struct, frozen=True):
    """So many messages were refused for a reason (what differs between them left out); `fault` is the place in the
    scenario's `faults` of the one that put them in, None where nobody did."""

    reason: str
    messages: int
    fault: int | None


class Letter(msgspec.Struct, frozen=True):
    """One refused message: why, whence, its record key and its first bytes (what is no text is escaped)."""

    reason: str
    topic: str
    partition: int
    offset: int
    key: str | None
    size_bytes: int
    begins: str
    fault: int | None


class Refusals(msgspec.Struct, frozen=True):
    """All dead letters by reason, the most frequent first, and the first of them one by one."""

    total: int
    reasons: list[ReasonCount]
    letters: list[Letter]


def chosen_letters(run: Path, reason: str | None) -> pa.Table:
    """A run's dead letters; with `reason` those whose reason contains it.

    Raises BadInputError when there are none to be read, or none with that reason.
    """
    letters = read_dead_letters(run)
    if reason is None:
        return letters
    chosen = letters.filter(pc.match_substring(letters["reason"], reason))
    if len(letters) and not len(chosen):
        kinds = sorted(set(map(reason_kind, letters["reason"].to_pylist())))
        raise BadInputError(f"--reason {reason}: none of {len(letters):,} dead letters has it; reasons: {kinds[:5]}")
    return chosen


def refusals_of(letters: pa.Table, limit: int) -> Refusals:
    """What is said of these letters, at most `limit` of them one by one."""
    reasons = map(reason_kind, letters["reason"].to_pylist())
    counts = Counter(zip(reasons, letters["fault"].to_pylist(), strict=True))
    return Refusals(
        total=len(letters),
        reasons=[ReasonCount(reason, messages, fault) for (reason, fault), messages in counts.most_common()],
        letters=[
            Letter(
                reason=row["reason"],
                topic=row["topic"],
                partition=row["partition"],
                offset=row["offset"],
                key=None if row["key"] is None else shown(row["key"]),
                size_bytes=row["size_bytes"],
                begins=shown(row["original"][:BEGINS_BYTES]),
                fault=row["fault"],
            )
            for row in letters.slice(0, limit).to_pylist()
        ],
    )


def shown(value: bytes) -> str:
    """Bytes as text that any terminal can take: what is no printable character is escaped."""
    text = value.decode("utf-8", "backslashreplace")
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)
