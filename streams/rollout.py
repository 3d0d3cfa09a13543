"""A change of the model while the stream goes on: what is asked of the scorers, through a small file they look at.

A plan is a list of steps to which later ones are added; a step that was told is never changed. An event belongs to the
last step of the list that begins at or before the event's own time. So who decides it depends on the event and the plan
alone: not on engine, worker or micro-batch, nor on whether it is decided for the first time or again after a crash.
"""

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from streams.errors import BadInputError

Phase = Literal["shadow", "canary", "full", "rolled-back"]
PHASES: tuple[Phase, ...] = ("shadow", "canary", "full", "rolled-back")
STEPS_MAX = 1_000
BYTES_MAX = 1 << 20

_SAME_CANDIDATE: Mapping[Phase, tuple[Phase, ...]] = {
    "shadow": ("canary", "full", "rolled-back"),
    "canary": ("canary", "full", "rolled-back"),
    "full": ("rolled-back",),
    "rolled-back": (),
}
"""What may follow a phase while the candidate stays the same. Another candidate begins in shadow, and only once the one
before is decided on (full or rolled back)."""


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle on trial: its directory as the scorers see it, and its version, by which it is known again."""

    bundle: Annotated[str, msgspec.Meta(min_length=1, max_length=4_096)]
    model_version: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]


class RolloutStep(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A phase, for events from `from_event_time_ns` on (0: all that are decided from now on).

    shadow: the candidate scores, the champion decides. canary: the candidate decides `share` of the keys (cards),
    chosen by a hash with `salt`; a larger share holds the smaller one's keys. full: the candidate decides, and is the
    champion. rolled-back: the champion from before decides.
    """

    phase: Phase
    from_event_time_ns: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
    candidate: Candidate
    share: Annotated[float, msgspec.Meta(gt=0, lt=1)] | None = None
    salt: Annotated[str, msgspec.Meta(max_length=128)] = ""


class RolloutPlan(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """All steps told so far. `hold_event_time_ns`: the in-process engine takes no event at or after this time before it
    is told a later one, or none."""

    steps: Annotated[tuple[RolloutStep, ...], msgspec.Meta(max_length=STEPS_MAX)] = ()
    hold_event_time_ns: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] | None = None


NO_PLAN = RolloutPlan()


def check_plan(plan: RolloutPlan) -> None:
    """Raises BadInputError naming the step that cannot follow the one before it."""
    before: RolloutStep | None = None
    for place, step in enumerate(plan.steps):
        where = f"rollout step {place + 1} ({step.phase} of {step.candidate.model_version})"
        if (step.phase == "canary") != (step.share is not None):
            raise BadInputError(f"{where}: a share of keys belongs to canary, and to nothing else")
        if before is None or step.candidate != before.candidate:
            if step.phase != "shadow":
                raise BadInputError(f"{where}: a candidate begins in shadow")
            if before is not None and before.phase in ("shadow", "canary"):
                raise BadInputError(
                    f"{where}: {before.candidate.model_version} is still in {before.phase}; end it first"
                )
        elif step.phase not in _SAME_CANDIDATE[before.phase]:
            allowed = ", ".join(_SAME_CANDIDATE[before.phase]) or "shadow of another candidate"
            raise BadInputError(f"{where}: after {before.phase} only {allowed} can follow")
        before = step


def check_added(old: RolloutPlan, new: RolloutPlan) -> None:
    """Raises BadInputError when `new` does not begin with the steps of `old`: what was decided by them would be no
    longer what the plan says."""
    if new.steps[: len(old.steps)] != old.steps:
        raise BadInputError(
            f"the rollout plan of {len(new.steps)} steps does not begin with the {len(old.steps)} steps told before; "
            "steps may only be added"
        )


def write_plan(path: Path, plan: RolloutPlan) -> None:
    """Put the plan into the file, so that a reader sees all of it or the one before. Raises BadInputError for a plan
    that cannot be, or a place that cannot be written."""
    check_plan(plan)
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        staging = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(msgspec.json.encode(plan))
                file.flush()
                os.fsync(file.fileno())
            staging.replace(path)
        finally:
            staging.unlink(missing_ok=True)
    except OSError as error:
        raise BadInputError(f"rollout plan {path} cannot be written: {error.strerror or error}") from error


def read_plan(path: Path) -> RolloutPlan:
    """The plan in the file. Raises BadInputError naming the file when it cannot be read, understood or carried out."""
    try:
        with path.open("rb") as file:
            content = file.read(BYTES_MAX + 1)
    except OSError as error:
        raise BadInputError(f"rollout plan {path} cannot be read: {error.strerror}") from error
    if len(content) > BYTES_MAX:
        raise BadInputError(f"rollout plan {path} is longer than {BYTES_MAX} bytes")
    try:
        plan = msgspec.json.decode(content, type=RolloutPlan)
        check_plan(plan)
    except msgspec.DecodeError as error:
        raise BadInputError(f"rollout plan {path} cannot be understood: {error}") from error
    except BadInputError as error:
        raise BadInputError(f"rollout plan {path}: {error}") from error
    return plan


def candidates(steps: Sequence[RolloutStep]) -> list[Candidate]:
    """Every candidate of these steps, once, in the order of their steps."""
    return list(dict.fromkeys(step.candidate for step in steps))
