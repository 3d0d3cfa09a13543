"""Small streams for tests of quality: one dictionary an event."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from harness.quality.reasons import GivenReasons
from harness.quality.scored import Scored
from streams.causes import CAUSES
from streams.decision import PATHS

Row = dict[str, Any]
ROW: Row = {"card": "c0", "day": 0, "fraud": False, "score": 0.1, "path": "model", "scenario": None}


def codes(values: Sequence[str | None]) -> tuple[Any, list[str]]:
    """Codes (−1: None) and names, in the order of first appearance."""
    names = list(dict.fromkeys(value for value in values if value is not None))
    return np.array([-1 if value is None else names.index(value) for value in values], np.int32), names


def scored_of(rows: Sequence[Row]) -> Scored:
    """Events as `gather` makes them; `flagged` is score ≥ .5 unless a row says otherwise."""
    full = [{**ROW, **row} for row in rows]
    card, card_names = codes([row["card"] for row in full])
    scenario, scenario_names = codes([row["scenario"] for row in full])
    score = np.array([row["score"] for row in full], np.float64)
    zeros = np.zeros(len(full), np.int64)
    return Scored(
        is_fraud=np.array([row["fraud"] for row in full], bool),
        score=score,
        decided=score >= 0,
        flagged=np.array([row.get("flagged", row["score"] >= 0.5) for row in full], bool),
        response_ns=zeros,
        path=np.array([PATHS.index(row["path"]) for row in full], np.int32),
        day=np.array([row["day"] for row in full], np.int64),
        amount_minor=zeros,
        card=card,
        card_names=card_names,
        scenario=scenario,
        scenario_names=scenario_names,
        look_alike=np.full(len(full), -1, np.int32),
        look_alike_names=[],
    )


def random_rows(seed: int, size: int, cards: int = 0, *, ties: bool = False) -> list[Row]:
    """Events of a few days; frauds score higher; some have no decision."""
    random = np.random.default_rng(seed)
    rows = []
    for score in random.permutation(size) / size:
        lost = random.random() < 0.05
        rows.append(
            {
                "card": f"c{random.integers(0, cards or max(2, size // 3))}",
                "day": int(random.integers(0, 3)),
                "fraud": bool(random.random() < 0.1 + 0.4 * score),
                "score": -1.0 if lost else float(score.round(1 if ties else 9)),
                "scenario": None,
            }
        )
    return [{**row, "scenario": str(random.choice(["a", "b"])) if row["fraud"] else None} for row in rows]


def given_of(reasons: Sequence[tuple[int, str, str, str | None, float | None]]) -> GivenReasons:
    """Reasons as (event, kind, code, cause, contribution), in the order given."""
    code, names = codes([reason[2] for reason in reasons])
    return GivenReasons(
        event=np.array([reason[0] for reason in reasons], np.int64),
        is_rule=np.array([reason[1] == "rule" for reason in reasons], bool),
        code=code,
        codes=names,
        cause=np.array([-1 if r[3] is None else CAUSES.index(r[3]) for r in reasons], np.int32),
        contribution=np.array([np.nan if reason[4] is None else reason[4] for reason in reasons]),
    )
