"""Whether monitored transfers rank the right customers on one side of a drift's onset: together, by rules, by model."""

from collections.abc import Collection
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from harness.aml.monitoring import scored_customers
from harness.aml.ranking import customer_scores
from harness.aml.recall import pattern_recall
from harness.aml.truth import Truth, truth_of
from harness.aml.worklists import work
from harness.drift.replays.replayed import Side
from harness.quality.curves import average_precision
from harness.quality.scored import Bools


@dataclass(frozen=True, slots=True)
class Bank:
    """What is known of all transfers of a stream: events and labels by ordinal, accounts, members of patterns, and the
    patterns that training has seen."""

    events: pa.Table
    labels: pa.Table
    accounts: pa.Table
    members: pa.Table
    known: Collection[int]

    def truth(self, here: Bools) -> Truth:
        """Of the transfers marked in `here` alone."""
        chosen = pa.array(here)
        return truth_of(self.events.filter(chosen), self.labels.filter(chosen), self.accounts, self.members, self.known)


def customer_side(bank: Bank, decisions: pa.Table, here: Bools, k: int) -> dict[str, Side]:
    """By what ranks the customers (`decided`: rules and model together) over the transfers marked in `here`: precision
    of worklists of `k` a day, recall of patterns on them, PR-AUC of each customer's best score.

    Whoever was listed before the onset may be listed again after it: each side has worklists of its own.
    """
    truth = bank.truth(here)
    chosen = decisions.filter(pc.take(pa.array(here), decisions["ordinal"]))
    scored = scored_customers(chosen, bank.events["event_time_ns"])
    found = {"decided": _side(scored, truth, k)}
    place = scored.column_names.index("score")
    for name, score in (("rules", scored["rule_score"].fill_null(0.0)), ("model", _probability(scored["margin"]))):
        alone = scored.set_column(place, "score", score)
        found[name] = _side(alone.filter(pc.is_valid(alone["score"])), truth, k)
    return found


def _probability(margin: pa.ChunkedArray) -> pa.ChunkedArray:
    """The model's score from its margin; null where it gave none."""
    return pc.divide(1.0, pc.add(1.0, pc.exp(pc.negate(margin))))


def _side(scored: pa.Table, truth: Truth, k: int) -> Side:
    scores = customer_scores(scored, truth)
    worked = work(scores, truth, k)
    return Side(
        events=len(scores),
        bad=int(truth.is_suspicious.sum()),
        k=k,
        precision_at_k=worked.precision,
        recall=pattern_recall(truth, worked.found_ns).overall.recall,
        pr_auc=average_precision(truth.is_suspicious, scores.standing(len(truth))),
    )
