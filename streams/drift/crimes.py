"""Which events are of one crime: drifts take out or press whole crimes, not events."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from streams.drift.columns import coded, ints
from streams.drift.material import Material, Rows
from streams.labels import NS_PER_DAY
from streams.worlds.arrays import Ints

GENUINE = -1
APART_NS = 14 * NS_PER_DAY
"""Frauds of one scenario on one card that lie further apart are two crimes."""
WHAT = {"fraud": "scenario", "aml": "typology"}
"""The label's column that names what a crime is."""


@dataclass(frozen=True, slots=True)
class Crimes:
    """The number of each event's crime in history and in stream (`GENUINE`: of none), and when each began (ns)."""

    history: Ints
    stream: Ints
    began_ns: Ints

    def __len__(self) -> int:
        return len(self.began_ns)


def crimes_of(material: Material) -> Crimes:
    """A pattern of laundering is a crime; of cards, whose campaigns nobody tells, a scenario's frauds on one card."""
    history, stream = material.history, material.stream
    bad = np.concatenate([material.bad(history), material.bad(stream)])
    times = np.concatenate([history.time_ns, stream.time_ns])
    groups = _groups(material)
    rows = np.flatnonzero(bad)
    rows = rows[np.lexsort((times[rows], groups[rows]))]
    begins = np.ones(len(rows), np.bool_)
    apart = np.diff(times[rows]) > (APART_NS if material.domain == "fraud" else np.iinfo(np.int64).max - 1)
    begins[1:] = (np.diff(groups[rows]) != 0) | apart
    numbers = np.full(len(bad), GENUINE, np.int64)
    numbers[rows] = np.cumsum(begins) - 1
    return Crimes(numbers[: len(history)], numbers[len(history) :], times[rows[begins]])


def _groups(material: Material) -> Ints:
    labels = [rows.labels for rows in (material.history, material.stream)]
    if material.domain == "aml":
        return np.concatenate([ints(table["pattern_id"], missing=GENUINE) for table in labels])
    names, words = coded(pa.concat_tables([table.select(["scenario"]) for table in labels])["scenario"])
    owners = np.concatenate(material.owners()[:2])
    return np.asarray(owners * (len(words) + 1) + names + 1, np.int64)


def named(material: Material, rows: Rows) -> tuple[Ints, list[str]]:
    """Each event's scenario or typology as a code (-1: none), and the words."""
    codes, words = coded(rows.labels[WHAT[material.domain]])
    return codes.astype(np.int64), words
