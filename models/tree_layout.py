"""How the trees of a graph lie in memory: the same margins to the bit, found sooner where rows are many.

onnxruntime (`core/providers/cpu/ml/tree_ensemble_common.h`) looks at every node whether a value is missing as soon as
one node of the ensemble sends missing values the way of a true test; and it keeps a node's false child right behind the
node, and its true child elsewhere. So here no node asks for missing values: where one would send them the way of a true
test, it looks at a copy of the column in which they are −∞. And where most training rows pass a test, the test is
turned round (x ≥ t is −x ≤ −t, and so −x < the float after −t), so that most steps lead to the next node.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xgboost
from numpy.typing import NDArray

LEAF, LESS = b"LEAF", b"BRANCH_LT"
RAW, ABSENT_LOW, NEGATED, NEGATED_ABSENT_LOW = range(4)
"""Blocks of columns that the trees are given: the values, the values with −∞ where one is missing, and both of the
negated values (what is missing is −∞ there too)."""
BLOCKS = 4
SMALLEST_NORMAL = np.finfo(np.float32).tiny


@dataclass(frozen=True, slots=True)
class _Nodes:
    """The attributes of a TreeEnsembleRegressor's nodes, a list each."""

    trees: Sequence[int]
    numbers: Sequence[int]
    modes: Sequence[bytes]
    columns: list[int]
    values: NDArray[np.float32]
    true: list[int]
    false: list[int]
    absent_true: Sequence[int]


def lay_out(ensemble: Any, booster: xgboost.Booster, columns: int) -> None:
    """Change a TreeEnsembleRegressor made of `booster` in place: its input is then `BLOCKS` times as many columns.

    Raises `ValueError` for a node that tests otherwise than by less-than.
    """
    attributes = {attribute.name: attribute for attribute in ensemble.attribute}
    nodes = _nodes(attributes)
    often = _often_true(nodes, booster)
    for at, mode in enumerate(nodes.modes):
        if mode == LEAF:
            continue
        if mode != LESS:
            raise ValueError(f"trees that test by less-than were expected, got {mode.decode()}")
        _place(nodes, at, columns, turned=bool(often[at] and abs(nodes.values[at]) >= SMALLEST_NORMAL))
    _set_ints(attributes["nodes_featureids"], nodes.columns)
    _set_ints(attributes["nodes_truenodeids"], nodes.true)
    _set_ints(attributes["nodes_falsenodeids"], nodes.false)
    _set_ints(attributes["nodes_missing_value_tracks_true"], [0] * len(nodes.modes))
    thresholds = attributes["nodes_values"]
    del thresholds.floats[:]
    thresholds.floats.extend(nodes.values.tolist())


def _nodes(attributes: dict[str, Any]) -> _Nodes:
    return _Nodes(
        trees=list(attributes["nodes_treeids"].ints),
        numbers=list(attributes["nodes_nodeids"].ints),
        modes=list(attributes["nodes_modes"].strings),
        columns=list(attributes["nodes_featureids"].ints),
        values=np.array(attributes["nodes_values"].floats, np.float32),
        true=list(attributes["nodes_truenodeids"].ints),
        false=list(attributes["nodes_falsenodeids"].ints),
        absent_true=list(attributes["nodes_missing_value_tracks_true"].ints),
    )


def _place(nodes: _Nodes, at: int, columns: int, *, turned: bool) -> None:
    """Point a node at the block of columns that it needs; a test of almost nothing is not turned, because the float
    after it is none that every processor tells from nothing."""
    absent_true = bool(nodes.absent_true[at])
    if not turned:
        block = ABSENT_LOW if absent_true else RAW
    else:  # what is missing went the way of the true test, which is that of the false one now
        block = NEGATED if absent_true else NEGATED_ABSENT_LOW
        nodes.values[at] = np.nextafter(-nodes.values[at], np.float32(np.inf))
        nodes.true[at], nodes.false[at] = nodes.false[at], nodes.true[at]
    nodes.columns[at] += block * columns


def _often_true(nodes: _Nodes, booster: xgboost.Booster) -> NDArray[np.bool_]:
    """Of each node whether more than half of what came to it in training, by weight (hessian), passed its test."""
    document = json.loads(bytes(booster.save_raw("json")))
    boosted = document["learner"]["gradient_booster"]["model"]["trees"]
    places = {key: at for at, key in enumerate(zip(nodes.trees, nodes.numbers, strict=True))}
    often = np.zeros(len(nodes.modes), np.bool_)
    for number, tree in enumerate(boosted):
        waiting = [(0, places[number, 0])]
        while waiting:
            own, at = waiting.pop()
            if nodes.modes[at] == LEAF:
                continue
            left, right = tree["left_children"][own], tree["right_children"][own]
            often[at] = 2.0 * tree["sum_hessian"][left] > tree["sum_hessian"][own]
            waiting += [(left, places[number, nodes.true[at]]), (right, places[number, nodes.false[at]])]
    return often


def _set_ints(attribute: Any, values: Sequence[int]) -> None:
    del attribute.ints[:]
    attribute.ints.extend(values)
