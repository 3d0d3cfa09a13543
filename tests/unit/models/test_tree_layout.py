"""The trees as they lie in memory give what they gave before, to the bit, for every value there can be."""

import json
from functools import cache
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import xgboost
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import TensorProto, helper

from models.onnx_graph import build_graph, tree_ensemble
from models.tree_layout import BLOCKS, SMALLEST_NORMAL, lay_out

COLUMNS = 5
Rows = NDArray[np.float32]


def boosted(seed: int, rounds: int = 12, **settings: float) -> xgboost.Booster:
    """Trees of columns that are small whole numbers about zero, or floats, some of them missing."""
    rng = np.random.default_rng(seed)
    values = rng.integers(-3, 4, (800, COLUMNS)).astype(np.float32)
    values[:, 0] = rng.normal(size=800)
    values[rng.random(values.shape) < 0.2] = np.nan
    label = (np.nan_to_num(values[:, 0]) + np.nan_to_num(values[:, 1], nan=2.0) > rng.normal(size=800)).astype(float)
    params = {"objective": "binary:logistic", "max_depth": 5, "seed": seed, "eta": 0.3, **settings}
    return xgboost.train(params, xgboost.DMatrix(values, label), num_boost_round=rounds)


def session_of(ensemble: Any, columns: int) -> Any:
    """A graph of this node alone."""
    node = onnx.NodeProto.FromString(ensemble.SerializeToString())
    node.input[0], node.output[0] = "rows", "margin"
    given = helper.make_tensor_value_info("rows", TensorProto.FLOAT, ["N", columns])
    found = helper.make_tensor_value_info("margin", TensorProto.FLOAT, ["N", 1])
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 3)]
    model = helper.make_model(helper.make_graph([node], "trees", [given], [found]), opset_imports=opsets, ir_version=9)
    return onnxruntime.InferenceSession(model.SerializeToString())


def margins_of(ensemble: Any, rows: Rows) -> Rows:
    """What the trees say of rows."""
    margins: Rows = session_of(ensemble, rows.shape[1]).run(None, {"rows": rows})[0]
    return margins


def in_blocks(rows: Rows) -> Rows:
    lowest = np.float32(-np.inf)
    return np.hstack([rows, np.where(np.isnan(rows), lowest, rows), -rows, np.where(np.isnan(rows), lowest, -rows)])


def attribute(ensemble: Any, name: str) -> Any:
    return next(each for each in ensemble.attribute if each.name == name)


def odd_values(ensemble: Any) -> Rows:
    """Every threshold, its neighbours, what they are negated, and what is odd about floats."""
    thresholds = np.unique(np.array(attribute(ensemble, "nodes_values").floats, np.float32))
    below, above = (np.nextafter(thresholds, np.float32(side)) for side in (-np.inf, np.inf))
    odd = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, SMALLEST_NORMAL, -SMALLEST_NORMAL], np.float32)
    return np.concatenate([thresholds, -thresholds, below, above, odd])


@pytest.fixture(scope="module", params=[0, 1, 2])
def forest(request: pytest.FixtureRequest) -> tuple[Any, Any, xgboost.Booster]:
    """The trees as converted, and as laid out."""
    booster = boosted(request.param)
    laid_out = tree_ensemble(booster, COLUMNS)
    lay_out(laid_out, booster, COLUMNS)
    return tree_ensemble(booster, COLUMNS), laid_out, booster


def test_every_threshold_and_its_neighbours(forest: tuple[Any, Any, xgboost.Booster]) -> None:
    plain, laid_out, _ = forest
    rows = np.random.default_rng(7).choice(odd_values(plain), (20_000, COLUMNS)).astype(np.float32)
    np.testing.assert_array_equal(margins_of(plain, rows), margins_of(laid_out, in_blocks(rows)))


