"""Whether decisions about cards are right on one side of a drift's onset: as decided, by the rules and by the model."""

from dataclasses import replace

import numpy as np
import pyarrow as pa

from harness.drift.replays.replayed import Side
from harness.quality.cards import card_precision, mean_precision
from harness.quality.curves import average_precision
from harness.quality.flags import share
from harness.quality.scored import NOT_RANKED, Bools, Scored, gather
from streams.decision import PATHS

ALONE = {"rules": PATHS.index("rules"), "model": PATHS.index("model")}


def card_side(decisions: pa.Table, events: pa.Table, labels: pa.Table, here: Bools, k: int) -> dict[str, Side]:
    """By who decided (`decided`: rules and model together) over the events marked in `here`, by ordinal.

    Of the rules alone, an event that they did not decide is ranked last and not flagged; of the model alone, those that
    rules decided before it are. Recall is of all frauds of the side.
    """
    chosen = pa.array(here)
    scored = gather(decisions, events.filter(chosen), labels.filter(chosen))
    found = {"decided": _side(scored, k)}
    for name, path in ALONE.items():
        found[name] = _side(_by(scored, path), k)
    return found


def _by(scored: Scored, path: int) -> Scored:
    """As if only this path had decided."""
    own = scored.path == path
    return replace(scored, score=np.where(own, scored.score, NOT_RANKED), flagged=scored.flagged & own)


def _side(scored: Scored, k: int) -> Side:
    bad = int(scored.is_fraud.sum())
    return Side(
        events=len(scored),
        bad=bad,
        k=k,
        precision_at_k=mean_precision(card_precision(scored, k)),
        recall=share(int((scored.is_fraud & scored.flagged).sum()), bad),
        pr_auc=average_precision(scored.is_fraud, scored.score),
    )
