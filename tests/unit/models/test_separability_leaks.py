"""Traces of the making: none in a clean stream, and each kind is seen when it is put in."""

from collections.abc import Callable

import numpy as np
import pytest

from models.separability.leaks import measure
from models.separability.material import Truth
from streams.labels import NS_PER_DAY, NS_PER_S
from tests.unit.models.separability_stream import Stream, make_stream

Change = Callable[[Stream], None]
GROUPS = ("nulls", "digits of amounts", "digits of the clock", "numbering", "spelling of ids", "duplicates")


@pytest.fixture(scope="module")
def good() -> Stream:
    return make_stream(seed=3)


def broken(truth: Truth) -> set[str]:
    found = measure(truth, np.arange(len(truth)))
    return {check.name.removesuffix(", AUC") for check in found.checks if check.verdict == "fail"}


def test_a_clean_stream_has_no_traces(good: Stream) -> None:
    found = measure(good.truth(), np.arange(len(good.fraud)))
    assert {check.name.removesuffix(", AUC"): check.verdict for check in found.checks} == dict.fromkeys(GROUPS, "pass")


def _unknown_devices(stream: Stream) -> None:
    stream.columns["device"][stream.fraud] = -1


def _round_amounts(stream: Stream) -> None:
    amount = stream.columns["amount"]
    stream.columns["amount"] = np.where(stream.fraud, (amount // 100 + 1) * 100, amount)


def _whole_minutes(stream: Stream) -> None:
    time_ns = stream.columns["time_ns"]
    stream.columns["time_ns"] = np.where(stream.fraud, time_ns // (60 * NS_PER_S) * 60 * NS_PER_S, time_ns)


def _finer_clock(stream: Stream) -> None:
    stream.columns["time_ns"] = stream.columns["time_ns"] + stream.fraud * 250


def _appended_ids(stream: Stream) -> None:
    stream.columns["event"] = np.argsort(np.argsort(stream.fraud, kind="stable"), kind="stable")


def _victims_numbered_first(stream: Stream) -> None:
    card = stream.columns["card"]
    victims = np.unique(card[stream.fraud])
    number = np.where(np.isin(np.arange(card.max() + 1), victims), 0, 1_000) + np.arange(card.max() + 1)
    stream.columns["card"] = number[card]


def _copied_rows(stream: Stream) -> None:
    stolen = stream.keep(stream.fraud).columns
    stream.columns = {name: np.concatenate([values, stolen[name]]) for name, values in stream.columns.items()}


@pytest.mark.parametrize(
    ("change", "trace", "renumber"),
    [
        (_unknown_devices, "nulls", True),
        (_round_amounts, "digits of amounts", True),
        (_whole_minutes, "digits of the clock", True),
        (_finer_clock, "digits of the clock", True),
        (_appended_ids, "numbering", False),
        (_victims_numbered_first, "numbering", True),
        (_copied_rows, "duplicates", True),
    ],
)
def test_a_trace_is_seen(good: Stream, change: Change, trace: str, renumber: bool) -> None:
    stream = Stream({name: values.copy() for name, values in good.columns.items()})
    change(stream)
    assert broken((stream.sorted() if renumber else stream).truth()) == {trace}


def test_an_event_id_spelt_otherwise_is_seen(good: Stream) -> None:
    prefix = np.where(good.fraud, "fr-", "t")
    assert "spelling of ids" in broken(good.truth(prefix))


def test_few_frauds_by_chance_are_no_trace() -> None:
    """Thirty frauds among many: digits that chance gave them must not be taken for a leak."""
    stream = make_stream(seed=9)
    rng = np.random.default_rng(1)
    alarms = 0
    for _ in range(8):
        chosen = rng.random(len(stream.fraud)) < 40 / len(stream.fraud)
        columns = stream.columns | {"scenario": np.where(chosen, 0, -1)}
        alarms += len(broken(Stream(columns).truth()))
    assert alarms <= 1


def test_what_the_channel_says_is_no_trace(good: Stream) -> None:
    """Devices are known online only; frauds that are mostly online have more of them, as anybody's would."""
    stream = Stream({name: values.copy() for name, values in good.columns.items()})
    time_ns = stream.columns["time_ns"]
    stream.columns["online"] = stream.fraud | (time_ns // NS_PER_DAY % 3 == 0)
    stream.columns["device"] = np.where(stream.columns["online"], stream.columns["card"], -1)
    assert "nulls" not in broken(stream.truth())
