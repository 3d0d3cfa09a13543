"""Each typology and each market by itself: what one column is worth there, and what the whole model finds."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from models.separability.by_scenario import SCENARIO_RECALL_MAX, flagged, tail_recall
from models.separability.checks import Check, Findings, rounded
from models.separability.depth import TREE_SHARE_MAX
from models.separability.laundering.hard_negatives import UNTYPED_MIN, VOLUME_MIN, untyped_share
from models.separability.laundering.material import Laundering, Rows
from models.separability.learners import Contest
from models.separability.material import NOTHING, Flags, Ints, thinned
from models.separability.ranking import auc_error, free_auc_against
from models.separability.settings import AuditSettings
from models.separability.single_feature import SINGLE_AUC_MAX, Column, alone

PATTERNS_MIN = 15
"""Fewer patterns than this say nothing about a typology or a market: it is told, and not judged."""
ERRORS = 2.0
"""A market breaks a limit when its figure does so by more than this many standard errors, counted by patterns."""
DRAWS = 60
Row = dict[str, str | int | float | None]
Scores = NDArray[np.floating]


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """One level that is judged: its columns, which of its rows are positive, their pattern and market."""

    columns: list[Column]
    positive: Flags
    pattern: Ints
    market: Ints


def by_typology(data: Laundering, rows: Rows, columns: list[Column], full: Scores, settings: AuditSettings) -> Findings:
    """Each typology's sides against genuine ones, and how much of it the full model finds where `alert_share` of all
    sides is alerted; `full` are its scores of the test part."""
    share = settings.alert_share
    test, typologies = rows.split.test, data.patterns.typologies
    taken = flagged(full, rows.split.test_weight, share)
    own = np.where(rows.pattern != NOTHING, data.patterns.typology[rows.pattern], NOTHING)
    told = [code for code in range(len(typologies)) if (own == code).any()]
    kept = thinned(
        np.arange(len(own)), rows.positive, settings.genuine_compared, np.random.default_rng([settings.seed, 5])
    )[0]
    genuine = kept[~rows.positive[kept]]
    best = _best_columns(columns, genuine, [np.flatnonzero(own == code) for code in told], share)
    table: list[Row] = []
    for code, found in zip(told, best, strict=True):
        hit, tested = own == code, own[test] == code
        patterns = len(np.unique(rows.pattern[hit]))
        shown = len(np.unique(rows.pattern[test][tested]))
        listed = len(np.unique(rows.pattern[test][tested & taken]))
        error = auc_error(patterns, len(genuine), float(found["best_auc"] or 0.5))
        table.append({
            "typology": typologies[code], "patterns": patterns, "sides": int(hit.sum()), "judged": _judged(patterns),
            **found, "standard_error": rounded(error), "patterns_tested": shown,
            "recall": rounded(float(taken[tested].mean())) if tested.any() else None,
            "pattern_recall": rounded(listed / shown) if shown else None,
        })  # fmt: skip
    return Findings(_typology_checks(table, share), {"typologies": table})


def _best_columns(columns: list[Column], genuine: Ints, groups: list[Ints], share: float) -> list[Row]:
    """For each group of rows its best column against the genuine ones: by AUC, and by recall where `share` of these
    lies beyond."""
    areas, recalls = [(0.0, "")] * len(groups), [(0.0, "")] * len(groups)
    for name, _, values, _ in columns:
        if values is None:
            continue
        others = values[genuine]
        found = free_auc_against(others, [values[rows] for rows in groups])
        for place, (area, rows) in enumerate(zip(found, groups, strict=True)):
            areas[place] = max(areas[place], (area, name))
            told = tail_recall(np.concatenate([others, values[rows]]), _last(len(others), len(rows)), share)
            recalls[place] = max(recalls[place], (told, name))
    return [
        {"best_feature": by_area, "best_auc": rounded(area), "single_recall_feature": by_recall,
         "single_recall": rounded(recall)}
        for (area, by_area), (recall, by_recall) in zip(areas, recalls, strict=True)
    ]  # fmt: skip


def _last(before: int, count: int) -> Flags:
    found: Flags = np.arange(before + count) >= before
    return found


def _judged(patterns: int) -> str:
    return "yes" if patterns >= PATTERNS_MIN else "too few patterns"


def _few(table: list[Row], name: str) -> str:
    few = [str(row[name]) for row in table if row["judged"] != "yes"]
    return f"; too few patterns to say: {', '.join(few)}" if few else ""


def _typology_checks(table: list[Row], share: float) -> tuple[Check, ...]:
    if not table:
        return (Check("typologies", "laundering that names its typology", None, detail="the labels name none"),)
    told, few = [row for row in table if row["judged"] == "yes"], _few(table, "typology")
    learnt = [row for row in told if int(row["patterns_tested"] or 0) >= PATTERNS_MIN]
    easiest = max(told, key=lambda row: float(row["best_auc"] or 0), default=None)
    trivial = max(told, key=lambda row: float(row["single_recall"] or 0), default=None)
    hardest = min(learnt, key=lambda row: float(row["recall"] or 0), default=None)
    return (
        Check("typologies", "easiest typology, AUC of one feature", _of(easiest, "best_auc"),
              detail=f"{easiest['typology']} by {easiest['best_feature']}" if easiest else few[2:]),
        Check("typologies", "most trivial typology, recall of one feature", _of(trivial, "single_recall"),
              high=SCENARIO_RECALL_MAX,
              detail=f"{trivial['typology']} by {trivial['single_recall_feature']}, {share:.1%} of genuine beyond{few}"
              if trivial else few[2:]),
        Check("typologies", "hardest typology, recall of the full model", _of(hardest, "recall"), low=share,
              detail=f"{hardest['typology']}, {hardest['patterns_tested']} patterns tested, {share:.1%} of sides"
              if hardest else f"no typology has {PATTERNS_MIN} patterns in the test"),
    )  # fmt: skip


def _of(row: Row | None, key: str) -> float | None:
    value = None if row is None else row[key]
    return float(value) if isinstance(value, int | float) else None


def by_market(
    data: Laundering, rows: Rows, levels: tuple[Level, Level | None], contest: Contest, scores: tuple[Scores, Scores]
) -> Findings:
    """Each market's sides and customers by themselves; `scores` are the full model's and the tree's, of the test."""
    late = data.time_ns >= rows.start_ns
    table = []
    for code, name in enumerate(data.patterns.markets):
        here = np.isin(data.pattern, np.flatnonzero(data.patterns.market == code)) & late & data.is_laundering
        patterns = len(np.unique(data.pattern[here]))
        if patterns == 0:
            continue
        untyped = untyped_share(data, here)
        typed = int(here.sum()) - round((untyped or 0.0) * int(here.sum()))
        alike = int(((data.look_alike != NOTHING) & late & (_market_of(data) == code)).sum())
        row: Row = {"market": name, "patterns": patterns, "transfers": int(here.sum()), "judged": _judged(patterns),
                    "untyped_share": rounded(untyped),
                    "untyped_error": _share_error(untyped, patterns),
                    "look_alikes_for_each": rounded(alike / typed) if typed and data.look_alikes else None}  # fmt: skip
        for prefix, level in zip(("side", "customer"), levels, strict=True):
            row |= _best(prefix, level, code)
        row |= _tree_share(rows, contest, scores, data.market[rows.number] == code)
        table.append(row)
    return Findings(_market_checks(table), {"markets": table})


