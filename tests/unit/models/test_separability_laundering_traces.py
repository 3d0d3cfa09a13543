"""Traces of the making of transfers, and launderers' accounts: none in a fair world, each seen when it is put in."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from models.separability.laundering import accounts, traces
from models.separability.laundering.material import Laundering
from streams.labels import NS_PER_DAY, NS_PER_S
from tests.unit.models.laundering_world import Made, changed, made, of


@pytest.fixture(scope="module")
def world() -> Made:
    return made()


def test_launderers_without_a_life_and_fresh_accounts_are_found(world: Made) -> None:
    data = world.data
    names = (
        "members' accounts without any genuine transfer",
        "the same for the most isolated typology",
        "members' accounts opened within 30 days before",
    )
    found = accounts.measure(data)
    assert [of(found.checks, name).verdict for name in names] == ["pass"] * 3
    member = np.unique(data.sides.account[data.sides.is_positive])
    genuine = ~np.repeat(data.is_laundering, 2) & np.isin(data.sides.account, member)
    alone = replace(data, sides=replace(data.sides, account=np.where(genuine, -1, data.sides.account)))
    assert [of(accounts.measure(alone).checks, name).verdict for name in names[:2]] == ["fail"] * 2
    opened = data.tables.accounts["opened_at_ns"].to_numpy().copy()
    first = np.full(len(opened), np.iinfo(np.int64).max)
    hit = data.sides.is_positive
    np.minimum.at(first, data.sides.account[hit], data.side_time_ns[hit])
    opened[member] = np.maximum(first[member] - 3 * NS_PER_DAY, data.time_ns[0])
    found = accounts.measure(changed(data, "accounts", opened_at_ns=opened))
    assert of(found.checks, names[2]).verdict == "fail"
    assert of(found.checks, "accounts opened since the start that launder").verdict == "fail"


def _rounder(data: Laundering) -> Laundering:
    amount = data.tables.transfers["amount_minor"].to_numpy()
    return changed(data, "transfers", amount_minor=np.where(data.is_laundering, (amount // 100 + 1) * 100, amount))


def _one_amount(data: Laundering) -> Laundering:
    amount = data.tables.transfers["amount_minor"].to_numpy()
    return changed(data, "transfers", amount_minor=np.where(data.is_laundering, 123_457, amount))


def _whole_minutes(data: Laundering) -> Laundering:
    minutes = data.time_ns // (60 * NS_PER_S) * 60 * NS_PER_S
    return changed(data, "transfers", event_time_ns=np.where(data.is_laundering, minutes, data.time_ns))


def _finer_clock(data: Laundering) -> Laundering:
    return changed(data, "transfers", event_time_ns=data.time_ns + data.is_laundering * 250)


def _appended_ids(data: Laundering) -> Laundering:
    number = np.argsort(np.argsort(data.is_laundering, kind="stable"), kind="stable")
    return changed(data, "transfers", event_id=pa.array([f"x{one:012d}" for one in number]))


def _spelt_otherwise(data: Laundering) -> Laundering:
    names = data.tables.transfers["event_id"].to_pylist()
    told = [f"bad-{name}" if hit else name for name, hit in zip(names, data.is_laundering, strict=True)]
    return changed(data, "transfers", event_id=pa.array(told))


def _unknown_banks(data: Laundering) -> Laundering:
    banks = data.tables.transfers["from_bank"].combine_chunks()
    return changed(data, "transfers", from_bank=pc.if_else(pa.array(data.is_laundering), None, banks))


def _copied(data: Laundering) -> Laundering:
    """Each laundering transfer is written down twice."""
    rows = np.sort(np.concatenate([np.arange(len(data)), np.flatnonzero(data.is_laundering)]))
    taken = {name: getattr(data.tables, name).take(pa.array(rows)) for name in ("transfers", "laundering")}
    pattern, laundering = data.pattern[rows], data.is_laundering[rows]
    return replace(
        data, tables=replace(data.tables, **taken), time_ns=data.time_ns[rows], pattern=pattern,
        is_laundering=laundering,
    )  # fmt: skip


def _first_of_the_instant(data: Laundering) -> Laundering:
    """Whatever comes after a laundering transfer is given its instant."""
    after = np.concatenate([[False], data.is_laundering[:-1]]) & ~data.is_laundering
    before = np.concatenate([data.time_ns[:1], data.time_ns[:-1]])
    return changed(data, "transfers", event_time_ns=np.where(after, before, data.time_ns))


@pytest.mark.parametrize(
    ("change", "trace"),
    [
        (_rounder, "digits of amounts"),
        (_one_amount, "digits of amounts"),
        (_whole_minutes, "digits of the clock"),
        (_finer_clock, "digits of the clock"),
        (_appended_ids, "numbering"),
        (_spelt_otherwise, "spelling of ids"),
        (_unknown_banks, "nulls"),
        (_copied, "duplicates"),
        (_first_of_the_instant, "order"),
    ],
)
def test_a_trace_is_seen(world: Made, change: Callable[[Laundering], Laundering], trace: str) -> None:
    leaky = change(world.data)
    counted = np.flatnonzero(leaky.time_ns >= leaky.time_ns[0] + 28 * NS_PER_DAY)
    assert of(traces.measure(leaky, counted).checks, f"{trace}, AUC").verdict == "fail"


def test_members_accounts_that_are_numbered_first_are_seen(world: Made) -> None:
    """The accounts' table in another order: members' first."""
    data = world.data
    member = np.zeros(len(data.tables.accounts), np.bool_)
    member[data.sides.account[data.sides.is_positive]] = True
    order = np.argsort(~member, kind="stable")
    place = np.argsort(order)
    own = np.where(data.sides.account >= 0, place[data.sides.account], -1)
    leaky = replace(
        data,
        tables=replace(data.tables, accounts=data.tables.accounts.take(pa.array(order))),
        sides=replace(data.sides, account=own),
    )
    check = of(traces.measure(leaky, np.arange(len(data))).checks, "numbering, AUC")
    assert check.verdict == "fail"
    assert check.detail.startswith("place in the table of accounts")
