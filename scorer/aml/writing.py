"""Puts judged transfers into words: a decision each, made as it is asked for."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scorer.aml.judged import Judged
from scorer.aml.judging import CustomerScores
from scorer.aml.places import NOWHERE
from scorer.clock import ClockNs
from scorer.judgement import BY_MODEL
from streams.decision import OUTCOMES, PATHS, Decision, Reason


@dataclass(frozen=True, slots=True)
class DecisionWriter:
    """Writes the decisions of one worker and model."""

    customers: CustomerScores
    model_version: str
    worker: str
    clock_ns: ClockNs

    def write(
        self, judged: Judged, told: NDArray[np.bool_], taken_ns: int, emitted_ns: list[int]
    ) -> Iterator[Decision]:
        """A decision for each transfer, in their order; one that is `told` (bool [n]) with its reasons. When it was
        asked for is added to `emitted_ns`."""
        sides, ranked, pack = judged.sides, judged.sides.ranked, self.customers.pack
        # in lists: a number taken out of an array costs ten times as much
        place, margin = judged.place.tolist(), judged.margin.tolist()
        score, rule_score, typology = ranked.score.tolist(), ranked.rule_score.tolist(), ranked.typology.tolist()
        features = judged.values[sides.top].astype("<f4", copy=False).tobytes()
        width = 4 * judged.values.shape[1]
        rows = zip(
            judged.events, sides.top.tolist(), sides.outcome.tolist(), sides.path.tolist(), told.tolist(), strict=True
        )
        for transfer, (event, top, outcome, path, tell) in enumerate(rows):
            now_ns, by_model = self.clock_ns(), path == BY_MODEL
            emitted_ns.append(now_ns)
            customers = [
                self.customers.of(
                    place[row], score[row], rule_score[row], typology[row], margin[row] if by_model else None
                )
                for row in (2 * transfer, 2 * transfer + 1)
                if place[row] != NOWHERE
            ]
            yield Decision(
                event_id=event.event_id,
                outcome=OUTCOMES[outcome],
                score=max(score[top], 0.0),
                path=PATHS[path],
                reasons=self._reasons(judged, top) if tell and customers else [],
                margin=margin[top] if by_model else None,
                rules_version=pack.version,
                model_version=self.model_version,
                worker=self.worker,
                taken_ns=taken_ns,
                emitted_ns=now_ns,
                stages_ns=judged.stages,
                features=features[width * transfer : width * (transfer + 1)] if customers else None,
                customers=customers,
            )

    def _reasons(self, judged: Judged, row: int) -> list[Reason]:
        """The bands of the customer's highest typology."""
        ranked = judged.sides.ranked
        if ranked.rule_score[row] <= 0:
            return []
        return self.customers.pack.reasons(int(ranked.typology[row]), judged.values[row], int(judged.market[row]))
