"""Whose keys a canary has: a share of them, the same ones everywhere, and never fewer as it grows."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from scorer.rollout.canary import CanaryKeys, bound_of, place_of

SHARES = st.floats(0.0, 1.0, exclude_min=True, exclude_max=True)


def inside(keys: list[str], share: float, salt: str = "") -> list[bool]:
    found: list[bool] = CanaryKeys(salt).inside(np.arange(len(keys), dtype=np.int32), keys, share).tolist()
    return found


@given(st.lists(st.text(min_size=1), unique=True), SHARES, SHARES, st.text(max_size=128))
def test_a_larger_share_holds_the_keys_of_a_smaller_one(keys: list[str], one: float, other: float, salt: str) -> None:
    small, large = inside(keys, min(one, other), salt), inside(keys, max(one, other), salt)
    assert all(also for this, also in zip(small, large, strict=True) if this)


@given(st.lists(st.text(min_size=1), min_size=1, unique=True), SHARES, st.randoms(use_true_random=False))
def test_a_key_is_in_or_out_whatever_its_code_and_its_batch(keys: list[str], share: float, rng: object) -> None:
    expected = {key: place_of(key, "s") < bound_of(share) for key in keys}
    canary = CanaryKeys("s")
    codes = {key: 3 * code for code, key in enumerate(reversed(keys))}
    for key in [*keys, *reversed(keys)]:
        assert canary.inside(np.array([codes[key]], np.int32), [key], share).tolist() == [expected[key]]
    together = canary.inside(np.array([codes[key] for key in keys], np.int32), keys, share)
    assert together.tolist() == list(expected.values())


def test_a_share_is_that_share_of_the_keys_and_a_salt_chooses_others() -> None:
    keys = [f"card-{number}" for number in range(20_000)]
    chosen = np.array(inside(keys, 0.05))
    assert abs(chosen.mean() - 0.05) < 4 * np.sqrt(0.05 * 0.95 / len(keys))
    others = np.array(inside(keys, 0.05, "another"))
    assert (chosen & others).mean() < 0.005


def test_where_a_key_stands_is_part_of_the_contract() -> None:
    assert place_of("card-1", "") == 9_422_055_886_589_884_341
