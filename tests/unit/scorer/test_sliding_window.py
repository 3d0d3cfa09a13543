"""Sliding windows against a list of everything that ever happened."""

from hypothesis import given
from hypothesis import strategies as st

from scorer.sliding_window import NS_PER_S, CountWindow, SlidingWindow, TimeWindow, WindowCounts

calls = st.lists(st.tuples(st.integers(0, 3 * NS_PER_S), st.booleans(), st.booleans()), max_size=60)


def counted(kept: list[tuple[bool, bool]]) -> WindowCounts:
    return WindowCounts(len(kept), sum(failed for failed, _ in kept), sum(slow for _, slow in kept))


@given(calls, st.integers(1, 12))
def test_a_count_window_holds_the_last_calls(steps: list[tuple[int, bool, bool]], size: int) -> None:
    window, history = CountWindow(size), list[tuple[bool, bool]]()
    for _, failed, slow in steps:
        history.append((failed, slow))
        assert window.record(0, failed=failed, slow=slow) == counted(history[-size:])
    assert window.counts(0) == counted(history[-size:])


@given(calls, st.integers(1, 6))
def test_a_time_window_holds_the_running_second_and_those_before_it(
    steps: list[tuple[int, bool, bool]], size_s: int
) -> None:
    window, history, now_ns = TimeWindow(size_s), list[tuple[int, bool, bool]](), 0
    for gap_ns, failed, slow in steps:
        now_ns += gap_ns
        history.append((now_ns // NS_PER_S, failed, slow))
        oldest = now_ns // NS_PER_S - size_s
        expected = counted([(failed, slow) for second, failed, slow in history if second > oldest])
        assert window.record(now_ns, failed=failed, slow=slow) == expected
        assert window.counts(now_ns) == expected


def test_time_empties_a_time_window() -> None:
    window: SlidingWindow = TimeWindow(10)
    window.record(0, failed=True, slow=True)
    assert window.counts(10 * NS_PER_S - 1) == WindowCounts(1, 1, 1)
    assert window.counts(10 * NS_PER_S) == WindowCounts(0, 0, 0)


def test_a_clock_that_steps_back_stands_still() -> None:
    window = TimeWindow(2)
    window.record(5 * NS_PER_S, failed=False, slow=False)
    assert window.record(3 * NS_PER_S, failed=True, slow=False) == WindowCounts(2, 1, 0)
    assert window.counts(7 * NS_PER_S) == WindowCounts(0, 0, 0)


def test_rates_are_shares_and_nothing_is_no_rate() -> None:
    assert (WindowCounts(4, 1, 2).failure_rate, WindowCounts(4, 1, 2).slow_call_rate) == (0.25, 0.5)
    assert (WindowCounts(0, 0, 0).failure_rate, WindowCounts(0, 0, 0).slow_call_rate) == (0.0, 0.0)
