"""Laundering given to other customers at random: whatever is learnt from it is a leak in features or split."""

from collections.abc import Callable

import numpy as np

from models.separability.checks import Findings, rounded
from models.separability.laundering.customers import runs
from models.separability.laundering.material import Laundering, Rows, Values
from models.separability.learners import Contest, among
from models.separability.material import Flags, Ints
from models.separability.ranking import auc_error
from models.separability.shuffled import area_of, verdict

FeaturesOf = Callable[[Flags], Values]
"""From which rows are positive (as if it were the truth) to the features of the rows."""


def shuffled(rows: Rows, customer: Ints, rng: np.random.Generator) -> tuple[Flags, Ints]:
    """Give the rows of each member of each pattern to rows of the same part drawn at random, as many of them side by
    side when they are put in order of customers: every row is as likely. Which rows are positive now, bool [r], and how
    many members there are in each part [2]."""
    positive = np.zeros(len(rows.number), np.bool_)
    members = []
    for part in (rows.split.train, rows.split.test):
        hit = part[rows.positive[part]]
        _, sizes = np.unique(np.stack([rows.pattern[hit], customer[hit]]), axis=1, return_counts=True)
        order = part[np.argsort(customer[part], kind="stable")]
        begin = rng.integers(0, len(order), len(sizes))
        positive[order[runs(begin, sizes) % len(order)]] = True
        members.append(len(sizes))
    return positive, np.array(members)


def measure(
    data: Laundering, rows: Rows, contest: Contest, features_of: FeaturesOf,
    tell: Callable[[float], None] = lambda _: None,
) -> Findings:  # fmt: skip
    """Shuffle, train, measure against the shuffled truth. Chance is counted by members, not by rows."""
    settings = contest.settings
    rng = np.random.default_rng([settings.seed, 2])
    customer = data.customer[rows.number]
    table = []
    for number in range(settings.permutations):
        positive, members = shuffled(rows, customer, rng)
        area = area_of(among(contest, features_of(positive), positive))
        error = auc_error(int(members[1]), len(contest.split.test) - int(positive[contest.split.test].sum()))
        table.append({"permutation": number, "auc": rounded(area), "standard_error": rounded(error),
                      "errors_from_chance": rounded((area - 0.5) / error)})  # fmt: skip
        tell((number + 1) / settings.permutations)
    return Findings((verdict([row["auc"] for row in table], [row["standard_error"] for row in table]),),
                    {"shuffled_labels": table})  # fmt: skip
