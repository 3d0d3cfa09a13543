import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control, mannwhitneyu

from harness.gate.regression import (
    ORDERS,
    Bounds,
    Rounds,
    effect_log,
    find_changes,
    holm,
    noise_log,
    overall,
    slower_by_chance,
)


def drawn(seed: int, *, slower: float = 1.0, sd: float = 0.03, rounds: int = 5, drift: float = 0.0) -> Rounds:
    rng = np.random.default_rng(seed)

    def runs(factor: float) -> tuple[float, ...]:
        level = 200.0 * factor * np.exp(drift * np.arange(rounds))
        return tuple((level * np.exp(rng.normal(0.0, sd, rounds))).tolist())

    return Rounds(base=runs(1.0), head=runs(slower), again=runs(1.0))


def outcomes(trials: int, **how: float) -> list[str]:
    found: list[str] = []
    for seed in range(trials):
        rounds = {f"stage {n}": drawn(100 * seed + n, **how) for n in range(4)}  # type: ignore[arg-type]
        found.append(overall(find_changes(rounds, Bounds(), np.random.default_rng(seed))))
    return found


def test_the_same_build_passes() -> None:
    assert outcomes(30) == ["pass"] * 30


def test_the_same_build_passes_on_a_noisy_machine_nearly_always() -> None:
    found = outcomes(40, sd=0.2)
    assert found.count("regression") <= 1


def test_a_stage_a_fifth_slower_is_in_doubt_after_few_rounds() -> None:
    metrics = {f"stage {n}": drawn(n, slower=1.2 if n == 3 else 1.0) for n in range(8)}
    assert overall(find_changes(metrics, Bounds(), np.random.default_rng(7))) == "inconclusive"


def test_a_stage_a_fifth_slower_is_a_regression() -> None:
    slow = [{"quiet": drawn(seed, rounds=7), "model": drawn(seed + 1_000, slower=1.2, rounds=7)} for seed in range(40)]
    found = [overall(find_changes(metrics, Bounds(), np.random.default_rng(7))) for metrics in slow]
    assert found.count("regression") >= 39


def test_an_effect_within_the_tolerance_passes_however_sure() -> None:
    (change,) = find_changes({"model": drawn(3, slower=1.05, sd=0.001)}, Bounds(), np.random.default_rng(7))
    assert change.outcome == "pass"
    assert change.p <= Bounds().alpha
    assert change.effect == pytest.approx(0.05, abs=0.005)


def test_an_effect_within_the_noise_is_no_regression() -> None:
    (change,) = find_changes({"p99": drawn(5, slower=1.2, sd=0.6)}, Bounds(), np.random.default_rng(7))
    assert change.noise > 0.2
    assert change.outcome != "regression"


def test_too_much_noise_is_inconclusive() -> None:
    (change,) = find_changes({"p99": drawn(11, sd=2.0)}, Bounds(noise_max=0.5), np.random.default_rng(7))
    assert change.outcome == "inconclusive"


def test_drift_of_the_machine_cancels_out() -> None:
    assert effect_log(drawn(2, sd=0.0, drift=0.5)) == pytest.approx(0.0, abs=1e-12)
    assert noise_log(drawn(2, sd=0.0, drift=0.5), np.random.default_rng(7)) == pytest.approx(0.0, abs=1e-12)


@given(st.lists(st.permutations([1.0, 2.0, 3.0]), min_size=1, max_size=5))
def test_p_is_the_share_of_all_relabellings_that_make_head_as_slow(runs: list[list[float]]) -> None:
    def wins(choice: tuple[int, ...]) -> int:
        return sum(value < row[at] for row, at in zip(runs, choice, strict=True) for value in row)

    every = [wins(choice) for choice in itertools.product(range(3), repeat=len(runs))]
    base, head, again = zip(*runs, strict=True)
    expected = np.mean(np.array(every) >= wins((1,) * len(runs)))
    assert slower_by_chance(Rounds(base, head, again)) == pytest.approx(expected)


def test_ties_are_no_evidence() -> None:
    assert slower_by_chance(Rounds((1.0,) * 5, (1.0,) * 5, (1.0,) * 5)) > 0.5
    assert slower_by_chance(Rounds((1.0,) * 5, (2.0,) * 5, (1.0,) * 5)) == pytest.approx(3.0**-5)


def test_what_a_round_has_in_common_does_not_hide_an_effect() -> None:
    level = (1.0, 5.0, 2.0, 9.0, 3.0)
    slower = tuple(1.2 * value for value in level)
    assert mannwhitneyu(slower, (*level, *level), alternative="greater").pvalue > 0.2
    found = find_changes({"model": Rounds(level, slower, level)}, Bounds(), np.random.default_rng(7))
    assert [change.outcome for change in found] == ["regression"]


def test_three_rounds_give_each_build_every_place() -> None:
    for place in range(3):
        assert {order[place] for order in ORDERS} == {"base", "head", "again"}


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=8))
def test_holm_lies_between_the_raw_value_and_bonferroni(p: list[float]) -> None:
    adjusted = holm(p)
    for raw, found, gentle in zip(p, adjusted, false_discovery_control(p), strict=True):
        assert raw <= found <= min(1.0, raw * len(p)) or found == max(adjusted)
        assert found >= gentle - 1e-12


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])


@pytest.mark.parametrize(
    "runs", [((1.0,), (1.0, 2.0), (1.0,)), ((), (), ()), ((1.0,), (0.0,), (1.0,)), ((1.0,), (-2.0,), (1.0,))]
)
def test_rounds_that_cannot_be_are_refused(runs: tuple[tuple[float, ...], ...]) -> None:
    with pytest.raises(ValueError, match=r"every round|above 0"):
        Rounds(*runs)
