"""From both sides' typologies and the model's scores to what is decided about a transfer."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rules.typologies.pack import TypologyPack
from scorer.aml.places import NOWHERE, Places
from scorer.aml.ranking import Ranked, rank
from scorer.judgement import BY_FALLBACK, BY_MODEL, BY_RULES
from streams.decision import OUTCOMES, CustomerScore

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
    ranked = rank(typologies, model)
    ranked.score[place == NOWHERE] = -1.0
    sides = ranked.score.reshape(-1, 2)
    top = 2 * np.arange(len(sides)) + sides.argmax(axis=1)
    path = np.full(len(sides), BY_FALLBACK if model is None else BY_MODEL, np.int8)
    path[(sides < 0).all(axis=1)] = BY_RULES
    flagged = is_flagged(model, place != NOWHERE, is_raised, review_from)
    return JudgedSides(ranked, top, np.where(flagged, REVIEW, APPROVE).astype(np.int8), path)


def is_flagged(
    model: NDArray[np.float64] | None, known: NDArray[np.bool_], is_raised: NDArray[np.bool_], review_from: float
) -> NDArray[np.bool_]:
    """Whether transfers are to be looked at, bool [n]: the model's score of a known side reaches `review_from`, or the
    rules raised an alert.

    The threshold was chosen on the model's scores, so it is held against these: what the rules add to a ranking would
    carry every transfer past a threshold that is low because the model separates well. The rules have their own.
    """
    if model is None:
        return is_raised
    return np.asarray(is_raised | ((model >= review_from) & known).reshape(-1, 2).any(axis=1))


@dataclass(frozen=True, slots=True)
class CustomerScores:
    """Names rows: whose they are, and their highest typology."""

    places: Places
    pack: TypologyPack

    def of(self, ranked: Ranked, row: int, place: int, margin: float | None) -> CustomerScore:
        """What a decision says of the customer at `place` by its row; `margin`: None where the model is silent."""
        rule_score = float(ranked.rule_score[row])
        return CustomerScore(
            customer_id=self.places.customer_ids[place],
            account_id=self.places.account_ids[place],
            score=float(ranked.score[row]),
            rule_score=rule_score,
            margin=margin,
            typology=self.pack.typologies[int(ranked.typology[row])].name if rule_score > 0 else None,
        )
