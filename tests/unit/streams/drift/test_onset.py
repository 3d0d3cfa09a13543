"""Onset and shape: nothing before, nothing after, and in between what the shape says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from streams.drift.onset import Onset
from streams.labels import NS_PER_DAY

START = 20_000 * NS_PER_DAY
DAYS = st.floats(min_value=0.01, max_value=400.0, allow_nan=False)
RISING = ("gradual", "incremental")


@st.composite
def onsets(draw: st.DrawFn) -> Onset:
    shape = draw(st.sampled_from(["sudden", "gradual", "incremental", "recurring"]))
    values: dict[str, float | str] = {"onset_day": draw(DAYS), "shape": shape}
    if shape in RISING and draw(st.booleans()):
        values["over_days"] = draw(DAYS)
    if shape == "recurring":
        values |= {"on_days": draw(DAYS), "off_days": draw(DAYS)}
    if draw(st.booleans()):
        values["until_day"] = float(values["onset_day"]) + draw(DAYS)
    return Onset.model_validate(values)


@given(onsets(), st.lists(st.floats(min_value=-10.0, max_value=900.0), min_size=1, max_size=60))
def test_a_drift_is_nowhere_but_between_its_onset_and_its_end(onset: Onset, days: list[float]) -> None:
    times = np.sort(np.array([START + round(day * NS_PER_DAY) for day in days], np.int64))
    ramp = onset.ramp(times, START)
    assert ((ramp >= 0.0) & (ramp <= 1.0)).all()
    assert (ramp[times < onset.onset_ns(START)] == 0.0).all()
    until = onset.until_ns(START)
    under_way = times >= onset.onset_ns(START)
    if until is not None:
        assert (ramp[times >= until] == 0.0).all()
        under_way &= times < until
    if onset.shape == "sudden":
        assert (ramp[under_way] == 1.0).all()
    elif onset.shape in RISING:
        assert (np.diff(ramp[under_way]) >= 0.0).all()
        whole = times >= onset.onset_ns(START) + round((onset.over_days or 7.0) * NS_PER_DAY)
        assert (ramp[under_way & whole] == 1.0).all()
    else:
        assert np.isin(ramp, [0.0, 1.0]).all()


@given(DAYS, DAYS, st.integers(0, 20), st.floats(0.0, 0.999))
def test_what_recurs_comes_back_as_it_was(on_days: float, off_days: float, turns: int, within: float) -> None:
    onset = Onset(onset_day=3.0, shape="recurring", on_days=on_days, off_days=off_days)
    turn = round(on_days * NS_PER_DAY) + round(off_days * NS_PER_DAY)
    first = onset.onset_ns(START) + int(within * turn)
    now, later = onset.ramp(np.array([first, first + turns * turn]), START)
    assert now == later
    assert now == float(first - onset.onset_ns(START) < round(on_days * NS_PER_DAY))


def test_half_way_up_is_half() -> None:
    onset = Onset(onset_day=2.0, shape="gradual", over_days=4.0)
    times = START + (np.array([1.0, 2.0, 3.0, 4.0, 6.0, 9.0]) * NS_PER_DAY).astype(np.int64)
    assert onset.ramp(times, START).tolist() == [0.0, 0.0, 0.25, 0.5, 1.0, 1.0]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"over_days": 3.0}, "over_days is of the shapes gradual and incremental"),
        ({"shape": "recurring", "on_days": 2.0}, "off_days is of the shape recurring, which needs it"),
        ({"shape": "gradual", "on_days": 2.0}, "on_days is of the shape recurring"),
        ({"until_day": 4.0}, "until_day = 4 must be after onset_day = 5"),
    ],
)
def test_keys_of_another_shape_are_refused(values: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Onset.model_validate({"onset_day": 5.0, **values})
