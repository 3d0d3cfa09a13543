"""Drift against the reference: right status at every size, and nothing invented where nothing can be measured."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from harness.drift import Alarm, Limits, feature_matrix, measure_drift
from streams.errors import BadInputError
from streams.labels import NS_PER_DAY
from streams.reference_bins import ReferenceBins

NAMES = ("amount", "hour", "count_1h")


def margins_to_scores(margin: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.asarray(1 / (1 + np.exp(-margin)))


def reference_sample(seed: int = 1, size: int = 20_000) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    random = np.random.default_rng(seed)
    margin = random.normal(-4, 1.5, size)
    features = np.column_stack([random.lognormal(3, 1, size), random.uniform(0, 24, size), random.integers(1, 5, size)])
    return margin, features.astype(np.float32)


def bundle() -> dict[str, Any]:
    margin, features = reference_sample()
    fitted = {name: ReferenceBins.fit(features[:, place]).to_dict() for place, name in enumerate(NAMES)}
    score = ReferenceBins.fit(margins_to_scores(margin)).to_dict()
    return {"feature_names": list(NAMES), "reference": {"score": score, "features": fitted}}


def decisions(margin: np.ndarray[Any, Any], features: np.ndarray[Any, Any] | None, path: str = "model") -> pa.Table:
    size = len(margin)
    packed = [None] * size if features is None else [line.astype("<f4").tobytes() for line in features]
    return pa.table(
        {
            "score": pa.array(margins_to_scores(margin)),
            "margin": pa.array(margin),
            "path": pa.array([path] * size).dictionary_encode(),
            "outcome": pa.array(["approve"] * size).dictionary_encode(),
            "features": pa.array(packed, pa.binary()),
        }
    )


def test_the_same_population_is_stable() -> None:
    drift = measure_drift(decisions(*reference_sample(seed=2, size=5_000)), bundle())
    assert drift.status == "stable"
    assert drift.detections == []
    assert set(drift.to_dict()["csi"]) == set(NAMES)
    assert all(value < 0.02 for value in drift.to_dict()["csi"].values())


def test_a_shifted_score_is_drift_and_named_first() -> None:
    margin, features = reference_sample(seed=2, size=5_000)
    drift = measure_drift(decisions(margin + 2, features), bundle())
    assert drift.status == "drift"
    assert drift.detections[0]["kind"] == "score"
    assert drift.detections[0]["value"] > 0.25


def test_a_shifted_feature_is_found_and_the_run_is_to_be_watched() -> None:
    margin, features = reference_sample(seed=2, size=5_000)
    features[:, 0] *= 3
    drift = measure_drift(decisions(margin, features), bundle())
    assert (drift.status, drift.score.status) == ("watch", "stable")
    assert [row["name"] for row in drift.detections] == ["amount"]


def test_missing_values_have_a_bin_of_their_own() -> None:
    margin, features = reference_sample(seed=2, size=5_000)
    features[:2_000, 0] = np.nan
    assert measure_drift(decisions(margin, features), bundle()).features["amount"].status == "drift"


def test_few_events_are_unknown_and_a_noisy_index_is_not_called_drift() -> None:
    few = measure_drift(decisions(*reference_sample(seed=3, size=100)), bundle())
    assert few.status == "unknown"
    for seed in range(20):
        window = decisions(*reference_sample(seed=seed + 10, size=100))
        assert measure_drift(window, bundle(), events_min=50).score.status == "stable"


def test_large_windows_obey_the_convention_not_only_significance() -> None:
    margin, features = reference_sample(seed=2, size=20_000)
    drift = measure_drift(decisions(margin + 0.15, features), bundle())
    assert drift.score.value is not None
    assert drift.score.threshold is not None
    assert drift.score.value > drift.score.threshold
    assert drift.score.status == "stable"
    strict = measure_drift(decisions(margin + 0.15, features), bundle(), limits=Limits(warning=0.001, alarm=0.002))
    assert strict.score.status == "drift"


def test_the_hour_of_a_part_of_a_day_is_not_judged() -> None:
    margin, features = reference_sample(seed=2, size=5_000)
    features[:, 1] = 9.5
    assert measure_drift(decisions(margin, features), bundle()).features["hour"].status == "drift"
    short = measure_drift(decisions(margin, features), bundle(), span_ns=NS_PER_DAY)
    assert short.features["hour"].status == "unknown"
    assert short.status == "stable"


def test_an_external_scorer_without_margin_features_or_bundle() -> None:
    margin, _ = reference_sample(seed=2, size=5_000)
    bare = decisions(margin, None)
    assert measure_drift(bare.drop_columns(["margin", "features"]), bundle()).status == "stable"
    nothing = measure_drift(bare, None).to_dict()
    assert (nothing["psi_score"], nothing["csi"], nothing["status"], nothing["detections"]) == (
        None,
        None,
        "unknown",
        [],
    )
    assert measure_drift(bare.slice(0, 0), bundle()).status == "unknown"


def test_only_the_models_path_is_compared() -> None:
    margin, features = reference_sample(seed=2, size=5_000)
    mixed = pa.concat_tables(
        [decisions(margin, features), decisions(margin + 5, features, "rules")], promote_options="default"
    )
    assert measure_drift(mixed.unify_dictionaries(), bundle()).score.events == 5_000


def test_the_warm_states_reference_counts_before_the_bundles() -> None:
    margin, features = reference_sample(seed=2, size=5_000)
    shifted = {
        "score": ReferenceBins.fit(margins_to_scores(margin + 2)).to_dict(),
        "by_path": {"rules": 1, "model": 99},
    }
    drift = measure_drift(decisions(margin + 2, features), bundle(), shifted)
    assert drift.score.status == "stable"
    assert drift.psi_paths is not None
    assert drift.psi_paths < 0.1


def test_features_of_another_width_are_refused() -> None:
    margin, features = reference_sample(seed=2, size=1_000)
    with pytest.raises(BadInputError, match="8 bytes of features, expected 12"):
        measure_drift(decisions(margin, features[:, :2]), bundle())


def test_feature_matrix_survives_slices_and_nulls() -> None:
    margin, features = reference_sample(seed=2, size=50)
    table = decisions(margin, features).slice(10, 30)
    read = feature_matrix(table, 3)
    assert read is not None
    assert np.array_equal(read, features[10:40])


def test_the_score_counts_as_decided_whatever_its_margin() -> None:
    """A calibrated score is not the margin's logistic; the reference is of scores."""
    margin, features = reference_sample(seed=2, size=5_000)
    moved = decisions(margin, features)
    moved = moved.set_column(moved.column_names.index("margin"), "margin", pa.array(2.0 * margin - 3.0))
    assert measure_drift(moved, bundle()).score.status == "stable"


def test_alarms_of_monitors_become_detections_and_change_no_status() -> None:
    alarm = Alarm("csi", "amount", "all", 7, 8, 0.5, 0.25, "because")
    drift = measure_drift(decisions(*reference_sample(seed=2, size=5_000)), bundle(), alarms=[alarm])
    assert drift.status == "stable"
    (row,) = drift.to_dict()["detections"]
    assert (row["kind"], row["monitor"], row["name"], row["group"], row["ordinal"]) == (
        "monitor",
        "csi",
        "amount",
        "all",
        7,
    )
    assert (row["value"], row["threshold"], row["status"]) == (0.5, 0.25, "drift")
