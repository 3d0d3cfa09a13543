"""Genuine behaviour and fraud motifs: a stream that is like people's passes, and each check can be made to fail."""

from collections.abc import Callable

import numpy as np
import pytest

from models.separability.behaviour import Cards, burstiness, hill, zipf_exponent
from models.separability.behaviour import measure as measure_behaviour
from models.separability.checks import Verdict
from models.separability.motifs import campaign_lengths
from models.separability.motifs import measure as measure_motifs
from streams.labels import NS_PER_DAY
from tests.unit.models.separability_stream import DAYS, START_NS, Stream, make_stream

Change = Callable[[Stream, np.random.Generator], None]


@pytest.fixture(scope="module")
def good() -> Stream:
    return make_stream()


def verdicts(stream: Stream) -> dict[str, Verdict]:
    truth = stream.truth()
    found = (*measure_behaviour(truth, 1).checks, *measure_motifs(truth).checks)
    return {check.name: check.verdict for check in found}


def test_a_stream_like_peoples_keeps_every_limit(good: Stream) -> None:
    assert {name: verdict for name, verdict in verdicts(good).items() if verdict not in ("pass", "information")} == {}


def _poisson(stream: Stream, rng: np.random.Generator) -> None:
    stream.columns["time_ns"] = START_NS + rng.integers(0, DAYS * NS_PER_DAY, len(stream.fraud))


def _clockwork(stream: Stream, rng: np.random.Generator) -> None:
    card = stream.columns["card"]
    order = np.argsort(card, kind="stable")
    count = np.bincount(card)
    place = np.arange(len(card)) - np.repeat(np.cumsum(count) - count, count)
    even = START_NS + place * (DAYS * NS_PER_DAY // count.max()) + rng.integers(0, 1_000, len(card))
    stream.columns["time_ns"][order] = even


def _always_new(stream: Stream, rng: np.random.Generator) -> None:
    stream.columns["merchant"] = rng.permutation(len(stream.fraud))


def _one_shop(stream: Stream, rng: np.random.Generator) -> None:
    del rng
    stream.columns["merchant"] = stream.columns["card"]


def _even_visits(stream: Stream, rng: np.random.Generator) -> None:
    stream.columns["merchant"] = stream.columns["card"] + 1_000 * rng.integers(0, 40, len(stream.fraud))


def _even_amounts(stream: Stream, rng: np.random.Generator) -> None:
    stream.columns["amount"] = rng.integers(100, 10_000, len(stream.fraud))


def _wild_amounts(stream: Stream, rng: np.random.Generator) -> None:
    stream.columns["amount"] = (100 * rng.pareto(0.6, len(stream.fraud)) + 100).clip(max=1e10).astype(np.int64)


def _same_every_day(stream: Stream, rng: np.random.Generator) -> None:
    ordered = rng.permutation(len(stream.fraud)) * DAYS // len(stream.fraud)
    stream.columns["time_ns"] = START_NS + ordered * NS_PER_DAY + stream.columns["time_ns"] % NS_PER_DAY


def _no_genuine_on_fraud_days(stream: Stream, rng: np.random.Generator) -> None:
    del rng
    key = stream.columns["card"] * 100_000 + stream.columns["time_ns"] // NS_PER_DAY
    kept = stream.fraud | ~np.isin(key, key[stream.fraud])
    stream.columns = stream.keep(kept).columns


def _fresh_mules(stream: Stream, rng: np.random.Generator) -> None:
    fresh = stream.fraud & (stream.columns["scenario"] == 1)
    stream.columns["merchant"][fresh] = 900_000 + rng.integers(0, 50, int(fresh.sum()))


def _frauds_at_random(stream: Stream, rng: np.random.Generator) -> None:
    stream.columns["scenario"] = rng.permutation(stream.columns["scenario"])


def _one_length(stream: Stream, rng: np.random.Generator) -> None:
    """Fourth and fifth event of every second card are fraud."""
    del rng
    card = stream.columns["card"]
    place = np.empty(len(card), np.int64)
    order = np.argsort(card, kind="stable")
    count = np.bincount(card)
    place[order] = np.arange(len(card)) - np.repeat(np.cumsum(count) - count, count)
    stream.columns["scenario"] = np.where((place >= 3) & (place < 5) & (card % 2 == 0), 0, -1)


def _too_many(stream: Stream, rng: np.random.Generator) -> None:
    stream.columns["scenario"] = np.where(rng.random(len(stream.fraud)) < 0.1, 0, stream.columns["scenario"])


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        (_poisson, {"burstiness of a card's events, median", "burstiness beyond the daily rhythm, median",
                    "busiest over quietest hour of the day"}),
        (_clockwork, {"burstiness of a card's events, median"}),
        (_always_new, {"purchases where the card has been before, share"}),
        (_one_shop, {"purchases where the card has been before, share"}),
        (_even_visits, {"Zipf exponent of a card's visits"}),
        (_even_amounts, {"distance of the body of amounts from a log-normal", "tail index of amounts (Hill)"}),
        (_wild_amounts, {"tail index of amounts (Hill)"}),
        (_same_every_day, {"busiest over quietest day of the week"}),
        (_no_genuine_on_fraud_days, {"genuine events on a card's fraud days, against the days around them"}),
        (_fresh_mules, {"frauds at merchants without genuine customers, share",
                        "the same for the most isolated scenario"}),
        (_frauds_at_random, {"fraud follows fraud on a card, lag-1 correlation",
                             "frauds in a campaign on one card, mean"}),
        (_one_length, {"frauds in a campaign, standard deviation over mean"}),
        (_too_many, {"share of frauds"}),
    ],
)  # fmt: skip
def test_what_is_unlike_people_is_seen(good: Stream, change: Change, broken: set[str]) -> None:
    stream = Stream({name: values.copy() for name, values in good.columns.items()})
    change(stream, np.random.default_rng(5))
    found = verdicts(stream.sorted())
    assert {name for name in broken if found[name] != "fail"} == set()


