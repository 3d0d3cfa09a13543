"""Which features drive the model's decisions: mean absolute contribution, overall and within groups of events.

The mean of |SHAP value| as the importance of a feature is that of Lundberg et al., From local explanations to global
understanding (Nature Machine Intelligence 2, 2020); contributions add up to the margin (log-odds). Rows of
importance.parquet are a sample, so each counts with its weight.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from harness.quality.scored import codes_of
from harness.report.contents import RunContents
from streams.labels import NS_PER_DAY

NOT_FEATURES = ("event_id", "weight", "base")
DAY_COLUMNS_MAX = 21
ROWS_MIN = {"scenario": 5, "segment": 20, "day": 20}
"""Groups with fewer sampled decisions are left out (and named): their mean says little. The frauds of a scenario are
all sampled and of a kind, so that fewer of them say enough."""
GENUINE_APPROVED, GENUINE_FLAGGED = "genuine, approved", "genuine, flagged"
NO_DAY = -1
_EPOCH = dt.date(1970, 1, 1)
Floats = npt.NDArray[np.float64]
Groups = dict[str, npt.NDArray[np.bool_]]


@dataclass(frozen=True, slots=True)
class Drivers:
    """`size` float64 [features]: mean |contribution| over all decisions of the model, in log-odds; `features` in that
    order, the largest first. `groups`: by scenario, segment, day."""

    sampled: int
    features: list[str]
    size: Floats
    groups: dict[str, "Grouped"]


@dataclass(frozen=True, slots=True)
class Grouped:
    """Of each group in `names`, the features' shares of its own mean |contribution|, float64 [features, groups];
    `left_out` had too few decisions in the sample."""

    names: list[str]
    shares: Floats
    left_out: list[str]


def drivers_of(run: RunContents) -> Drivers | None:
    """From importance.parquet and what the folder knows of its events; None without it."""
    rows = run.importance
    if rows is None or len(rows) == 0 or run.events is None:
        return None
    names = [name for name in rows.column_names if name not in NOT_FEATURES]
    values = np.abs(np.column_stack([rows[name].cast(pa.float64()).to_numpy() for name in names]))
    weight = rows["weight"].cast(pa.float64()).to_numpy()
    overall = weight @ values / weight.sum()
    order = np.argsort(-overall, kind="stable")
    values = values[:, order]
    grouped = {"scenario": _by_scenario(run, rows), "segment": _by_segment(run, rows), "day": _by_day(run, rows)}
    return Drivers(
        sampled=len(rows),
        features=[names[place] for place in order],
        size=overall[order],
        groups={kind: _shares(values, weight, groups, ROWS_MIN[kind]) for kind, groups in grouped.items()},
    )


def _shares(values: Floats, weight: Floats, groups: Groups, rows_min: int) -> Grouped:
    kept = {name: rows for name, rows in groups.items() if rows.sum() >= rows_min}
    columns = []
    for rows in kept.values():
        mean = weight[rows] @ values[rows]
        columns.append(mean / mean.sum() if mean.sum() else mean)
    shares = np.column_stack(columns) if columns else np.empty((values.shape[1], 0))
    return Grouped(list(kept), shares, [name for name in groups if name not in kept])


def _of_sample(ids: pa.ChunkedArray, table: pa.Table, columns: Sequence[str], key: str = "event_id") -> pa.Table:
    place = pc.index_in(ids.combine_chunks().cast(pa.string()), value_set=table[key].combine_chunks().cast(pa.string()))
    return table.select(list(columns)).take(place)


def _named(codes: npt.NDArray[np.int32], names: list[str]) -> Groups:
    counted = sorted(((int((codes == code).sum()), name, code) for code, name in enumerate(names)), reverse=True)
    return {name: codes == code for _, name, code in counted}


def _by_scenario(run: RunContents, rows: pa.Table) -> Groups:
    if run.labels is None or run.decisions is None:
        return {}
    guilty, kind = ("is_fraud", "scenario") if "is_fraud" in run.labels.names else ("is_laundering", "typology")
    truth = _of_sample(rows["event_id"], run.labels.among(rows["event_id"], (guilty, kind)), (guilty, kind))
    decided = run.decisions.among(rows["event_id"], ("outcome",))
    outcome = _of_sample(rows["event_id"], decided, ("outcome",))["outcome"].cast(pa.string())
    # of what a damaged file does not tell nothing is taken for genuine, or for approved
    genuine = ~truth[guilty].cast(pa.bool_()).fill_null(True).to_numpy()
    approved = pc.equal(outcome, "approve").fill_null(False).to_numpy()
    flagged = pc.is_in(outcome, value_set=pa.array(["review", "block"])).to_numpy()
    groups = _named(*codes_of(truth[kind]))
    return {**groups, GENUINE_FLAGGED: genuine & flagged, GENUINE_APPROVED: genuine & approved}


def _by_segment(run: RunContents, rows: pa.Table) -> Groups:
    if run.profiles is None or run.events is None:
        return {}
    held = run.events.among(rows["event_id"], ("card_id",))
    cards = _of_sample(rows["event_id"], held, ("card_id",))["card_id"]
    return _named(*codes_of(_of_sample(cards, run.profiles, ("segment",), "card_id")["segment"]))


def _by_day(run: RunContents, rows: pa.Table) -> Groups:
    """Event-days, or runs of as many days as keep the columns few."""
    if run.events is None:
        return {}
    happened = run.events.among(rows["event_id"], ("event_time_ns",))
    times = _of_sample(rows["event_id"], happened, ("event_time_ns",))["event_time_ns"].cast(pa.int64())
    known = times.is_valid().to_numpy()
    if not known.any():
        return {}
    day = times.fill_null(0).to_numpy() // NS_PER_DAY
    first = int(day[known].min())
    step = 1 + (int(day[known].max()) - first) // DAY_COLUMNS_MAX
    place = np.where(known, (day - first) // step, NO_DAY)
    dates = {int(p): _EPOCH + dt.timedelta(days=first + int(p) * step) for p in np.unique(place[known])}
    return {f"{date.day} {date:%b}": place == p for p, date in dates.items()}