def _share_error(share: float | None, patterns: int) -> float | None:
    return None if share is None else rounded(float(np.sqrt(share * (1 - share) / patterns)))


def _market_of(data: Laundering) -> Ints:
    """The market of each transfer: its sender's, or its receiver's where that is not known. int64 [n]."""
    sender, receiver = data.market[::2], data.market[1::2]
    return np.where(sender != NOTHING, sender, receiver)


def _best(prefix: str, level: Level | None, market: int) -> Row:
    """The best column of a level within a market, and by how much it is surely above chance."""
    found: Row = {f"{prefix}_feature": None, f"{prefix}_auc": None, f"{prefix}_error": None}
    if level is None:
        return found
    here = level.market == market
    positive = level.positive[here]
    patterns = len(np.unique(level.pattern[here][positive]))
    if patterns < PATTERNS_MIN or positive.all():
        return found
    columns = [
        (name, kind, None if values is None else values[here], None if codes is None else codes[here])
        for name, kind, values, codes in level.columns
    ]
    best = alone(columns, positive)[0]
    area = float(best["auc"] or 0.5)
    return {f"{prefix}_feature": str(best["feature"]), f"{prefix}_auc": rounded(area),
            f"{prefix}_error": rounded(auc_error(patterns, int((~positive).sum()), area))}  # fmt: skip