@pytest.mark.parametrize("gamma", [4.0, 1e9])
def test_a_graph_of_trees_some_or_all_of_which_are_a_leaf(gamma: float) -> None:
    booster = boosted(4, rounds=60, gamma=gamma, base_score=0.1)
    plain = tree_ensemble(booster, COLUMNS)
    sizes = np.bincount(attribute(plain, "nodes_treeids").ints)
    assert np.any(sizes == 1)
    assert np.all(sizes == 1) == (gamma == 1e9)
    rows = np.random.default_rng(8).choice(odd_values(plain), (5_000, COLUMNS)).astype(np.float32)
    rows[:, -1] = np.nan  # where there is no autoencoder
    session = onnxruntime.InferenceSession(build_graph(None, booster, COLUMNS - 1))
    found = session.run(["margin"], {"features": np.ascontiguousarray(rows[:, :-1])})[0]
    np.testing.assert_array_equal(found, margins_of(plain, rows)[:, 0])


@cache
def both() -> tuple[Any, Any]:
    """Sessions of some trees as converted, and as laid out."""
    booster = boosted(3)
    plain, laid_out = tree_ensemble(booster, COLUMNS), tree_ensemble(booster, COLUMNS)
    lay_out(laid_out, booster, COLUMNS)
    return session_of(plain, COLUMNS), session_of(laid_out, BLOCKS * COLUMNS)


@given(values=st.lists(st.floats(width=32), min_size=COLUMNS, max_size=COLUMNS))
def test_any_floats_at_all(values: list[float]) -> None:
    plain, laid_out = both()
    rows = np.array([values], np.float32)
    expected = plain.run(None, {"rows": rows})[0]
    np.testing.assert_array_equal(laid_out.run(None, {"rows": in_blocks(rows)})[0], expected)


def test_no_node_asks_for_missing_values_and_most_steps_go_to_the_next(
    forest: tuple[Any, Any, xgboost.Booster],
) -> None:
    plain, laid_out, booster = forest
    assert any(attribute(plain, "nodes_missing_value_tracks_true").ints)
    assert not any(attribute(laid_out, "nodes_missing_value_tracks_true").ints)
    assert max(attribute(laid_out, "nodes_featureids").ints) < BLOCKS * COLUMNS
    assert _weight_to_the_next(laid_out, booster) > 0.6
    assert _weight_to_the_next(laid_out, booster) > _weight_to_the_next(plain, booster)


def _weight_to_the_next(ensemble: Any, booster: xgboost.Booster) -> float:
    """The share of the training weight that takes the way of the false test, over all nodes."""
    numbers = [attribute(ensemble, f"nodes_{name}").ints for name in ("treeids", "nodeids", "falsenodeids")]
    modes = attribute(ensemble, "nodes_modes").strings
    trees = json.loads(bytes(booster.save_raw("json")))["learner"]["gradient_booster"]["model"]["trees"]
    branches = [each for each, mode in zip(zip(*numbers, strict=True), modes, strict=True) if mode != b"LEAF"]
    went = sum(trees[tree]["sum_hessian"][after] for tree, _, after in branches)
    came = sum(trees[tree]["sum_hessian"][number] for tree, number, _ in branches)
    return float(went / came)


def test_a_split_at_zero_is_left_as_it_is() -> None:
    rows = np.repeat(np.array([[-1.0], [0.0]], np.float32), [900, 100], axis=0)
    params = {"objective": "binary:logistic", "max_depth": 1}
    booster = xgboost.train(params, xgboost.DMatrix(rows, rows[:, 0] == 0), num_boost_round=1)
    plain, laid_out = tree_ensemble(booster, 1), tree_ensemble(booster, 1)
    branch = list(attribute(plain, "nodes_modes").strings).index(b"BRANCH_LT")
    assert attribute(plain, "nodes_values").floats[branch] == 0.0
    lay_out(laid_out, booster, 1)
    assert list(attribute(laid_out, "nodes_falsenodeids").ints) == list(attribute(plain, "nodes_falsenodeids").ints)
    np.testing.assert_array_equal(margins_of(plain, rows), margins_of(laid_out, in_blocks(rows)))


def test_another_kind_of_test_is_refused() -> None:
    booster = boosted(1)
    ensemble = tree_ensemble(booster, COLUMNS)
    modes = attribute(ensemble, "nodes_modes").strings
    modes[list(modes).index(b"BRANCH_LT")] = b"BRANCH_LEQ"
    with pytest.raises(ValueError, match="got BRANCH_LEQ"):
        lay_out(ensemble, booster, COLUMNS)
