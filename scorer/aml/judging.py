"""From both sides' typologies and the model's scores to what is decided about a transfer."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rules.typologies.pack import TypologyPack
from scorer.aml.places import NOWHERE, Places
from scorer.aml.ranking import Ranked, rank
from scorer.judgement import BY_FALLBACK, BY_MODEL, BY_RULES
from streams.decision import OUTCOMES, CustomerScore
from streams.kernels.compiled import compiled

APPROVE, REVIEW = OUTCOMES.index("approve"), OUTCOMES.index("review")


@dataclass(frozen=True, slots=True)
class JudgedSides:
    """`ranked` has a row a side (its score is -1 where no account is known). Of transfers: `top` int64 [n], the row
    with the higher score, `outcome` and `path` int8 [n]."""

    ranked: Ranked
    top: NDArray[np.int64]
    outcome: NDArray[np.int8]
    path: NDArray[np.int8]


def judge_sides(
    typologies: NDArray[np.float64],
    place: NDArray[np.int32],
    model: NDArray[np.float64] | None,
    is_raised: NDArray[np.bool_],
    review_from: float,
) -> JudgedSides:
    """Judge transfers by their sides' typology scores (float64 [2n, P]), places (int32 [2n], NOWHERE: not known) and
    model scores (float64 [2n]; None: it gave none). One that raised an alert (bool [n]) is reviewed whatever its score.
    """
    ranked, count = rank(typologies, model), len(is_raised)
    outcome = np.where(is_flagged(model, place, is_raised, review_from), np.int8(REVIEW), np.int8(APPROVE))
    sides = JudgedSides(ranked, np.empty(count, np.int64), outcome, np.empty(count, np.int8))
    _choose(place, ranked.score, sides.top, sides.path, BY_FALLBACK if model is None else BY_MODEL, BY_RULES)
    return sides


@compiled
def _choose(place: Any, score: Any, top: Any, path: Any, known: int, unknown: int) -> None:
    """The higher side of each transfer, the sender's of two that are alike; a side that is not known is below all."""
    for transfer in range(top.shape[0]):
        sender, receiver = 2 * transfer, 2 * transfer + 1
        for row in (sender, receiver):
            if place[row] == NOWHERE:
                score[row] = -1.0
        top[transfer] = receiver if score[receiver] > score[sender] else sender
        path[transfer] = known if place[sender] != NOWHERE or place[receiver] != NOWHERE else unknown


def is_flagged(
    model: NDArray[np.float64] | None, place: NDArray[np.int32], is_raised: NDArray[np.bool_], review_from: float
) -> NDArray[np.bool_]:
    """Whether transfers are to be looked at, bool [n]: the model's score (float64 [2n]; None: it gave none) of a side
    that is known (`place` int32 [2n]) reaches `review_from`, or the rules raised an alert (bool [n]).

    The threshold was chosen on the model's scores, so it is held against these: what the rules add to a ranking would
    carry every transfer past a threshold that is low because the model separates well. The rules have their own.
    """
    flagged = is_raised.copy()
    if model is not None:
        _flag(model, place, review_from, flagged)
    return flagged


@compiled
def _flag(model: Any, place: Any, review_from: float, flagged: Any) -> None:
    for row in range(place.shape[0]):
        if place[row] != NOWHERE and model[row] >= review_from:
            flagged[row // 2] = True


@dataclass(frozen=True, slots=True)
class CustomerScores:
    """Names rows: whose they are, and their highest typology."""

    places: Places
    pack: TypologyPack

    def of(self, place: int, score: float, rule_score: float, typology: int, margin: float | None) -> CustomerScore:
        """What a decision says of the customer at `place` by its row; `margin`: None where the model is silent."""
        return CustomerScore(
            customer_id=self.places.customer_ids[place],
            account_id=self.places.account_ids[place],
            score=score,
            rule_score=rule_score,
            margin=margin,
            typology=self.pack.names[typology] if rule_score > 0 else None,
        )
