"""What holds for every kind of drift, in every domain it is for."""

from typing import Any

import numpy as np
import pyarrow.compute as pc
import pytest

from models.features.catalog import FEATURES
from models.graph.catalog import AML_FEATURES
from streams.codec import decode_transactions, decode_transfers, encode_events
from streams.drift.applying import apply_drifts
from streams.drift.blame import is_blamed
from streams.drift.kinds import KINDS
from streams.drift.material import Material, Rows
from streams.drift.truth import truth_table
from tests.unit.streams.drift.made import CASES, apply_one, ids, make, onset_of, plain

TAKES_OUT = {"fraud-share", "new-scenario", "new-typology", "customer-growth"}
"""Kinds that say that something was not there before."""
ADDS = {"adapting-criminals", "threshold-moved", "duplicate-feed", "payday", "holiday-surge"}
OF_SCHEDULE_OR_PRESENCE = {*TAKES_OUT, "higher-load", "upstream-filter"}
"""Kinds that change no field of an event."""
DRAWS_NOTHING = {"higher-load", "upstream-filter", "amount-inflation", "cents-for-units", "category-recoded",
                 "clock-shifted", "new-scenario", "new-typology"}  # fmt: skip
"""Of a share of 1, or of all crimes of a name."""


def places_of(rows: Rows, among: Rows) -> Any:
    """Where the events stand among others, by their ids; -1 where they do not."""
    found = pc.index_in(rows.events["event_id"], value_set=among.events["event_id"].combine_chunks())
    return found.fill_null(-1).to_numpy()


def differing(rows: Rows, others: Rows) -> dict[str, Any]:
    """For each field which events say something else there than those beside them, bool [n]."""
    left, right = plain(rows.events), plain(others.events)
    found = {}
    for name in left.column_names:
        same = pc.fill_null(pc.equal(left[name], right[name]), False).to_numpy()
        both_missing = left[name].is_null().to_numpy() & right[name].is_null().to_numpy()
        found[name] = ~(same | both_missing)
    return found


@pytest.mark.parametrize(("kind", "domain"), CASES)
def test_nothing_changes_before_the_onset(kind: str, domain: str, materials: dict[str, Material]) -> None:
    before = materials[domain]
    after, _ = apply_one(make(kind, domain), before)
    early = {side: m.stream.keep(m.stream.time_ns < onset_of(before)) for side, m in (("was", before), ("is", after))}
    assert 0 < len(early["is"]) < len(after.stream)
    if kind in TAKES_OUT:
        for was, found in ((early["was"], early["is"]), (before.history, after.history)):
            places = places_of(found, was)
            assert (places >= 0).all()
            assert plain(found.events).equals(plain(was.events.take(places)))
            assert plain(found.labels).equals(plain(was.labels.take(places)))
        return
    assert plain(early["is"].events).equals(plain(early["was"].events))
    assert plain(early["is"].labels).equals(plain(early["was"].labels))
    assert not early["is"].marks.any()
    assert after.history is before.history
    assert after.accounts is before.accounts


@pytest.mark.parametrize(("kind", "domain"), CASES)
def test_what_is_marked_changed_and_nothing_else_did(kind: str, domain: str, materials: dict[str, Material]) -> None:
    before, drift = materials[domain], make(kind, domain)
    after, truth = apply_one(drift, before)
    assert after.stream.touched(0).any() == (kind != "upstream-filter")
    places = places_of(after.stream, before.stream)
    assert after.stream.touched(0)[places < 0].all()
    there = after.stream.keep(places >= 0)
    differs = differing(there, before.stream.take(places[places >= 0]))
    changed = np.logical_or.reduce(list(differs.values()))
    touched = there.touched(0)
    assert not changed[~touched].any()
    assert changed[touched].all() or kind in {*OF_SCHEDULE_OR_PRESENCE, "category-mix"}
    changed_fields = {name for name, which in differs.items() if which.any()}
    assert changed_fields <= set(truth.fields)
    if kind not in {*OF_SCHEDULE_OR_PRESENCE, "duplicate-feed", "payday", "holiday-surge"}:
        assert changed_fields


@pytest.mark.parametrize(("kind", "domain"), CASES)
def test_the_same_seed_gives_the_same_bytes(kind: str, domain: str, materials: dict[str, Material]) -> None:
    def told(seed: int) -> tuple[object, ...]:
        after, truth = apply_one(make(kind, domain), materials[domain], seed)
        table = truth_table(after.stream, 1)
        accounts = None if after.accounts is None else plain(after.accounts)
        return plain(after.stream.events), plain(after.stream.labels), plain(table), truth, accounts

    assert told(5) == told(5)
    if kind not in DRAWS_NOTHING:
        assert told(5) != told(6)


