"""The one graph: equal to XGBoost, to the autoencoder to the bit, and the same whatever the micro-batch."""

import numpy as np
import onnx
import onnxruntime
import pytest

from models.autoencoder import Autoencoder
from models.boosting import load_trees, margins
from models.bundle import Bundle
from models.features.catalog import FEATURES
from models.fitting import Fitted
from models.onnx_graph import build_graph
from models.onnx_model import OnnxModel, probability


def test_margin_equals_xgboost_over_ten_thousand_rows(bundle: Bundle, fresh_rows: np.ndarray) -> None:
    output = OnnxModel(bundle).score(fresh_rows)
    augmented = np.column_stack([fresh_rows, output.reconstruction_error])
    expected = margins(load_trees(bundle.booster), augmented)
    assert np.abs(output.margin - expected).max() <= 1e-4


def test_no_rank_is_lost(bundle: Bundle, fresh_rows: np.ndarray) -> None:
    output = OnnxModel(bundle).score(fresh_rows)
    augmented = np.column_stack([fresh_rows, output.reconstruction_error])
    expected = np.unique(margins(load_trees(bundle.booster), augmented)).size
    assert np.unique(output.margin).size >= 0.99 * expected
    assert np.unique(probability(output.margin)).size == np.unique(output.margin).size
    node = next(n for n in onnx.load_from_string(bundle.graph).graph.node if n.op_type.startswith("TreeEnsemble"))
    assert all(a.s == b"NONE" for a in node.attribute if a.name == "post_transform")


def test_reconstruction_error_equals_the_autoencoder_to_the_bit(
    bundle: Bundle, autoencoder: Autoencoder, fresh_rows: np.ndarray
) -> None:
    found = OnnxModel(bundle).score(fresh_rows).reconstruction_error
    np.testing.assert_array_equal(found, autoencoder.errors(fresh_rows))
    np.testing.assert_array_equal(found[:999], autoencoder.errors(fresh_rows[:999], rows_at_once=10))
    assert np.isfinite(found).all()


@pytest.mark.parametrize("size", [1, 2, 7, 64, 256])
def test_scores_do_not_depend_on_the_micro_batch(bundle: Bundle, fresh_rows: np.ndarray, size: int) -> None:
    model = OnnxModel(bundle)
    whole = model.score(fresh_rows)
    parts = [model.score(fresh_rows[start : start + size]) for start in range(0, len(fresh_rows), size)]
    np.testing.assert_array_equal(np.concatenate([part.margin for part in parts]), whole.margin)
    np.testing.assert_array_equal(
        np.concatenate([part.reconstruction_error for part in parts]), whole.reconstruction_error
    )


def test_the_same_parts_give_the_same_bytes(fitted: Fitted, bundle: Bundle) -> None:
    assert build_graph(fitted.autoencoder, fitted.booster, len(FEATURES)) == bundle.graph


def test_without_an_autoencoder_the_error_is_missing_and_the_margin_the_trees_own(
    fitted: Fitted, fresh_rows: np.ndarray
) -> None:
    session = onnxruntime.InferenceSession(build_graph(None, fitted.booster, len(FEATURES)))
    margin, error = session.run(["margin", "reconstruction_error"], {"features": fresh_rows})
    missing = np.full(len(fresh_rows), np.nan, dtype=np.float32)
    np.testing.assert_array_equal(error, missing)
    expected = margins(fitted.booster, np.column_stack([fresh_rows, missing]))
    assert np.abs(margin - expected).max() <= 1e-4


def test_no_rows_no_scores(bundle: Bundle) -> None:
    output = OnnxModel(bundle).score(np.empty((0, len(bundle.feature_names)), dtype=np.float32))
    assert output.margin.shape == output.reconstruction_error.shape == (0,)


def test_a_call_can_be_told_to_stop(bundle: Bundle, fresh_rows: np.ndarray) -> None:
    model, options = OnnxModel(bundle), onnxruntime.RunOptions()
    options.terminate = True
    with pytest.raises(Exception, match="terminate"):
        model.score(fresh_rows, options)
    assert len(model.score(fresh_rows[:3]).margin) == 3


def test_probability_keeps_what_float32_would_merge() -> None:
    margin = np.array([-800.0, -20.0, np.nextafter(np.float32(-20.0), np.float32(0)), 0.0, 800.0])
    found = probability(margin)
    assert found[0] == 0.0
    assert found[-1] == 1.0
    assert found[3] == 0.5
    assert found[1] < found[2]
    assert probability(-3.0) == pytest.approx(1 / (1 + np.exp(3.0)))
