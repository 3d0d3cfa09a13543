"""Are launderers' accounts anybody's accounts: with a life beside laundering, and opened when others are?"""

from typing import Any

import numpy as np

from models.separability.checks import Check, Findings, rounded
from models.separability.laundering.groups import PATTERNS_MIN
from models.separability.laundering.material import Laundering
from models.separability.material import NOTHING, Flags, Ints
from streams.labels import NS_PER_DAY

WITHOUT_LIFE_MAX, WITHOUT_LIFE_TYPOLOGY_MAX = 0.10, 0.75
FRESH_DAYS, FRESH_MAX, LAUNDERING_AMONG_FRESH_MAX = 30, 0.25, 0.25
"""Where more than an eighth of the older accounts launder, twice that share may of the fresh ones."""
FRESH_MIN = 20
"""Fewer accounts opened while it lasts than this say nothing about who opens accounts."""


def measure(data: Laundering) -> Findings:
    """All checks of members' accounts."""
    count = len(data.tables.accounts)
    own, positive = data.sides.account, data.sides.is_positive
    member = np.zeros(count + 1, np.bool_)
    member[own[positive]] = True
    lives = np.zeros(count + 1, np.bool_)
    lives[own[~np.repeat(data.is_laundering, 2)]] = True
    member, lives = member[:count], lives[:count]
    table = _by_typology(data, lives)
    judged = [row for row in table if row["patterns"] >= PATTERNS_MIN]
    worst = max(judged, key=lambda row: float(row["without_life"]), default=None)
    alone = float((~lives[member]).mean())
    return Findings(
        (
            Check("accounts", "members' accounts without any genuine transfer, share", alone, high=WITHOUT_LIFE_MAX,
                  detail=f"{int((member & ~lives).sum())} of {int(member.sum())} accounts"),
            Check("accounts", "the same for the most isolated typology",
                  float(worst["without_life"]) if worst else None, high=WITHOUT_LIFE_TYPOLOGY_MAX,
                  detail=str(worst["typology"]) if worst else f"no typology has {PATTERNS_MIN} patterns"),
            *_fresh(data, member),
        ),
        {"members_accounts": table},
    )  # fmt: skip


def _by_typology(data: Laundering, lives: Flags) -> list[dict[str, Any]]:
    pattern, own = data.side_pattern, data.sides.account
    table: list[dict[str, Any]] = []
    for code, name in enumerate(data.patterns.typologies):
        sides = (pattern != NOTHING) & (data.patterns.typology[pattern] == code)
        accounts = np.unique(own[sides])
        if len(accounts):
            table.append({"typology": name, "patterns": len(np.unique(pattern[sides])), "accounts": len(accounts),
                          "without_life": float(rounded(float((~lives[accounts]).mean())) or 0.0)})  # fmt: skip
    return table


def _fresh(data: Laundering, member: Flags) -> tuple[Check, Check]:
    """Accounts opened shortly before they launder, and how many of those opened in this time ever do."""
    opened = data.tables.accounts["opened_at_ns"].to_numpy()
    begins = _first_laundering(data, len(member))
    young = (begins[member] - opened[member]) < FRESH_DAYS * NS_PER_DAY
    start_ns = int(data.time_ns[0])
    seen = np.zeros(len(member) + 1, np.bool_)
    seen[data.sides.account] = True
    fresh = (opened >= start_ns) & seen[: len(member)]
    told, older = int(fresh.sum()) >= FRESH_MIN, float(member[~fresh].mean())
    return (
        Check("accounts", f"members' accounts opened within {FRESH_DAYS} days before they launder, share",
              float(young.mean()), high=FRESH_MAX, detail=f"{int(young.sum())} of {int(member.sum())} accounts"),
        Check("accounts", "accounts opened since the start that launder, share",
              float(member[fresh].mean()) if told else None, high=max(LAUNDERING_AMONG_FRESH_MAX, 2 * older),
              detail=f"{int(member[fresh].sum())} of {int(fresh.sum())}; of the older ones "
              f"{older:.1%}"),
    )  # fmt: skip


def _first_laundering(data: Laundering, count: int) -> Ints:
    found = np.full(count, np.iinfo(np.int64).max)
    hit = data.sides.is_positive
    np.minimum.at(found, data.sides.account[hit], data.side_time_ns[hit])
    return found
