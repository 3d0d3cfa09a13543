"""What is still known of an event when its label arrives."""

import numpy as np

from harness.drift.decided import FEATURES_KEPT_NS, Decided
from streams.labels import NS_PER_DAY
from tests.unit.harness.drift.made import stream


def test_bad_ones_come_with_their_features_and_how_busy_it_was_and_unknown_ones_not_at_all() -> None:
    batch = stream(7, a_day=100)
    decided = Decided()
    for place, piece in enumerate(batch.micro_batches(70)):
        decided.add(piece, 1.0 + place)
    ordinals = np.array([5, 71, 3_000, len(batch) + 10_000])
    arrived = decided.labelled(ordinals, np.array([True, False, True, True]), 7)
    assert arrived.is_bad.tolist() == [True, False, True]
    assert np.array_equal(arrived.bad_features, batch.features[[5, 3_000]], equal_nan=True)
    assert arrived.bad_surge.tolist() == [1.0, 1.0 + 3_000 // 70]
    assert arrived.key.tolist() == batch.key[ordinals[:3]].tolist()
    assert arrived.at_ns.tolist() == [7, 7, 7]


def test_features_of_long_ago_are_forgotten_but_not_what_was_decided() -> None:
    batch = stream(7, a_day=100)
    decided = Decided()
    first, second = batch.between(0, 50), batch.between(50, 100)
    decided.add(first, 1.0)
    second.event_time_ns[:] += FEATURES_KEPT_NS + NS_PER_DAY
    decided.add(second, 1.0)
    arrived = decided.labelled(np.array([3, 60]), np.array([True, True]), 7)
    assert np.isnan(arrived.bad_features[0]).all()
    assert np.array_equal(arrived.bad_features[1], batch.features[60], equal_nan=True)
    assert arrived.is_alert.tolist() == batch.is_alert[[3, 60]].tolist()
