"""Each fraud scenario against genuine events: nobody's game (never found) or anybody's (one column is enough)?"""

import numpy as np
from numpy.typing import NDArray

from models.separability.checks import Check, Findings, rounded
from models.separability.learners import Contest, earlier
from models.separability.material import Ints, Truth, thinned
from models.separability.ranking import free_auc
from models.separability.single_feature import candidates

SCENARIO_RECALL_MAX = 0.90
FRAUDS_MIN, GENUINE_MIN = 40, 50
"""Fewer tested frauds of a scenario than this say nothing about its recall, nor fewer genuine events about its ease."""
Row = dict[str, str | float | int | bool | None]


def measure(truth: Truth, contest: Contest, full: NDArray[np.floating]) -> Findings:
    """Best single number for each scenario alone, and the full model's recall when a share of events is alerted.

    `full` are its scores of the test part. So that rare scenarios are seen too, the recall counts the frauds of two
    tests: this one and the one a step before.
    """
    share = contest.settings.alert_share
    before = earlier(contest)
    caught = [_caught(truth, contest, full, share)]
    if truth.fraud[before.split.train].any() and truth.fraud[before.split.test].any():
        caught.append(_caught(truth, before, before.scores(), share))
    found, taken = np.concatenate([one[0] for one in caught]), np.concatenate([one[1] for one in caught])
    rows = _rows(truth, contest)
    columns = [
        (name, numbers) for name, _, numbers, _ in candidates(truth, contest.values, rows) if numbers is not None
    ]
    table: list[Row] = []
    for code, name in enumerate(truth.scenarios):
        here = found == code
        tested = int(here.sum())
        recall = float(taken[here].mean()) if tested >= FRAUDS_MIN else None
        best = _best_column(truth, rows, columns, code, share)
        table.append({"scenario": name, "frauds": int((truth.scenario[rows] == code).sum()), "tested": tested,
                      "recall": rounded(recall), **best})  # fmt: skip
    return Findings(_checks(table, share), {"scenarios": table})


def _caught(
    truth: Truth, contest: Contest, scores: NDArray[np.floating], share: float
) -> tuple[Ints, NDArray[np.bool_]]:
    """Scenario of each test row, and whether it is among the highest scores that make up `share` of the events."""
    return truth.scenario[contest.split.test], flagged(scores, contest.split.test_weight, share)


def flagged(scores: NDArray[np.floating], weight: NDArray[np.float64], share: float) -> NDArray[np.bool_]:
    """Which rows are among the highest scores that make up `share` of the events."""
    order = np.argsort(-scores, kind="stable")
    found = np.zeros(len(scores), np.bool_)
    found[order[np.cumsum(weight[order]) <= share * weight.sum()]] = True
    return found


def _rows(truth: Truth, contest: Contest) -> Ints:
    """The frauds of both parts, and as many genuine rows as are enough to compare with."""
    rows, settings = np.sort(contest.split.rows), contest.settings
    rng = np.random.default_rng([settings.seed, 5])
    return thinned(rows, truth.fraud[rows], settings.genuine_compared, rng)[0]


def _best_column(
    truth: Truth, rows: Ints, columns: list[tuple[str, NDArray[np.float64]]], code: int, share: float
) -> Row:
    """The column that tells the scenario best: by AUC, and by recall where `share` of genuine events lies beyond.

    Refunds are told from purchases by what they are: frauds that are refunds are compared with genuine refunds.
    """
    fraud = truth.scenario[rows] == code
    refund = truth.refunds()[rows]
    alike = refund == (fraud.any() and float(refund[fraud].mean()) > 0.5)
    others = ~truth.fraud[rows]
    kept = fraud | (others & alike if int((others & alike).sum()) >= GENUINE_MIN else others)
    fraud = fraud[kept]
    areas = [(free_auc(values[kept], fraud), name) for name, values in columns] if fraud.any() else []
    recalls = [(tail_recall(values[kept], fraud, share), name) for name, values in columns] if fraud.any() else []
    area, by_area = max(areas, default=(None, None))
    recall, by_recall = max(recalls, default=(None, None))
    return {"best_feature": by_area, "best_auc": rounded(area),
            "single_recall_feature": by_recall, "single_recall": rounded(recall)}  # fmt: skip


def tail_recall(values: NDArray[np.float64], fraud: NDArray[np.bool_], share: float) -> float:
    """Share of frauds strictly beyond the genuine events' quantile, in the better tail; missing values are no tail."""
    genuine = values[~fraud & ~np.isnan(values)]
    if not genuine.size:
        return 0.0
    low, high = np.quantile(genuine, [share, 1 - share])
    stolen = values[fraud]
    return float(max((stolen < low).mean(), (stolen > high).mean()))


def _checks(table: list[Row], share: float) -> tuple[Check, ...]:
    told = [row for row in table if row["best_auc"] is not None]
    if not told:
        return (Check("scenarios", "frauds that name their scenario", None, detail="the labels name no scenario"),)
    easiest = max(told, key=lambda row: float(row["best_auc"] or 0))
    trivial = max(told, key=lambda row: float(row["single_recall"] or 0))
    learnt = [row for row in table if row["recall"] is not None]
    hardest = min(learnt, key=lambda row: float(row["recall"] or 0)) if learnt else None
    few = ", ".join(str(row["scenario"]) for row in table if row["recall"] is None)
    return (
        Check("scenarios", "easiest scenario, AUC of one feature", _number(easiest["best_auc"]),
              detail=f"{easiest['scenario']} by {easiest['best_feature']}"),
        Check("scenarios", "most trivial scenario, recall of one feature", _number(trivial["single_recall"]),
              high=SCENARIO_RECALL_MAX,
              detail=f"{trivial['scenario']} by {trivial['single_recall_feature']}, {share:.1%} of genuine beyond"),
        Check("scenarios", "hardest scenario, recall of the full model",
              _number(hardest["recall"]) if hardest else None, low=share,
              detail=(f"{hardest['scenario']}, {hardest['tested']} frauds tested, {share:.1%} of events alerted"
                      if hardest else "") + (f"; too few to say: {few}" if few else "")),
    )  # fmt: skip


def _number(value: str | float | bool | None) -> float | None:
    return float(value) if isinstance(value, float) else None
