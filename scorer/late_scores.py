"""Keeps what overdue model calls come to after all: a file of late scores for the audit, and their counts.

The rows of an overdue call come from two sides: the deciding thread knows whose they are, the call's thread what became
of them, and either may be first. A late score changes nothing that was decided.
"""

import functools
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scorer.clock import ClockNs
from scorer.guarded_model import LateCall
from scorer.time_limit import Failed
from streams.codec import encode
from streams.decision import OUTCOMES
from streams.errors import BadInputError
from streams.late_score import LateScore

Rows = NDArray[np.float32]
Grades = Callable[[NDArray[np.float32]], tuple[NDArray[np.int8], NDArray[np.float64]]]
KEPT_MAX = 100_000
"""Late scores written at most; those beyond are counted."""


class LateScores:
    """Late scores of one worker, in a file of JSON lines (`None`: counted and logged only). A context.

    `grade` turns margins into outcomes and scores, as decisions are made of them. Raises `BadInputError` when the file
    cannot be written.
    """

    def __init__(
        self,
        out: Path | None,
        grade: Grades,
        clock_ns: ClockNs,
        *,
        time_limit_s: float,
        worker: str,
        model_version: str,
        kept_max: int = KEPT_MAX,
    ) -> None:
        try:
            self._out = out
            self._file = None if out is None else out.open("ab")
        except OSError as error:
            raise BadInputError(f"--late-scores {out} cannot be written: {error.strerror}") from error
        self._grade = grade
        self._clock_ns = clock_ns
        self._limit_ns = int(time_limit_s * 1e9)
        self._worker = worker
        self._model_version = model_version
        self._kept_max = kept_max
        self._lock = threading.Lock()
        self._expected: dict[int, tuple[Rows, Sequence[str]]] = {}
        self._ended: dict[int, tuple[LateCall, int]] = {}
        self._counts = {"scored": 0, "failed": 0, "kept": 0, "not_kept": 0}

    def __enter__(self) -> "LateScores":
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None
            if self._out is not None and self._out.exists() and not self._out.stat().st_size:
                self._out.unlink()  # nothing was late

    def expect(self, rows: Rows, event_ids: Sequence[str]) -> None:
        """On the deciding thread: an overdue call was made for these very rows, of these events."""
        with self._lock:
            ended = self._ended.pop(id(rows), None)
            if ended is None:
                self._expected[id(rows)] = (rows, event_ids)
            else:
                self._keep(*ended, event_ids)

    def take(self, late: LateCall) -> None:
        """On the call's thread: an overdue call has ended."""
        ended_ns = self._clock_ns()
        with self._lock:
            expected = self._expected.pop(id(late.argument), None)
            if expected is None:
                self._ended[id(late.argument)] = (late, ended_ns)
            else:
                self._keep(late, ended_ns, expected[1])

    def summary(self) -> dict[str, Any]:
        """JSON values: events whose overdue call gave a score or failed after all, those still `awaited`, and how many
        were kept in the file."""
        with self._lock:
            return {**self._counts, "awaited": sum(len(ids) for _, ids in self._expected.values())}

    def _keep(self, late: LateCall, ended_ns: int, event_ids: Sequence[str]) -> None:
        found = self._late_scores(late, ended_ns, event_ids)
        self._counts["scored"] += sum(each.error is None for each in found)
        self._counts["failed"] += sum(each.error is not None for each in found)
        kept = found[: max(self._kept_max - self._counts["kept"], 0)] if self._file is not None else []
        if self._file is not None and kept:
            self._file.writelines(encode(each) + b"\n" for each in kept)
            self._file.flush()
        self._counts["kept"] += len(kept)
        self._counts["not_kept"] += len(found) - len(kept)

    def _late_scores(self, late: LateCall, ended_ns: int, event_ids: Sequence[str]) -> list[LateScore]:
        outcome = late.outcome
        made = functools.partial(
            LateScore,
            elapsed_ns=outcome.elapsed_ns,
            late_ns=max(outcome.elapsed_ns - self._limit_ns, 0),
            ended_ns=ended_ns,
            worker=self._worker,
            model_version=self._model_version,
        )
        if isinstance(outcome, Failed):
            error = f"{type(outcome.error).__name__}: {outcome.error}"
            return [made(event_id=event_id, error=error) for event_id in event_ids]
        margin = outcome.value.margin
        if margin.shape != (len(event_ids),) or not np.isfinite(margin).all():
            error = f"{list(margin.shape)} margins for {len(event_ids)} events, or some not finite"
            return [made(event_id=event_id, error=error) for event_id in event_ids]
        grades, scores = self._grade(margin)
        rows = zip(event_ids, margin.tolist(), scores.tolist(), grades.tolist(), strict=True)
        return [
            made(event_id=event_id, margin=raw, score=score, outcome=OUTCOMES[grade - 1])
            for event_id, raw, score, grade in rows
        ]