def _tree_share(rows: Rows, contest: Contest, scores: tuple[Scores, Scores], here: Flags) -> Row:
    """The tree's share of the full model's average precision within a market, and its lower end (the 2.5% point where
    patterns are drawn with replacement)."""
    test = rows.split.test
    own = here[test]
    positive, pattern = rows.positive[test][own], rows.pattern[test][own]
    names, place = np.unique(pattern[positive], return_inverse=True)
    found: Row = {"patterns_tested": len(names), "tree_share": None, "tree_share_low": None}
    if len(names) < PATTERNS_MIN:
        return found
    full, tree = scores[0][own], scores[1][own]
    rng = np.random.default_rng([contest.settings.seed, 7])
    weight = rows.split.test_weight[own].copy()
    drawn = []
    for draw in range(DRAWS + 1):
        times = np.ones(len(names)) if draw == 0 else rng.multinomial(len(names), np.full(len(names), 1 / len(names)))
        weight[positive] = times[place]
        kept = weight > 0
        share = [average_precision_score(positive[kept], one[kept], sample_weight=weight[kept]) for one in (tree, full)]
        drawn.append(float(share[0] / share[1]))
    low = float(np.quantile(drawn[1:], 0.025))
    return found | {"tree_share": rounded(drawn[0]), "tree_share_low": rounded(low)}


def _market_checks(table: list[Row]) -> tuple[Check, ...]:
    told, few = [row for row in table if row["judged"] == "yes"], _few(table, "market")
    return (
        _worst("market with the best single feature of a side, AUC", told, "side", few),
        _worst("market with the best single feature of a customer, AUC", told, "customer", ""),
        _extreme(told, "tree_share_low", "tree_share", "market where a depth-2 tree is worth most, lower end",
                 TREE_SHARE_MAX),
        _least_untyped(told),
        _extreme(told, "look_alikes_for_each", "look_alikes_for_each",
                 "market with fewest look-alikes, for each typed laundering transfer", VOLUME_MIN, least=True),
    )  # fmt: skip


def _worst(name: str, told: list[Row], prefix: str, few: str) -> Check:
    """The market whose best column is surely furthest up: its AUC less two standard errors."""
    sure = [
        (float(area) - ERRORS * float(error), row)
        for row in told
        if (area := row[f"{prefix}_auc"]) is not None and (error := row[f"{prefix}_error"]) is not None
    ]
    figure, row = max(sure, key=lambda one: one[0], default=(None, None))
    words = (
        f"{row['market']} by {row[f'{prefix}_feature']}: {row[f'{prefix}_auc']:.3f} ± {row[f'{prefix}_error']:.3f}"
        if row
        else f"no market has {PATTERNS_MIN} patterns"
    )
    return Check(
        "markets", f"{name} less {ERRORS:.0f} standard errors", figure, high=SINGLE_AUC_MAX, detail=words + few
    )


def _extreme(told: list[Row], judged: str, shown: str, name: str, limit: float, *, least: bool = False) -> Check:
    rows = [row for row in told if row[judged] is not None]
    if not rows:
        return Check("markets", name, None, detail=f"no market has {PATTERNS_MIN} patterns to say")
    worst = (min if least else max)(rows, key=lambda row: float(row[judged] or 0))
    figure, detail = float(worst[judged] or 0), f"{worst['market']}: {float(worst[shown] or 0):.3f}"
    return Check("markets", name, figure, low=limit if least else None, high=None if least else limit, detail=detail)


def _least_untyped(told: list[Row]) -> Check:
    """The market with the smallest untyped share: the share and two standard errors on top."""
    name = f"market with the least untyped laundering, share plus {ERRORS:.0f} standard errors"
    sure = [
        (float(share) + ERRORS * float(row["untyped_error"] or 0), float(share), row)
        for row in told
        if (share := row["untyped_share"]) is not None
    ]
    if not sure:
        return Check("markets", name, None, detail=f"no market has {PATTERNS_MIN} patterns to say")
    figure, share, row = min(sure, key=lambda one: one[0])
    return Check("markets", name, figure, low=UNTYPED_MIN, detail=f"{row['market']}: {share:.3f}")
