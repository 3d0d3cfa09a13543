"""Frauds reported but not yet booked, because the business day of the report is not closed."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from models.features.batch import Int32s, Int64s


class Reports(NamedTuple):
    """Business days of report and transaction, codes of card and places, by report."""

    reported_day: Int64s
    day: Int64s
    card: Int32s
    terminal: Int32s
    merchant: Int32s
    device: Int32s

    def where(self, rows: npt.NDArray[np.bool_]) -> "Reports":
        """The reports of these rows."""
        chosen: list[npt.NDArray[Any]] = [column[rows] for column in self]
        return Reports(*chosen)

    def followed_by(self, more: "Reports") -> "Reports":
        """These reports and then those."""
        joined: list[npt.NDArray[Any]] = [np.concatenate((self[at], more[at])) for at in range(len(self))]
        return Reports(*joined)


_NONE64, _NONE32 = np.zeros(0, np.int64), np.zeros(0, np.int32)
NO_REPORTS = Reports(_NONE64, _NONE64, _NONE32, _NONE32, _NONE32, _NONE32)
REPORT_LAYOUT: dict[str, tuple[Any, tuple[int | None, ...]]] = {
    f"reports_{name}": (column.dtype.type, (None,)) for name, column in NO_REPORTS._asdict().items()
}


def report_arrays(reports: Reports) -> dict[str, npt.NDArray[Any]]:
    """Reports as arrays for a snapshot."""
    return {f"reports_{name}": column for name, column in reports._asdict().items()}


def reports_of(arrays: Mapping[str, npt.NDArray[Any]]) -> Reports:
    """The reports that `report_arrays` wrote."""
    return Reports(*(arrays[f"reports_{name}"] for name in Reports._fields))
