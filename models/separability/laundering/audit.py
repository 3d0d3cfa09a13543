"""The whole audit of money laundering: every check on labelled transfers, as one dictionary that a file can hold."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xgboost
from numpy.typing import NDArray

from models.aml.history import replay
from models.boosting import margins
from models.features.batch import Status
from models.graph.catalog import AML_FEATURES
from models.progress import Tell, silent
from models.separability.checks import Check, Findings
from models.separability.depth import TREE_SHARE_MAX, families_of, family_check, learnable, row_of, tree_check
from models.separability.document import document, within
from models.separability.laundering import accounts, customers, groups, hard_negatives, shuffle, traces
from models.separability.laundering.columns import columns_of
from models.separability.laundering.customers import Periods, periods_of
from models.separability.laundering.groups import Level
from models.separability.laundering.material import Laundering, Rows, Values, read_laundering, split_sides
from models.separability.learners import Contest, enter, smaller
from models.separability.material import NOTHING, Flags, thinned
from models.separability.settings import AuditSettings
from models.separability.single_feature import Column, alone, best_check
from streams.labels import NS_PER_DAY

STEPS: tuple[tuple[str, float], ...] = (
    ("read transfers", 0.03),
    ("compute features", 0.45),
    ("single features", 0.60),
    ("train the full model", 0.75),
    ("feature families", 0.88),
    ("shuffled labels", 0.94),
    ("typologies, markets and traces", 1.0),
)
SHARE_MIN, SHARE_MAX = 0.0001, 0.02
SIDE, CUSTOMER = "a transfer's side", "a customer's period"
SIDE_TREE = f"depth-2 tree of {SIDE}, share of the full model's average precision"
CUSTOMER_TREE = f"depth-2 tree of {CUSTOMER}, share of the full model's average precision above chance"
TESTED_MIN = 30
"""Fewer tested patterns than this say nothing about how customers rank."""


def audit_transfers(
    events: Sequence[Path],
    labels: Sequence[Path],
    beside: tuple[Path, Path],
    settings: AuditSettings,
    tell: Tell = silent,
) -> dict[str, Any]:
    """Audit files of transfers, one after another in time; `beside` are those of the accounts and of the members.

    Raises `BadInputError` for what cannot be used.
    """
    within(tell, STEPS, "read transfers")
    return audit(read_laundering(events, labels, *beside), settings, tell)


def audit(data: Laundering, settings: AuditSettings, tell: Tell = silent) -> dict[str, Any]:
    """Every check. The same transfers and the same settings give the same dictionary."""
    within(tell, STEPS, "compute features")
    block = replay(data.tables)
    return judge(data, block.values, block.status != Status.REPEATED, settings, tell)


def judge(
    data: Laundering, values: Values, counts: Flags, settings: AuditSettings, tell: Tell = silent
) -> dict[str, Any]:
    """Every check of these features: float32 [2n, F], and which transfers count (bool [n])."""
    within(tell, STEPS, "single features")
    rows = split_sides(data, values, counts, settings)
    periods = periods_of(data, values, counts, rows, settings)
    material = _Material(data, rows, periods, settings)
    found = [material.single()]
    within(tell, STEPS, "train the full model")
    contest = enter(rows.values, rows.positive, rows.split, settings)
    booster = contest.fit()
    full = margins(booster, contest.values[rows.split.test], settings.nthread)
    best = None if periods is None else _best(values, periods, booster, settings)
    tree = contest.tree_scores()
    found.append(_depth(contest, full, tree, within(tell, STEPS, "feature families")))
    found.append(customers_depth(periods, best, settings))
    again = within(tell, STEPS, "shuffled labels")
    found.append(shuffle.measure(data, rows, smaller(contest), lambda _: rows.values, again))
    within(tell, STEPS, "typologies, markets and traces")
    found.append(share(data, rows))
    found.append(hard_negatives.measure(data, rows, full))
    found.append(material.typologies(full))
    found.append(groups.by_market(data, rows, material.levels(), contest, (full, tree)))
    counted = np.flatnonzero(counts & (data.time_ns >= rows.start_ns))
    found += [accounts.measure(data), traces.measure(data, counted)]
    return document(_data(data), settings, found, (len(rows.split.train), len(rows.split.test)))


class _Material:
    """The columns of both levels, made once."""

    def __init__(self, data: Laundering, rows: Rows, periods: Periods | None, settings: AuditSettings) -> None:
        self.data, self.rows, self.periods, self.settings = data, rows, periods, settings
        self.columns = columns_of(data, rows)
        self.of_customers = [] if periods is None else customers.columns_of(periods)

    def single(self) -> Findings:
        """Every column by itself, of sides and of customers' periods."""
        positive = self.rows.positive
        table = alone(self.columns, positive)
        throws = len(np.unique(self.rows.pattern[positive]))
        checks = [best_check(f"best single feature of {SIDE}, AUC", table, positive, throws)]
        tables = {"single_features": table}
        name = f"best single feature of {CUSTOMER}, AUC"
        if self.periods is None:
            checks.append(Check("single feature", name, None, detail=_short(self.settings)))
        else:
            tables["customer_features"] = alone(self.of_customers, self.periods.positive)
            throws = len(np.unique(self.periods.pattern[self.periods.positive]))
            checks.append(best_check(name, tables["customer_features"], self.periods.positive, throws))
        return Findings(tuple(checks), tables)

    def typologies(self, full: NDArray[np.floating]) -> Findings:
        """Each typology by itself."""
        return groups.by_typology(self.data, self.rows, self.columns, full, self.settings)

    def levels(self) -> tuple[Level, Level | None]:
        """What markets are judged on: sides (thinned out once more) and customers' periods."""
        rng = np.random.default_rng([self.settings.seed, 5])
        kept, _ = thinned(np.arange(len(self.rows.number)), self.rows.positive, 2 * self.settings.genuine_compared, rng)
        columns: list[Column] = [
            (name, kind, None if values is None else values[kept], None if codes is None else codes[kept])
            for name, kind, values, codes in self.columns
        ]
        market = self.data.market[self.rows.number[kept]]
        sides = Level(columns, self.rows.positive[kept], self.rows.pattern[kept], market)
        if self.periods is None:
            return sides, None
        periods = self.periods
        return sides, Level(self.of_customers, periods.positive, periods.pattern, periods.market)


