"""Error rates by customer segment and by region: are the genuine customers of one group flagged more than others?"""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from harness.quality.flags import share
from harness.quality.intervals import apart, wilson
from harness.quality.scored import Bools, Codes, Scored, codes_of

GENUINE_MIN = 200
"""Groups with fewer genuine events are listed, but not compared: one flag more or less would make them the worst."""


def group_codes(scored: Scored, profiles: pa.Table, column: str) -> tuple[Codes, list[str]]:
    """Each event's group, int32 [n] (−1: its card has no profile, or none is known), and the groups' names.

    `profiles` is PROFILE_SCHEMA, one row a card; `column` is segment or region.
    """
    codes, names = codes_of(profiles[column])
    row = pc.index_in(pa.array(scored.card_names, pa.string()), value_set=profiles["card_id"].combine_chunks())
    of_card = np.append(codes, np.int32(-1))[row.fill_null(len(codes)).to_numpy()]
    return of_card[scored.card], names


def error_rates(scored: Scored, group: Codes, names: list[str]) -> dict[str, Any]:
    """Rows of each group (the largest first), of all events, and the bias check; see `disparity`."""
    rows = [{"name": name, **_rates(scored, group == code)} for code, name in enumerate(names) if (group == code).any()]
    rows.sort(key=lambda row: (-row["events"], row["name"]))
    overall = {"name": "all", **_rates(scored, np.ones(len(scored), bool))}
    return {
        "groups": rows,
        "overall": overall,
        "unknown": int((group < 0).sum()),
        "disparity": disparity(rows, overall),
    }


def _rates(scored: Scored, chosen: Bools) -> dict[str, Any]:
    fraud, flagged = scored.is_fraud & chosen, scored.flagged & chosen
    events, frauds, alerts = int(chosen.sum()), int(fraud.sum()), int(flagged.sum())
    caught = int((fraud & flagged).sum())
    found: dict[str, Any] = {"events": events, "frauds": frauds, "flagged": alerts, "caught": caught}
    for name, part, whole in (
        ("recall", caught, frauds),
        ("false_positive_rate", alerts - caught, events - frauds),
        ("precision", caught, alerts),
    ):
        found[name] = share(part, whole)
        interval = wilson(part, whole)
        found[f"{name}_low"], found[f"{name}_high"] = interval["low"], interval["high"]
    return found


def disparity(rows: list[dict[str, Any]], overall: dict[str, Any]) -> dict[str, Any] | None:
    """The group whose genuine customers are flagged most, against all: `ratio` of false-positive rates (predictive
    equality; Corbett-Davies et al., KDD 2017), and whether its interval lies apart from the overall one.

    Only groups with at least GENUINE_MIN genuine events are compared; None when none has, or nothing was flagged.
    """
    judged = [row for row in rows if row["events"] - row["frauds"] >= GENUINE_MIN]
    rate = overall["false_positive_rate"]
    if not judged or not rate:
        return None
    worst = max(judged, key=lambda row: row["false_positive_rate"])
    ends = [
        {"low": row["false_positive_rate_low"], "high": row["false_positive_rate_high"]} for row in (worst, overall)
    ]
    return {
        "group": worst["name"],
        "false_positive_rate": worst["false_positive_rate"],
        "overall": rate,
        "ratio": worst["false_positive_rate"] / rate,
        "intervals_overlap": not apart(*ends),
        "compared": len(judged),
    }