@pytest.mark.parametrize(("kind", "domain"), CASES)
def test_events_stay_events(kind: str, domain: str, materials: dict[str, Material]) -> None:
    before = materials[domain]
    after, _ = apply_one(make(kind, domain), before)
    for rows, original in ((after.history, before.history), (after.stream, before.stream)):
        assert rows.events.schema.equals(original.events.schema)
        assert rows.labels.schema.equals(original.labels.schema)
        rows.events.validate(full=True)
        rows.labels.validate(full=True)
        assert (ids(rows.events) == ids(rows.labels)).all()
        assert (np.diff(rows.time_ns) >= 0).all()
    assert len(set(ids(after.stream.events))) == len(after.stream)
    decode = decode_transactions if domain == "fraud" else decode_transfers
    messages = encode_events(after.stream.events)
    found, _, malformed = decode(messages)
    assert (len(found), malformed) == (len(after.stream), [])


@pytest.mark.parametrize(("kind", "domain"), CASES)
def test_the_truth_is_right(kind: str, domain: str, materials: dict[str, Material]) -> None:
    before, drift = materials[domain], make(kind, domain)
    after, truth = apply_one(drift, before)
    was, found = set(ids(before.stream.events)), set(ids(after.stream.events))
    assert (truth.events_added, truth.events_removed) == (len(found - was), len(was - found))
    assert truth.history_removed == len(before.history) - len(after.history)
    assert truth.events_touched == int(after.stream.touched(0).sum())
    assert truth.onset_ns == onset_of(before)
    last_ns = int(after.stream.time_ns[-1]) + 1
    assert truth.until_ns == min(drift.until_ns(before.start_ns) or last_ns, last_ns)
    assert (truth.place, truth.kind, truth.shape) == (0, kind, drift.shape)
    assert truth.is_control == (kind in {"payday", "holiday-surge", "customer-growth", "higher-load"})
    assert (truth.events_added > 0) == (kind in ADDS)
    table = truth_table(after.stream, 1)
    assert table["event_id"].to_pylist() == after.stream.events["event_id"].to_pylist()
    assert int(np.sum(table["drift_0"].to_pylist())) == truth.events_touched
    if after.members is not None and before.members is not None:
        patterns = {n for rows in (after.history, after.stream) for n in rows.labels["pattern_id"].to_pylist()}
        assert set(after.members["pattern_id"].to_pylist()) <= patterns


@pytest.mark.parametrize(("kind", "domain"), CASES)
def test_who_is_blamed_is_in_the_catalogue(kind: str, domain: str) -> None:
    drift = make(kind, domain)
    blamed = drift.blamed("fraud" if domain == "fraud" else "aml")
    catalogue = [feature.name for feature in (FEATURES if domain == "fraud" else AML_FEATURES)]
    for beginning in blamed:
        assert any(is_blamed(name, [beginning]) for name in catalogue), beginning
    of_crimes_alone = domain == "aml" and kind in ("fraud-share", "new-typology")  # no feature of theirs knows reports
    assert bool(blamed) == (not drift.is_control and not of_crimes_alone)


@pytest.mark.parametrize(("kind", "domain"), CASES)
def test_it_can_be_said_whole(kind: str, domain: str) -> None:
    drift = make(kind, domain)
    assert KINDS[kind].model_validate(drift.model_dump(mode="json")) == drift
    assert (KINDS[kind].__doc__ or "").strip()


@pytest.mark.parametrize("domain", ["fraud", "aml"])
def test_all_kinds_at_once(domain: str, materials: dict[str, Material]) -> None:
    before = materials[domain]
    drifts = [make(kind, domain) for kind in KINDS if (kind, domain) in CASES]
    after, truths = apply_drifts(drifts, before, 5)
    again, same = apply_drifts(drifts, before, 5)
    assert plain(after.stream.events).equals(plain(again.stream.events))
    assert truths == same
    assert [truth.place for truth in truths] == list(range(len(drifts)))
    assert len(set(ids(after.stream.events))) == len(after.stream)
    for truth in truths:
        assert truth.events_touched == int(after.stream.touched(truth.place).sum())
    grown = sum(truth.events_added - truth.events_removed for truth in truths)
    assert len(after.stream) == len(before.stream) + grown


def test_a_drift_draws_the_same_whatever_comes_after_it(materials: dict[str, Material]) -> None:
    first = make("field-missing", "fraud")
    alone, _ = apply_one(first, materials["fraud"])
    both, _ = apply_drifts([first, make("amount-inflation", "fraud")], materials["fraud"], 5)
    assert (alone.stream.touched(0) == both.stream.touched(0)).all()