def _best(values: Values, periods: Periods, booster: xgboost.Booster, settings: AuditSettings) -> NDArray[np.floating]:
    """Each customer's period of the test as a worklist ranks it: by the highest score of its sides."""
    seen = values[periods.sides_of(periods.split.test)]
    seen[np.isinf(seen)] = np.nan
    return periods.best(margins(booster, seen, settings.nthread), periods.split.test)


def _depth(
    contest: Contest, full: NDArray[np.floating], tree: NDArray[np.floating], tell: Callable[[float], None]
) -> Findings:
    """Sides: the tree and the families of features against the full model."""
    whole, two = contest.skill(full), contest.skill(tree)
    families = families_of(smaller(contest), AML_FEATURES, tell)
    checks = (
        learnable(contest, whole, "laundering"),
        tree_check(SIDE_TREE, two, whole),
        family_check(families, None),
    )
    return Findings(checks, {"families": families, "models": [row_of("full", whole), row_of("depth-2 tree", two)]})


def customers_depth(periods: Periods | None, best: NDArray[np.floating] | None, settings: AuditSettings) -> Findings:
    """Customers' periods: a tree against the better of the two ways to rank them, `best` (the best side's score) and a
    model of the periods' own columns; each by what it is worth above chance, which is much where many launder."""
    if periods is None or best is None:
        return Findings((Check("depth", CUSTOMER_TREE, None, detail=_short(settings)),), {})
    contest = smaller(enter(periods.values, periods.positive, periods.split, settings))
    ranked = {"best side": contest.skill(best), "model of periods": contest.skill(contest.scores())}
    two = contest.skill(contest.tree_scores())
    way, whole = max(ranked.items(), key=lambda one: one[1].average_precision)
    hit, weight = periods.positive[periods.split.test], periods.split.test_weight
    chance = float(weight[hit].sum() / weight.sum())
    patterns = len(np.unique(periods.pattern[periods.split.test][hit]))
    above = whole.average_precision - chance
    told = above > 0 and patterns >= TESTED_MIN
    check = Check(
        "depth", CUSTOMER_TREE, max(two.average_precision - chance, 0.0) / above if told else None, high=TREE_SHARE_MAX,
        detail=f"average precision {two.average_precision:.3f}, AUC {two.roc_auc:.3f}; {way} "
        f"{whole.average_precision:.3f}; chance {chance:.4f}; {patterns} patterns tested"
        + ("" if told else f", too few to say (at least {TESTED_MIN})"),
    )  # fmt: skip
    models = [row_of(one, found) for one, found in ({**ranked, "depth-2 tree": two}).items()]
    return Findings((check,), {"customer_models": models})


def share(data: Laundering, rows: Rows) -> Findings:
    """How much of the transfers is laundering."""
    late = data.time_ns >= rows.start_ns
    found = float(data.is_laundering[late].mean())
    patterns = len(np.unique(data.pattern[late & data.is_laundering]))
    return Findings(
        (Check("motifs", "laundering transfers, share", found, SHARE_MIN, SHARE_MAX,
               f"{int(data.is_laundering[late].sum())} transfers in {patterns} patterns"),),
        {},
    )  # fmt: skip


def _data(data: Laundering) -> dict[str, Any]:
    return {
        "transfers": len(data),
        "laundering": int(data.is_laundering.sum()),
        "patterns": len(data.patterns.ids),
        "customers": len(np.unique(data.customer[data.customer != NOTHING])),
        "markets": len(data.patterns.markets),
        "days": round((int(data.time_ns[-1]) - int(data.time_ns[0])) / NS_PER_DAY, 3),
    }


def _short(settings: AuditSettings) -> str:
    return f"a part has no period of {settings.period_days} days with laundering and without: give a longer stream"
