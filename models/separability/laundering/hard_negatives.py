"""Has every typology its genuine look-alikes, in volume, and are they hard: suspected before others are?"""

import numpy as np
from numpy.typing import NDArray

from models.separability.checks import Check, Findings, rounded
from models.separability.laundering.material import Laundering, Rows
from models.separability.laundering.twins import TWINS
from models.separability.material import NOTHING, Flags
from streams.laundering import UNTYPED

UNTYPED_MIN = 0.30
VOLUME_MIN = 1.0
"""Genuine transfers of a typology's look-alikes for each of its own: as many at least."""
HARD_SHARE, HARD_LIFT_MIN, ROWS_MIN = 0.01, 2.0, 40
"""Of the genuine sides that look worst to the full model, this share; look-alikes are at least so many times as common
there; fewer tested sides of look-alikes than this say nothing."""
Row = dict[str, str | int | float | None]


def measure(data: Laundering, rows: Rows, full: NDArray[np.floating]) -> Findings:
    """The untyped share, and each typology's look-alikes; `full` are the full model's scores of the test part."""
    late = data.time_ns >= rows.start_ns
    untyped = untyped_share(data, late)
    share = Check("hard negatives", "laundering without a pattern's shape, share of transfers", untyped,
                  low=UNTYPED_MIN, detail=f"of {int((data.is_laundering & late).sum())} transfers")  # fmt: skip
    if not data.look_alikes:
        names = (f"typology with fewest {kind}" for kind in ("look-alikes", "hard look-alikes"))
        absent = (Check("hard negatives", name, None, detail="the labels name no look-alikes") for name in names)
        return Findings((share, *absent), {})
    table = [
        _typology(data, rows, full, late, code)
        for code, name in enumerate(data.patterns.typologies)
        if name != UNTYPED and data.transfers_of(code)[late].any()
    ]
    return Findings((share, *_checks(table)), {"hard_negatives": table})


def untyped_share(data: Laundering, among: Flags) -> float | None:
    """The untyped part of the laundering transfers among these; None without any, or where none names a typology."""
    hit = data.is_laundering & among
    if not hit.any() or not data.patterns.typologies:
        return None
    if UNTYPED not in data.patterns.typologies:
        return 0.0
    return float(data.transfers_of(data.patterns.typologies.index(UNTYPED))[hit].mean())


def _typology(data: Laundering, rows: Rows, full: NDArray[np.floating], late: Flags, code: int) -> Row:
    name = data.patterns.typologies[code]
    twins = [data.look_alikes.index(twin) for twin in TWINS.get(name, ()) if twin in data.look_alikes]
    alike = np.isin(data.look_alike, twins) & ~data.is_laundering
    own, twin = int((data.transfers_of(code) & late).sum()), int((alike & late).sum())
    lift, tested = _lift(data, rows, full, alike)
    named = ", ".join(data.look_alikes[one] for one in twins)
    return {"typology": name, "transfers": own, "look_alikes": named,
            "their_transfers": twin, "for_each": rounded(twin / own), "sides_tested": tested,
            "lift": rounded(lift)}  # fmt: skip


def _lift(data: Laundering, rows: Rows, full: NDArray[np.floating], alike: Flags) -> tuple[float | None, int]:
    """How many times as common look-alikes are among the worst genuine sides as among all; how many were tested."""
    test = rows.split.test
    genuine = ~rows.positive[test]
    transfer = rows.number[test] // 2
    mine = genuine & alike[transfer]
    others = genuine & (data.look_alike[transfer] == NOTHING)
    if mine.sum() < ROWS_MIN or not others.any():
        return None, int(mine.sum())
    high = np.quantile(full[others], 1 - HARD_SHARE)
    return float((full[mine] > high).mean() / HARD_SHARE), int(mine.sum())


def _checks(table: list[Row]) -> tuple[Check, Check]:
    fewest = min(table, key=lambda row: float(row["for_each"] or 0), default=None)
    told = [row for row in table if row["lift"] is not None]
    easiest = min(told, key=lambda row: float(row["lift"] or 0), default=None)
    few = ", ".join(str(row["typology"]) for row in table if row["lift"] is None)
    return (
        Check("hard negatives", "typology with fewest look-alikes, their transfers for each of its own",
              float(fewest["for_each"] or 0) if fewest else None, low=VOLUME_MIN,
              detail=f"{fewest['typology']}: {fewest['look_alikes'] or 'none is known'}" if fewest else ""),
        Check("hard negatives", "typology with the least hard look-alikes, how much more they are suspected",
              float(easiest["lift"] or 0) if easiest else None, low=HARD_LIFT_MIN,
              detail=(f"{easiest['typology']}: {easiest['look_alikes']}, share among the worst {HARD_SHARE:.0%} of "
                      "genuine sides over their own share" if easiest else "")
              + (f"; too few to say: {few}" if few else "")),
    )  # fmt: skip
