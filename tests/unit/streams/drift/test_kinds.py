"""What each kind of drift does, in figures."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError

from streams.drift.applying import apply_drifts, changed_world, refuse_impossible
from streams.drift.columns import CHANNELS_OF, ints
from streams.drift.crimes import crimes_of, named
from streams.drift.kinds import KINDS
from streams.drift.material import Material, Rows, material_of, tables_of
from streams.drift.pressing import reporting_ceiling
from streams.drift.truth import faster
from streams.errors import BadInputError
from streams.labels import NS_PER_DAY
from streams.worlds import AmlWorldConfig, FraudWorldConfig
from tests.unit.streams.drift.made import ONSET_DAY, apply_one, make, onset_of

BOTH = pytest.mark.parametrize("domain", ["fraud", "aml"])


def days(material: Material, rows: Rows) -> Any:
    return (rows.time_ns - material.start_ns) / NS_PER_DAY


def words(rows: Rows, column: str) -> Any:
    return np.array(rows.events[column].to_pylist(), dtype=object)


@BOTH
def test_an_incremental_inflation_grows_by_equal_proportions(domain: str, materials: dict[str, Material]) -> None:
    before = materials[domain]
    drift = make("amount-inflation", domain, shape="incremental", over_days=4.0, factor=8.0)
    after, _ = apply_one(drift, before)
    was, found = ints(before.stream.events["amount_minor"]), ints(after.stream.events["amount_minor"])
    expected = 8.0 ** np.clip((days(before, before.stream) - ONSET_DAY) / 4.0, 0.0, 1.0)
    assert np.abs(found - was * expected).max() <= 0.5 + 1e-6 * was.max()


@BOTH
def test_a_gradual_drift_meets_more_and_more_events(domain: str, materials: dict[str, Material]) -> None:
    before = materials[domain]
    drift = make("cents-for-units", domain, shape="gradual", over_days=6.0, share=0.8)
    after, _ = apply_one(drift, before)
    since = days(before, after.stream) - ONSET_DAY
    touched = after.stream.touched(0)
    for low, high in ((0.0, 2.0), (2.0, 4.0), (4.0, 6.0), (6.0, 20.0)):
        within = (since >= low) & (since < high)
        wanted = 0.8 * np.clip(since[within] / 6.0, 0.0, 1.0).mean()
        spread = 4.0 * np.sqrt(wanted * (1.0 - wanted) / within.sum())
        assert abs(touched[within].mean() - wanted) < spread


@BOTH
def test_cents_for_units_is_a_hundredfold_and_back(domain: str, materials: dict[str, Material]) -> None:
    before = materials[domain]
    sent_cents, _ = apply_one(make("cents-for-units", domain), before)
    was, found = ints(before.stream.events["amount_minor"]), ints(sent_cents.stream.events["amount_minor"])
    late = before.stream.time_ns >= onset_of(before)
    assert (found[late] == was[late] * 100).all()
    sent_units, _ = apply_one(make("cents-for-units", domain, sent="units"), before)
    assert (np.abs(ints(sent_units.stream.events["amount_minor"])[late] - was[late] / 100) <= 1).all()


def test_where_narrows_a_drift_to_the_events_that_are_meant(materials: dict[str, Material]) -> None:
    before = materials["fraud"]
    where = {"columns": {"channel": ["online"], "country": ["DE", "FR"]}, "amount_minor_min": 1_000}
    after, truth = apply_one(make("amount-inflation", "fraud", where=where), before)
    meant = (words(before.stream, "channel") == "online") & np.isin(words(before.stream, "country"), ["DE", "FR"])
    meant &= ints(before.stream.events["amount_minor"]) >= 1_000
    meant &= before.stream.time_ns >= onset_of(before)
    assert (after.stream.touched(0) == meant).all()
    assert 0 < truth.events_touched < len(before.stream)


@BOTH
def test_a_filter_leaves_nothing_of_what_it_filters_while_it_lasts(domain: str, materials: dict[str, Material]) -> None:
    before, drift = materials[domain], make("upstream-filter", domain, until_day=ONSET_DAY + 3.0)
    after, truth = apply_one(drift, before)
    channel = "online" if domain == "fraud" else "wire"
    since = days(before, after.stream) - ONSET_DAY
    is_it = words(after.stream, "channel") == channel
    assert not is_it[(since >= 0.0) & (since < 3.0)].any()
    assert is_it[since < 0.0].any()
    assert is_it[since >= 3.0].any()
    assert truth.events_removed > 0


def test_a_recurring_drift_comes_and_goes(materials: dict[str, Material]) -> None:
    before = materials["fraud"]
    drift = make("clock-shifted", "fraud", shape="recurring", on_days=1.0, off_days=2.0, hours=-3.0)
    after, _ = apply_one(drift, before)
    since = days(before, after.stream) - ONSET_DAY
    shifted = after.stream.time_ns - ints(after.stream.events["event_time_ns"])
    on = (since >= 0.0) & (since % 3.0 < 1.0)
    assert (shifted[on] == 3 * 3_600_000_000_000).all()
    assert (shifted[~on] == 0).all()


def test_a_category_mix_brings_what_belongs_to_it(materials: dict[str, Material]) -> None:
    before = materials["fraud"]
    after, _ = apply_one(make("category-mix", "fraud", to={"digital": 3.0, "travel": 1.0}, share=0.6), before)
    touched = after.stream.touched(0)
    chosen = words(after.stream, "category")[touched]
    assert set(chosen) == {"digital", "travel"}
    assert 0.68 < (chosen == "digital").mean() < 0.82
    digital = touched & (words(after.stream, "category") == "digital")
    assert set(words(after.stream, "channel")[digital]) == {"online"}
    own = {row["merchant_id"]: row["category"] for row in before.stream.events.to_pylist()}
    merchants = words(after.stream, "merchant_id")[touched]
    assert [own[name] for name in merchants] == chosen.tolist()
    assert not after.bad(after.stream)[touched].any()


def test_a_new_region_is_the_same_customers_from_the_onset_on(materials: dict[str, Material]) -> None:
    before = materials["fraud"]
    after, _ = apply_one(make("new-region", "fraud", share=0.4, country="PL"), before)
    touched = after.stream.touched(0)
    assert set(words(after.stream, "country")[touched]) == {"PL"}
    assert "PL" not in set(words(before.stream, "country"))
    movers = set(words(after.stream, "card_id")[touched])
    late = after.stream.time_ns >= onset_of(before)
    genuine = ~after.bad(after.stream) & ~np.array([bool(v) for v in after.stream.events["is_refund"].to_pylist()])
    is_movers = np.isin(words(after.stream, "card_id"), list(movers))
    assert (touched == (late & genuine & is_movers)).all()
    assert 0.25 < len(movers) / len(set(words(before.stream, "card_id"))) < 0.55
    places = after.stream.events["latitude"].to_pylist()
    assert all(45.0 < place < 59.0 for place, is_it in zip(places, touched, strict=True) if is_it and place is not None)


@BOTH
def test_a_new_channel_takes_over(domain: str, materials: dict[str, Material]) -> None:
    before = materials[domain]
    after, _ = apply_one(make("new-channel", domain, share=1.0), before)
    late = after.stream.time_ns >= onset_of(before)
    genuine = ~after.bad(after.stream)
    if domain == "fraud":
        genuine &= ~np.array([bool(v) for v in after.stream.events["is_refund"].to_pylist()])
        touched = after.stream.touched(0)
        assert set(words(after.stream, "terminal_id")[touched]) == {None}
        assert all(str(device).startswith("d-new-") for device in words(after.stream, "device_id")[touched])
    left = set(words(after.stream, "channel")[late & genuine])
    assert not left & ({"chip", "contactless"} if domain == "fraud" else {"wire", "cheque", "card"})
    assert left <= set(CHANNELS_OF["fraud" if domain == "fraud" else "aml"])


@BOTH
def test_a_larger_share_of_crime_is_a_larger_share_of_crimes(domain: str, materials: dict[str, Material]) -> None:
    before = materials[domain]
    after, truth = apply_one(make("fraud-share", domain, factor=4.0), before)
    crimes = crimes_of(before)
    early = crimes.began_ns < onset_of(before)
    found = crimes_of(after)
    left = (found.began_ns < onset_of(before)).sum()
    assert len(found.began_ns) - left == (~early).sum()
    expected = early.sum() / 4.0
    assert abs(left - expected) < 4.0 * np.sqrt(expected * 0.75)
    assert truth.history_removed > 0
    assert (before.bad(before.stream).sum() - after.bad(after.stream).sum()) == truth.events_removed
    assert after.bad(after.stream)[after.stream.touched(0)].all()


@pytest.mark.parametrize(
    ("kind", "domain", "name"), [("new-scenario", "fraud", "card_testing"), ("new-typology", "aml", "structuring")]
)
def test_a_new_crime_was_never_seen_before(kind: str, domain: str, name: str, materials: dict[str, Material]) -> None:
    before = materials[domain]
    after, _ = apply_one(make(kind, domain), before)
    for rows, may in ((after.history, False), (after.stream, True)):
        codes, known = named(after, rows)
        is_it = codes == (known.index(name) if name in known else -2)
        assert is_it.any() == may
        if may:
            assert rows.time_ns[is_it].min() >= onset_of(before)
            touched = rows.touched(0)  # what is spent of its money goes with a typology
            assert touched[is_it].all()
            assert domain == "aml" or is_it[touched].all()
    with pytest.raises(BadInputError, match=r"no event has the .* 'unheard_of'; there are"):
        apply_one(KINDS[kind].model_validate(
            {"kind": kind, "onset_day": 2.0, "scenario" if domain == "fraud" else "typology": "unheard_of"}
        ), before)  # fmt: skip


@BOTH
def test_adapting_criminals_pay_the_same_in_parts_below(domain: str, materials: dict[str, Material]) -> None:
    before, ceiling = materials[domain], 5_000
    drift = make("adapting-criminals", domain, ceiling_minor=ceiling, parts_max=50)
    after, _ = apply_one(drift, before)
    late_bad = after.bad(after.stream) & (after.stream.time_ns >= onset_of(before))
    amounts = ints(after.stream.events["amount_minor"])
    split: dict[str, int] = {}
    for event_id, amount in zip(words(after.stream, "event_id"), amounts, strict=True):
        split[event_id.split("~")[0]] = split.get(event_id.split("~")[0], 0) + int(amount)
    was = dict(zip(words(before.stream, "event_id"), ints(before.stream.events["amount_minor"]).tolist(), strict=True))
    touched = {event_id.split("~")[0] for event_id in words(after.stream, "event_id")[after.stream.touched(0)]}
    assert touched
    assert after.stream.time_ns.max() == before.stream.time_ns.max(), "a part that is due later is not paid"
    last_day_ns = before.stream.time_ns.max() - NS_PER_DAY  # forty parts take some thirteen hours
    whole = set(words(before.stream, "event_id")[before.stream.time_ns < last_day_ns])
    small = [event_id for event_id in touched & whole if was[event_id] < ceiling * 40]
    assert small
    for event_id in small:
        assert 0.8 * was[event_id] < split[event_id] <= was[event_id] + 50
    assert (amounts[late_bad] <= ceiling).all()
    labels = after.stream.labels.to_pylist()
    assert all(labels[place]["is_fraud" if domain == "fraud" else "is_laundering"] for place in
               np.flatnonzero(after.stream.touched(0)))  # fmt: skip


@pytest.mark.parametrize("factor", [0.4, 1.5])
def test_launderers_follow_a_threshold_that_moved(factor: float, materials: dict[str, Material]) -> None:
    before = materials["aml"]
    after, truth = apply_one(make("threshold-moved", "aml", factor=factor), before)
    touched = after.stream.touched(0)
    part = ints(after.stream.events["amount_minor"]) / reporting_ceiling(after.stream)
    assert touched.sum() == truth.events_touched > 0
    assert after.bad(after.stream)[touched].all()
    assert set(words(after.stream, "channel")[touched]) <= {"cash_in", "cash_out"}
    assert (part[touched] <= factor * 1.0001).all()
    assert (truth.events_added > 0) == (factor < 1.0)
    if factor < 1.0:
        # nothing is left that the new threshold would report and the old one did not
        late_cash = after.bad(after.stream) & np.isin(words(after.stream, "channel"), ["cash_in", "cash_out"])
        late_cash &= after.stream.time_ns >= truth.onset_ns
        assert not (late_cash & (part > factor * 1.0001) & (part <= 1.0)).any()


def test_a_duplicated_event_is_the_same_under_another_id(materials: dict[str, Material]) -> None:
    after, truth = apply_one(make("duplicate-feed", "fraud", share=0.5, lag_minutes=2.0), materials["fraud"])
    rows = {row["event_id"]: row for row in after.stream.events.to_pylist()}
    copies = [row for row in rows.values() if "~" in row["event_id"]]
    assert len(copies) == truth.events_added == truth.events_touched
    for row in copies:
        original = rows[row["event_id"].split("~")[0]]
        moved = {"event_id": original["event_id"], "event_time_ns": row["event_time_ns"] - 120_000_000_000}
        assert row | moved == original


@BOTH
def test_a_surge_is_that_much_more_of_what_is_usual(domain: str, materials: dict[str, Material]) -> None:
    before = materials[domain]
    after, truth = apply_one(make("holiday-surge", domain, factor=2.0), before)
    since = days(before, before.stream) - ONSET_DAY
    within = (since >= 0.0) & (since < 6.0) & ~before.bad(before.stream)
    assert 0.9 < truth.events_added / within.sum() < 1.02
    touched = after.stream.touched(0)
    added = days(before, after.stream)[touched] - ONSET_DAY
    assert (added >= 0.0).all()
    assert (added < 6.0).all()
    assert not after.bad(after.stream)[touched].any()


@BOTH
def test_new_customers_were_not_there_before(domain: str, materials: dict[str, Material]) -> None:
    before = materials[domain]
    after, _ = apply_one(make("customer-growth", domain, shape="sudden", share=0.4), before)
    columns = ("card_id",) if domain == "fraud" else ("from_account", "to_account")
    new: set[Any] = set()
    touched = after.stream.touched(0)
    assert (after.stream.time_ns[touched] >= onset_of(before)).all()
    if domain == "fraud":
        new = set(words(after.stream, "card_id")[touched])
        assert not new & set(words(after.history, "card_id"))
        assert 0.25 < len(new) / len(set(words(before.stream, "card_id"))) < 0.55
        return
    assert after.accounts is not None
    assert before.accounts is not None
    assert after.members is not None
    opened, was = ints(after.accounts["opened_at_ns"]), ints(before.accounts["opened_at_ns"])
    new = set(np.array(after.accounts["account_id"].to_pylist())[opened > was])
    assert new
    assert (opened[opened > was] == onset_of(before)).all()
    for rows in (after.history, after.stream):
        early = rows.time_ns < onset_of(before)
        for column in columns:
            assert not new & set(words(rows, column)[early])
    assert not new & set(after.members["account_id"].to_pylist())


def test_a_higher_load_is_the_same_events_closer_together(materials: dict[str, Material]) -> None:
    before = materials["fraud"]
    after, _ = apply_one(make("higher-load", "fraud", factor=4.0), before)
    assert after.stream.events is before.stream.events
    late = before.stream.time_ns >= onset_of(before)
    schedule = np.cumsum(np.full(len(late), 1_000_000))
    gaps = np.diff(faster(schedule, after.stream.pace), prepend=0)
    assert (np.abs(gaps[~late] - 1_000_000) <= 1).all()
    assert (np.abs(gaps[late] - 250_000) <= 1).all()


def test_events_without_what_a_source_may_leave_out_drift_too(materials: dict[str, Material]) -> None:
    """As of a data file that knows card, time, amount and terminal only."""
    tables = tables_of(materials["fraud"])
    bare = {}
    for side in ("history_events", "stream_events"):
        table = getattr(tables, side)
        for name in ("merchant_id", "device_id", "category", "channel", "country", "latitude", "longitude"):
            place = table.schema.get_field_index(name)
            empty = table.slice(0, 0)[name].type
            table = table.set_column(place, table.schema.field(place), pa.nulls(len(table), empty))
        bare[side] = table
    material = material_of("fraud", type(tables)(
        bare["history_events"], tables.history_labels, bare["stream_events"], tables.stream_labels,
        tables.stream_start_ns,
    ))  # fmt: skip
    refused = {"category-mix": "no event of the stream has that category", "category-recoded": "changes nothing"}
    for kind, drift in KINDS.items():
        if "fraud" not in drift.domains:
            continue
        if kind in refused:
            with pytest.raises(BadInputError, match=refused[kind]):
                apply_one(make(kind, "fraud"), material)
        else:
            after, _ = apply_one(make(kind, "fraud"), material)
            after.stream.events.validate(full=True)


def test_a_drift_after_the_end_is_refused(materials: dict[str, Material]) -> None:
    drift = KINDS["amount-inflation"].model_validate({"kind": "amount-inflation", "onset_day": 300.0})
    with pytest.raises(BadInputError, match=r"begins on day 300 and the stream ends on day \d+\.\d: stream more"):
        apply_drifts([drift], materials["fraud"], 5)


@pytest.mark.parametrize(
    ("domain", "asked", "words"),
    [
        ("aml", {"kind": "category-mix", "to": {"x": 1.0}}, "category-mix is for domain = fraud, and domain = aml"),
        ("fraud", {"kind": "threshold-moved"}, "threshold-moved is for domain = aml"),
        ("fraud", {"kind": "field-missing", "field": "card_id"}, "fields that may be left out are customer_id"),
        ("fraud", {"kind": "new-channel", "to": "pigeon"}, "to = 'pigeon': channels are chip"),
        ("aml", {"kind": "category-recoded", "mapping": {"wire": "x"}}, "mapping to 'x': channels are wire"),
        ("aml", {"kind": "category-recoded", "column": "category"}, "transfers have none"),
        ("fraud", {"kind": "amount-inflation", "where": {"columns": {"iban": ["x"]}}}, "where.columns names 'iban'"),
        ("fraud", {"kind": "fraud-share", "factor": 20.0}, "fraud_share is 0.08, allowed are 0.0005 to 0.05"),
        ("fraud", {"kind": "new-scenario", "scenario": "zz"}, "scenario_weights names 'zz'; known are"),
    ],
)
def test_what_cannot_be_is_refused(domain: Any, asked: dict[str, Any], words: str) -> None:
    drift = KINDS[asked["kind"]].model_validate({"onset_day": 3.0, **asked})
    config = FraudWorldConfig() if domain == "fraud" else AmlWorldConfig()
    with pytest.raises(ValueError, match=r"drifts\[0\] \(" + asked["kind"]) as caught:
        refuse_impossible([drift], domain, config)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "asked",
    [
        {"kind": "upstream-filter"},
        {"kind": "holiday-surge"},
        {"kind": "customer-growth", "until_day": 9.0},
        {"kind": "payday", "shape": "sudden"},
    ],
)
def test_kinds_need_what_makes_them_what_they_are(asked: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        KINDS[asked["kind"]].model_validate({"onset_day": 3.0, **asked})


def test_worlds_are_made_so_that_the_drifts_can_be() -> None:
    share, scenario = make("fraud-share", "fraud"), make("new-scenario", "fraud", share_of_fraud=0.5)
    changed = changed_world([share, scenario, make("payday", "fraud")], FraudWorldConfig())
    assert changed.fraud_share == pytest.approx(0.012)
    assert changed.scenario_weights["card_testing"] == pytest.approx(0.5)
    assert sum(changed.scenario_weights.values()) == pytest.approx(1.0)
    typology = make("new-typology", "aml", share_of_typed=0.25)
    money = changed_world([make("fraud-share", "aml"), typology], AmlWorldConfig())
    assert money.laundering_share == pytest.approx(0.003)
    assert money.typology_weights["structuring"] == pytest.approx(0.25)
