"""What one line of audit.jsonl holds, and how a line is chained to the one before it.

A line is the record's JSON with two keys added at its end, `prev` (the hash of the line before) and `hash`: BLAKE2b-256
over the line as it stands without its `hash`. So every byte of every line counts.
"""

import hashlib
from pathlib import Path
from typing import Any

import msgspec

from streams.decision import CustomerScore, Reason

FORMAT = 1
HASH_BYTES = 32
FIRST = "0" * (2 * HASH_BYTES)
"""What the first line names as the one before it."""
AUDIT_FILE = "audit.jsonl"
HEAD_BYTES = 200


class Thresholds(msgspec.Struct, frozen=True, kw_only=True):
    """Scores from which on an event is reviewed and blocked."""

    review: float
    block: float


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """What a run decides with, said before its first decision. Hashes are BLAKE2b-256 of the files' bytes:
    scenario.yaml, bundle.json (which holds the hashes of the model's own files) and the rules; `case` has those of the
    warm state and of the dispositions, by their path in the case folder."""

    run: str
    started_at: str
    software_version: str
    scenario: str
    bundle: str | None = None
    rules: str | None = None
    case: dict[str, str] = {}


class OpenRecord(msgspec.Struct, frozen=True, kw_only=True, tag="open", tag_field="kind"):
    """The first line."""

    seq: int
    format: int
    opening: Opening
    thresholds: Thresholds | None


class Answered(msgspec.Struct, kw_only=True, gc=False):
    """One decision as it was received. `input` is the hash of the event's bytes as sent, `features` of the feature
    bytes; null where there are none. `received_ns` is a reading of the machine's monotonic clock. `late`: it came after
    the time-out; said of decisions that count only."""

    late: bool | msgspec.UnsetType = msgspec.UNSET
    seq: int
    event_id: str
    input: str | None
    features: str | None
    outcome: str
    score: float
    margin: float | None
    thresholds: Thresholds | None
    path: str
    reasons: list[Reason]
    rules_version: str | None
    model_version: str | None
    worker: str | None
    received_ns: int
    customers: list[CustomerScore] | msgspec.UnsetType = msgspec.UNSET


class DecisionRecord(Answered, tag="decision", tag_field="kind"):
    """The decision that counts: the first of its event."""


class DuplicateRecord(Answered, tag="duplicate", tag_field="kind"):
    """A further decision of an event that was decided."""


class UnknownRecord(Answered, tag="unknown", tag_field="kind"):
    """A decision of an event nobody sent."""


class MalformedRecord(msgspec.Struct, kw_only=True, tag="malformed", tag_field="kind"):
    """A message that is no decision (or no explanation: `of`): why, its size, its hash and how it begins."""

    seq: int
    of: str
    error: str
    size_bytes: int
    content: str
    begins: str
    received_ns: int


class LostRecord(msgspec.Struct, kw_only=True, tag="lost", tag_field="kind"):
    """An event that was sent and never decided."""

    seq: int
    event_id: str
    input: str | None
    sent_ns: int


class LateScoreRecord(msgspec.Struct, kw_only=True, tag="late_score", tag_field="kind"):
    """What a model call past its time limit came to for one event: a line of a worker's file of late scores. `file` is
    its name in the run's logs, `content` the hash of the line; the rest is what it says (`streams.late_score`), with
    `input` as in a decision. A line that is no late score has an `error` and nothing else."""

    seq: int
    file: str
    content: str
    event_id: str | None = None
    input: str | None = None
    margin: float | None = None
    score: float | None = None
    outcome: str | None = None
    error: str | None = None
    elapsed_ns: int | None = None
    late_ns: int | None = None
    ended_ns: int | None = None
    worker: str | None = None
    model_version: str | None = None


class Explained(msgspec.Struct, kw_only=True, gc=False):
    """One explanation as it was received."""

    seq: int
    event_id: str
    reasons: list[Reason]
    model_version: str | None
    worker: str | None
    explain_ns: int | None


class ExplanationRecord(Explained, tag="explanation", tag_field="kind"):
    """The explanation of an event: the first that came."""


class ExplanationDuplicateRecord(Explained, tag="explanation_duplicate", tag_field="kind"):
    """A further explanation of the same event."""


class ExplanationUnknownRecord(Explained, tag="explanation_unknown", tag_field="kind"):
    """An explanation of an event nobody sent."""


class GateRecord(msgspec.Struct, kw_only=True, tag="gate", tag_field="kind"):
    """A gate that a new model had to pass while the stream was held at `event_time_ns`, with the figures it went by:
    what results.json says of it in `drift.answers`. `attempt` counts from 1; `candidate` is a model version."""

    seq: int
    attempt: int
    candidate: str | None
    gate: str
    passed: bool
    event_time_ns: int
    why: str
    evidence: dict[str, Any]


class CloseRecord(msgspec.Struct, kw_only=True, tag="close", tag_field="kind"):
    """The last line: the run's counts."""

    seq: int
    counts: dict[str, Any]


Record = (
    OpenRecord
    | DecisionRecord
    | DuplicateRecord
    | UnknownRecord
    | MalformedRecord
    | LostRecord
    | ExplanationRecord
    | ExplanationDuplicateRecord
    | ExplanationUnknownRecord
    | LateScoreRecord
    | GateRecord
    | CloseRecord
)


_EMPTY = hashlib.blake2b(digest_size=HASH_BYTES)


def content_hash(content: bytes) -> str:
    """BLAKE2b-256 as hex."""
    digest = _EMPTY.copy()  # quicker than a new one, and this is done several times a decision
    digest.update(content)
    return digest.hexdigest()


def file_hash(path: Path) -> str:
    """BLAKE2b-256 of a file's bytes, as hex; of a folder, of its files' names and hashes."""
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file())
        told = [f"{file_hash(file)} {file.relative_to(path).as_posix()}" for file in files]
        return content_hash("\n".join(told).encode())
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=HASH_BYTES)).hexdigest()


def chained(body: bytes, prev: str) -> tuple[bytes, str]:
    """The line of a record whose JSON object is `body`, and its hash; `prev` is the hash of the line before."""
    signed = b"".join((body[:-1], b',"prev":"', prev.encode(), b'"}'))
    own = content_hash(signed)
    return b"".join((signed[:-1], b',"hash":"', own.encode(), b'"}\n')), own
