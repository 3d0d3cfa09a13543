"""Decides rows of which some may belong to one stage of a rollout and some to the next: who decides, who goes along."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rules.pack import Verdicts
from scorer.explaining import ExplainedBy
from scorer.judgement import BY_FALLBACK, BY_MODEL, Judgement
from scorer.rollout.contender import Contender
from streams.decision import OUTCOMES, ShadowScore

NOBODY = -1


@dataclass(frozen=True, slots=True)
class Cast:
    """Who has which part in some rows: the `champion` decides, and `candidate`, if there is one, goes along; where
    `inside` (bool [n]; None: nowhere) says so, it is the other way round."""

    champion: Contender
    candidate: Contender | None = None
    inside: NDArray[np.bool_] | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """Rows decided. `by` int8 [n] is the place in `contenders` of who decided each; `beside` int8 [n] of whose score
    goes along (-1: nobody's), which came to `beside_margin` float32, `beside_score` float64 and `beside_outcome` int8.
    """

    judged: Judgement
    contenders: Sequence[Contender]
    by: NDArray[np.int8]
    beside: NDArray[np.int8]
    beside_margin: NDArray[np.float32]
    beside_score: NDArray[np.float64]
    beside_outcome: NDArray[np.int8]

    def explained_by(self, rows: NDArray[np.intp]) -> Iterator[tuple[ExplainedBy | None, NDArray[np.intp]]]:
        """These rows, by who explains them; None for the model the worker was started with."""
        for place in np.unique(self.by[rows]).tolist():
            yield self.contenders[place].explained, rows[self.by[rows] == place]


Late = Callable[[Contender, Judgement, bool], None]
"""Told of a judgement with an overdue call, whose it was, and whether its rows are decided by it."""


def shadow_scores(decided: Decided) -> list[ShadowScore | None]:
    """Row by row what the model beside says."""
    names = [who.model_version for who in decided.contenders]
    found: list[ShadowScore | None] = [None] * len(decided.beside)
    rows = np.flatnonzero(decided.beside != NOBODY)
    for row, place, score, outcome, margin in zip(
        rows.tolist(),
        decided.beside[rows].tolist(),
        decided.beside_score[rows].tolist(),
        decided.beside_outcome[rows].tolist(),
        decided.beside_margin[rows].tolist(),
        strict=True,
    ):
        found[row] = ShadowScore(model_version=names[place], score=score, outcome=OUTCOMES[outcome - 1], margin=margin)
    return found


def decide_cast(cast: Cast, values: NDArray[np.float32], verdicts: Verdicts, late: Late) -> Decided:
    """Decide rows, float32 [n, F]: one call of each model. A candidate that gives no score in time leaves its keys to
    the champion."""
    count = len(values)
    ours = _judge(cast.champion, values, verdicts, late, decides=True)
    nobody = np.full(count, NOBODY, np.int8)
    if cast.candidate is None:
        alone = (nobody, ours.margin, ours.score, ours.outcome)
        return Decided(ours, (cast.champion,), np.zeros(count, np.int8), *alone)
    theirs = _judge(cast.candidate, values, verdicts, late, decides=False)
    inside = np.zeros(count, np.bool_) if cast.inside is None else cast.inside & (theirs.path != BY_FALLBACK)
    other = _either(inside, ours, theirs)
    beside = np.where(other.path == BY_MODEL, np.where(inside, 0, 1), NOBODY).astype(np.int8)
    return Decided(
        _either(inside, theirs, ours),
        (cast.champion, cast.candidate),
        inside.astype(np.int8),
        beside,
        other.margin,
        other.score,
        other.outcome,
    )


def decide_stages(
    casts: Sequence[tuple[Cast, NDArray[np.intp]]],
    values: NDArray[np.float32],
    verdicts: Verdicts,
    late: Callable[[NDArray[np.intp]], Late],
) -> Decided:
    """Decide rows of several stages: of each the cast and its rows, which together are all rows, once each. `late`
    makes for a stage's rows what is told of overdue calls."""
    if len(casts) == 1:
        cast, rows = casts[0]
        return decide_cast(cast, values, verdicts, late(rows))
    parts = [decide_cast(cast, values[rows], _rows(verdicts, rows), late(rows)) for cast, rows in casts]
    order = np.argsort(np.concatenate([rows for _, rows in casts]), kind="stable")
    contenders: list[Contender] = []
    by, beside = [], []
    for part in parts:
        by.append(part.by + len(contenders))
        beside.append(np.where(part.beside == NOBODY, NOBODY, part.beside + len(contenders)))
        contenders += part.contenders
    judged = [part.judged for part in parts]
    return Decided(
        Judgement(
            np.concatenate([each.outcome for each in judged])[order],
            np.concatenate([each.path for each in judged])[order],
            np.concatenate([each.score for each in judged])[order],
            np.concatenate([each.margin for each in judged])[order],
            np.concatenate([each.error for each in judged])[order],
        ),
        contenders,
        np.concatenate(by).astype(np.int8)[order],
        np.concatenate(beside).astype(np.int8)[order],
        np.concatenate([part.beside_margin for part in parts])[order],
        np.concatenate([part.beside_score for part in parts])[order],
        np.concatenate([part.beside_outcome for part in parts])[order],
    )


def _judge(who: Contender, values: NDArray[np.float32], verdicts: Verdicts, late: Late, *, decides: bool) -> Judgement:
    judged = who.judge.judge(values, verdicts)
    if judged.overdue is not None:
        late(who, judged, decides)
    return judged


def _either(chosen: NDArray[np.bool_], there: Judgement, here: Judgement) -> Judgement:
    """Rows of `there` where chosen, else of `here`."""
    return Judgement(
        np.where(chosen, there.outcome, here.outcome),
        np.where(chosen, there.path, here.path),
        np.where(chosen, there.score, here.score),
        np.where(chosen, there.margin, here.margin),
        np.where(chosen, there.error, here.error),
    )


def _rows(verdicts: Verdicts, rows: NDArray[np.intp]) -> Verdicts:
    return Verdicts(verdicts.outcome[rows], verdicts.deciding[rows], verdicts.fired[rows], verdicts.score[rows])