def test_burstiness_is_as_published_and_free_of_the_number_of_gaps() -> None:
    gaps = np.array([3.0, 1.0, 0.5, 9.0, 2.0])
    r, n = gaps.std() / gaps.mean(), 5
    slow = (np.sqrt(n + 1) * r - np.sqrt(n - 1)) / ((np.sqrt(n + 1) - 2) * r + np.sqrt(n - 1))
    assert burstiness(gaps, np.zeros(5, np.int64), 1)[0] == pytest.approx(slow)
    assert burstiness(np.full(9, 4.0), np.zeros(9, np.int64), 1)[0] == pytest.approx(-1.0)
    rng = np.random.default_rng(3)
    for count in (20, 80):
        spacings = rng.dirichlet(np.ones(count), 4_000).ravel()
        by_chance = burstiness(spacings, np.repeat(np.arange(4_000), count), 4_000)
        assert by_chance.mean() == pytest.approx(0.0, abs=0.02)
    assert np.isnan(burstiness(np.ones(1), np.zeros(1, np.int64), 1)[0])


def test_the_tail_index_of_a_pareto_sample_is_found() -> None:
    sample = np.random.default_rng(4).pareto(2.5, 200_000) + 1.0
    found = hill(sample)
    assert found == pytest.approx(2.5, rel=0.05)
    assert hill(np.ones(50)) is None


def test_the_zipf_exponent_of_exact_visits_is_found() -> None:
    visits = np.round(1_000 / np.arange(1, 31) ** 0.8).astype(np.int64)
    place = np.tile(np.repeat(np.arange(30), visits), 25)
    cards = Cards(np.arange(len(place)), np.arange(25) * visits.sum())
    assert zipf_exponent(cards, place) == pytest.approx(0.8, abs=0.01)
    assert zipf_exponent(Cards(np.arange(60), np.array([0])), place[:60]) is None


def test_campaigns_end_at_a_pause_of_a_week_and_at_the_card() -> None:
    stream = make_stream()
    days = np.array([0, 1, 2, 12, 13, 30] * 10)
    count = len(days)
    columns = {name: values[:count] for name, values in stream.columns.items()}
    columns |= {"card": np.repeat(np.arange(10), 6), "time_ns": START_NS + days * NS_PER_DAY,
                "scenario": np.tile([0, 0, 0, 0, 0, -1], 10)}  # fmt: skip
    assert sorted(campaign_lengths(Stream(columns).sorted().truth())) == [2] * 10 + [3] * 10
