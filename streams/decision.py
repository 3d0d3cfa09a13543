"""What a scorer answers: one decision an event, with its reasons, on `<scenario>.decisions`."""

from typing import Annotated, Literal

import msgspec

from streams.causes import Cause
from streams.transaction import Identifier

Outcome = Literal["approve", "review", "block"]
Path = Literal["rules", "model", "fallback"]
OUTCOMES: tuple[Outcome, ...] = ("approve", "review", "block")
PATHS: tuple[Path, ...] = ("rules", "model", "fallback")

Nanoseconds = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
"""At most what 64 bits hold: a column has no room for more."""


class Reason(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Why: a rule that fired or a feature that moved the score, in words.

    `contribution` is the feature's share of the raw margin (log-odds); rules have none. `cause` is the family of what
    was seen, by which a reason can be compared with what a fraud scenario really did.
    """

    code: str
    text: str
    kind: Literal["rule", "feature"]
    contribution: float | None = None
    cause: Cause | None = None


class CustomerScore(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Money laundering: how suspicious one of a transfer's customers is after it, 0–1.

    `score` ranks customers: rules and model together, or the rules alone on the path `fallback`. `rule_score` is the
    highest typology score of the rules, `typology` its name, `margin` the model's log-odds (absent: it did not speak).
    """

    customer_id: Identifier
    account_id: Identifier
    score: Annotated[float, msgspec.Meta(ge=0, le=1)]
    rule_score: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0
    margin: float | None = None
    typology: str | None = None


class ShadowScore(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What another model says of the same event while a change of the model is under way; it decides nothing.

    In shadow it is the candidate; in canary, of the two models, the one that did not decide this event.
    """

    model_version: str
    score: Annotated[float, msgspec.Meta(ge=0, le=1)]
    outcome: Outcome
    margin: float | None = None


class Decision(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One decision on the wire (JSON). `event_id`, `outcome` and `score` are required of every scorer; the rest is
    measured where it is given.

    `taken_ns` and `emitted_ns` are readings of the scorer host's monotonic clock when the event was taken from the
    broker and when the decision was handed to the producer: their difference is the service time. `stages_ns` splits
    it (features, rules, model, …; of the whole micro-batch the event was in, as each event waits for all of it).
    `features` are little-endian float32 in the bundle's order (base64 in JSON), so that drift can be measured and the
    decision recomputed. `customers` are the scored customers of a transfer, the sender's first; `score` is then the
    highest of theirs, and the features are of that one. `model_version` is of the model that decided, or would have
    where rules did; `shadow` is what another one says while a change of the model is under way.
    """

    event_id: Identifier
    outcome: Outcome
    score: Annotated[float, msgspec.Meta(ge=0, le=1)]
    path: Path = "model"
    reasons: list[Reason] = []
    margin: float | None = None
    rules_version: str | None = None
    model_version: str | None = None
    worker: str | None = None
    taken_ns: Nanoseconds | None = None
    emitted_ns: Nanoseconds | None = None
    stages_ns: dict[str, Nanoseconds] = {}
    features: bytes | None = None
    customers: list[CustomerScore] = []
    shadow: ShadowScore | None = None


class Explanation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The model's part of the reasons (`<scenario>.explanations`, JSON), which follows its decision a moment later:
    contributions cost many times the score, so nobody waits for them.

    `reasons` are the features that raised the score most, the largest first. `decided_ns` and `emitted_ns` are readings
    of the scorer host's monotonic clock: when the decision was handed to the producer, and when this was.
    `explain_ns` is the time spent on the rows explained together.
    """

    event_id: Identifier
    reasons: list[Reason]
    model_version: str | None = None
    worker: str | None = None
    decided_ns: Nanoseconds | None = None
    emitted_ns: Nanoseconds | None = None
    explain_ns: Nanoseconds | None = None


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A message that could not be taken (`<scenario>.dead-letter`, JSON): why, from where, and its bytes (base64).

    `key` is its record key, where it had one. `original_bytes` is given where it was too long for a letter: so many it
    had, and `original` holds only those it began with.
    """

    reason: str
    topic: str
    partition: int
    offset: int
    original: bytes
    key: bytes | None = None
    original_bytes: int | None = None
