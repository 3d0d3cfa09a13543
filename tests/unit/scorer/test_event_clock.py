"""What event times are believed: by what the stream has come to, however it is cut into batches."""

from hypothesis import given
from hypothesis import strategies as st

from models.features.batch import Vocabulary
from models.features.state import FeatureState
from scorer.event_clock import EventClock, Plausible
from scorer.messages import KEY_BYTES_MAX, ORIGINAL_BYTES_MAX, Origin, letter, read
from streams.codec import encode
from streams.labels import NS_PER_DAY
from streams.transaction import CardTransaction

TODAY = 20_500
LIMITS = Plausible(ahead_days=3, behind_days=10)


def event(day: int, name: str = "e") -> CardTransaction:
    return CardTransaction(
        event_id=name, event_time_ns=day * NS_PER_DAY + 5, card_id="c", amount_minor=1, currency="EUR"
    )


def origin(index: int) -> Origin:
    return Origin("t.events", 2, index, b"c")


def oracle(days: list[int], newest: int | None) -> set[int]:
    """One after the other."""
    refused = set()
    for index, day in enumerate(days):
        if newest is not None and not newest - 10 <= day <= newest + 3:
            refused.add(index)
        else:
            newest = day if newest is None else max(newest, day)
    return refused


@given(
    st.lists(st.integers(TODAY - 30, TODAY + 30), max_size=40),
    st.none() | st.just(TODAY),
    st.lists(st.integers(0, 40), max_size=4),
)
def test_batches_make_no_difference(days: list[int], known: int | None, cuts: list[int]) -> None:
    clock = EventClock(LIMITS, lambda: known)
    ends = sorted({*(cut for cut in cuts if cut < len(days)), len(days)})
    found, begin = set(), 0
    for end in ends:
        found |= {begin + index for index in clock.doubts([event(day) for day in days[begin:end]])}
        begin = end
    assert found == oracle(days, known)


def test_one_event_from_another_century_changes_nothing() -> None:
    state = FeatureState.empty(Vocabulary((), ()))
    clock = EventClock(Plausible(), lambda: state.newest_day)
    state.compute(state.code_events(read([encode(event(TODAY))], origin, clock).events))
    assert state.newest_day == TODAY
    taken = read([encode(event(TODAY + 20_000)), encode(event(TODAY + 1, "f")), encode(event(30))], origin, clock)
    assert [each.event_id for each in taken.events] == ["f"]
    assert taken.places == [1]
    first, second = taken.dead_letters
    assert "20,000 days ahead of the stream (2026-02-16), at most 31 are believed" in first.reason
    assert "20,471 days behind the stream (2026-02-17), at most 366" in second.reason
    assert (first.offset, second.offset, first.key) == (0, 2, b"c")
    assert first.original == encode(event(TODAY + 20_000))


def test_who_takes_cards_over_knows_how_late_it_is() -> None:
    before = FeatureState.empty(Vocabulary((), ()))
    before.compute(before.code_events([event(TODAY), event(TODAY - 1, "late")]))
    after = FeatureState.empty(Vocabulary((), ()))
    clock = EventClock(LIMITS, lambda: after.newest_day)
    after.put_cards(after.codes_of("card", ["c"]), before.take_cards(before.codes_of("card", ["c"])))
    assert list(clock.doubts([event(TODAY + 4), event(TODAY + 3)])) == [0]


def test_what_is_too_long_for_a_letter_says_how_long_it_was() -> None:
    long = letter("no", b"x" * (ORIGINAL_BYTES_MAX + 1), Origin("t", 0, 1, b"k" * (KEY_BYTES_MAX + 1)))
    assert (len(long.original), long.original_bytes, long.key) == (ORIGINAL_BYTES_MAX, ORIGINAL_BYTES_MAX + 1, None)
    assert len(encode(long)) < 1_000_000
    whole = letter("no", b"x", Origin("t", 0, 1, b"k"))
    assert (whole.original, whole.original_bytes, whole.key) == (b"x", None, b"k")
