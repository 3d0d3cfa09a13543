"""Who is suspicious from when on, and what a stream cannot show."""

import pyarrow as pa
import pytest

from harness.aml.truth import NEVER, truth_of
from streams.errors import BadInputError
from tests.unit.harness.aml.made import (
    CUSTOMERS,
    MEMBERS,
    SENT,
    TYPOLOGY,
    accounts,
    at,
    laundering,
    members,
    small_truth,
    transfers,
)


def test_a_member_is_suspicious_from_its_first_transfer_in_a_pattern() -> None:
    truth = small_truth()
    since = dict(zip(truth.customer_names, truth.suspicious_from_ns.tolist(), strict=True))
    assert since == {
        "a": at(0, 2), "b": at(0, 2), "c": at(1, 4), "d": at(2, 5), "e": at(2, 5), "f": NEVER, "shop": NEVER,
    }  # fmt: skip
    assert [truth.market_names[code] for code in truth.market] == list(CUSTOMERS.values())


def test_patterns_are_those_of_the_stream() -> None:
    patterns = small_truth().patterns
    assert patterns.pattern_id.tolist() == [1, 2]
    assert [patterns.typology_names[code] for code in patterns.typology] == ["fan_in", "cycle"]
    assert patterns.first_ns.tolist() == [at(0, 2), at(2, 5)]
    assert patterns.last_ns.tolist() == [at(1, 4), at(3, 7)]
    assert patterns.members.tolist() == [3, 2]
    assert [small_truth().market_names[code] for code in patterns.market] == ["BE", "BE"]
    assert small_truth().members_unseen == 1


def test_an_excluded_pattern_leaves_its_customers_out() -> None:
    truth = small_truth(excluded=[1])
    assert truth.customer_names == ["d", "e", "f", "shop"]
    assert (truth.customers_excluded, truth.patterns_excluded) == (3, 1)
    assert truth.patterns.pattern_id.tolist() == [2]


def test_a_pattern_that_only_begins_at_the_end_is_not_judged() -> None:
    """The stream lasts 29 days: what begins in its last 2.9 has had no time."""
    move = SENT[-1].__class__
    late = [*SENT, move(26, 1, "f", "shop", 3), move(27, 1, "d", "f", 4), move(29, 1, "f", "shop", 4)]
    typologies = {**TYPOLOGY, 3: "fan_in", 4: "fan_in"}
    everybody = {**MEMBERS, 3: ("f",), 4: ("f", "d")}
    truth = truth_of(transfers(late), laundering(late, typologies), accounts(CUSTOMERS), members(everybody, typologies))
    assert truth.patterns.pattern_id.tolist() == [1, 2, 3]
    assert (truth.patterns_excluded, truth.patterns_only_begun, truth.customers_excluded) == (0, 1, 0)
    without = truth_of(
        transfers(late), laundering(late, typologies), accounts(CUSTOMERS), members(everybody, typologies), [3]
    )
    assert "f" not in without.customer_names
    assert (without.patterns_excluded, without.patterns_only_begun, without.customers_excluded) == (1, 1, 1)


def test_who_also_belongs_to_another_pattern_stays() -> None:
    both = {**MEMBERS, 2: ("d", "e", "a")}
    sent = [*SENT, SENT[-1].__class__(3, 9, "a", "d", 2)]
    truth = truth_of(transfers(sent), laundering(sent, TYPOLOGY), accounts(CUSTOMERS), members(both, TYPOLOGY), [1])
    assert truth.customer_names == ["a", "d", "e", "f", "shop"]
    assert truth.suspicious_from_ns[0] == at(3, 9)


def test_who_moves_nothing_is_not_ranked() -> None:
    truth = truth_of(
        transfers(SENT),
        laundering(SENT, TYPOLOGY),
        accounts({**CUSTOMERS, "idle": "BE"}),
        members(MEMBERS, TYPOLOGY),
    )
    assert "idle" not in truth.customer_names


def test_a_stream_without_laundering() -> None:
    sent = [row for row in SENT if row.pattern is None]
    truth = truth_of(transfers(sent), laundering(sent, {}), accounts(CUSTOMERS), members({}, {}))
    assert not truth.is_suspicious.any()
    assert len(truth.patterns) == 0


def test_what_does_not_fit_is_refused() -> None:
    label = laundering(SENT, TYPOLOGY)
    with pytest.raises(BadInputError, match="row for row"):
        truth_of(transfers(SENT), label.slice(1), accounts(CUSTOMERS), members(MEMBERS, TYPOLOGY))
    with pytest.raises(BadInputError, match="customer 'z'"):
        truth_of(transfers(SENT), label, accounts(CUSTOMERS), members({1: ("z",)}, TYPOLOGY))
    with pytest.raises(BadInputError, match="no transfer"):
        truth_of(
            pa.Table.from_pylist([], schema=transfers(SENT).schema),
            pa.Table.from_pylist([], schema=label.schema),
            accounts(CUSTOMERS),
            members(MEMBERS, TYPOLOGY),
        )
