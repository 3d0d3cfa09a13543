"""Autoencoder and trees as ONE ONNX graph: features in, raw margin and reconstruction error out."""

import json
from typing import Any

import numpy as np
import onnx
import xgboost
from numpy.typing import ArrayLike
from onnx import TensorProto, helper, numpy_helper
from onnxmltools import convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType

from models.autoencoder import ACTIVATION_LIMIT, GRID, INPUT_LIMIT, ROOTS, Autoencoder
from models.tree_layout import lay_out

OPSET = 18
OPSET_ML = 3
IR_VERSION = 9


class _Graph:
    """Nodes and constants as they are added; each method returns the name of the new value."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: dict[str, Any] = {}

    def constant(self, name: str, value: ArrayLike, dtype: Any = np.float64) -> str:
        if name not in self.constants:
            self.constants[name] = numpy_helper.from_array(np.asarray(value, dtype=dtype), name)
        return name

    def add(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output

    def to_grid(self, value: str) -> str:
        scaled = self.add("Mul", [value, self.constant("grid", GRID)], f"{value}_scaled")
        rounded = self.add("Round", [scaled], f"{value}_rounded")
        return self.add("Mul", [rounded, self.constant("grid_inverse", 1.0 / GRID)], f"{value}_on_grid")

    def clip(self, value: str, low: float, high: float) -> str:
        bounds = [self.constant(f"limit_{bound:g}", bound) for bound in (low, high)]
        return self.add("Clip", [value, *bounds], f"{value}_clipped")


def build_graph(autoencoder: Autoencoder | None, booster: xgboost.Booster, features: int) -> bytes:
    """Serialised model: input `features` float32 [N, F]; outputs `margin` (log-odds) and `reconstruction_error`,
    both float32 [N]. The trees' input is the features followed by the reconstruction error, which is NaN where there
    is no autoencoder."""
    graph = _Graph()
    if autoencoder is None:
        error = _no_error(graph)
    else:
        error = _reconstruction_error(graph, autoencoder, _standardise(graph, autoencoder))
    column = graph.add("Unsqueeze", [error, graph.constant("last_axis", [1], np.int64)], "error_column")
    graph.add("Concat", ["features", column], "augmented", axis=1)
    trees = tree_ensemble(booster, features + 1)
    lay_out(trees, booster, features + 1)
    trees.input[0], trees.output[0] = _blocks(graph, "augmented"), "margin_column"
    graph.nodes.append(trees)
    graph.add("Squeeze", ["margin_column", "last_axis"], "margin")
    value_info = helper.make_tensor_value_info
    inputs = [value_info("features", TensorProto.FLOAT, ["N", features])]
    outputs = [value_info(name, TensorProto.FLOAT, ["N"]) for name in ("margin", "reconstruction_error")]
    body = helper.make_graph(graph.nodes, "fraud", inputs, outputs, list(graph.constants.values()))
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", OPSET_ML)]
    model = helper.make_model(body, opset_imports=opsets, ir_version=IR_VERSION, producer_name="riskbench")
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def _blocks(graph: _Graph, columns: str) -> str:
    """The blocks of columns that `models.tree_layout` has the trees look at, in its order."""
    absent, lowest = graph.add("IsNaN", [columns], "absent"), graph.constant("lowest", -np.inf, np.float32)
    low = graph.add("Where", [absent, lowest, columns], "absent_low")
    negated = graph.add("Neg", [columns], "negated")
    negated_low = graph.add("Where", [absent, lowest, negated], "negated_absent_low")
    return graph.add("Concat", [columns, low, negated, negated_low], "blocks", axis=1)


def _standardise(graph: _Graph, autoencoder: Autoencoder) -> str:
    """The nodes of `Autoencoder.standardise`, operation by operation, in double."""
    exact = graph.add("Cast", ["features"], "exact", to=TensorProto.DOUBLE)
    one = graph.constant("one", 1.0)
    root = graph.add("Add", [graph.add("Abs", [exact], "magnitude"), one], "root_0")
    for step in range(ROOTS):
        root = graph.add("Sqrt", [root], f"root_{step + 1}")
    power = graph.add("Sub", [root, one], "power")
    power = graph.add("Mul", [power, graph.constant("power_inverse", 2.0**ROOTS)], "power_scaled")
    signed = graph.add("Mul", [power, graph.add("Sign", [exact], "sign")], "compressed")
    chosen = graph.constant("is_compressed", autoencoder.compressed, np.bool_)
    spread = graph.add("Where", [chosen, signed, exact], "spread")
    centred = graph.add("Sub", [spread, graph.constant("centre", autoencoder.centre)], "centred")
    scaled = graph.add("Mul", [centred, graph.constant("inverse_scale", autoencoder.inverse_scale)], "standard")
    missing = graph.add("IsNaN", [scaled], "missing")
    known = graph.add("Where", [missing, graph.constant("zero", 0.0), scaled], "known")
    return graph.to_grid(graph.clip(known, -INPUT_LIMIT, INPUT_LIMIT))


def _reconstruction_error(graph: _Graph, autoencoder: Autoencoder, standard: str) -> str:
    """The nodes of `Autoencoder.reconstruct` and of the mean squared deviation, cast to float32 at the very end."""
    activation = standard
    last = len(autoencoder.weights) - 1
    for layer, (weight, bias) in enumerate(zip(autoencoder.weights, autoencoder.biases, strict=True)):
        product = graph.add("MatMul", [activation, graph.constant(f"weight_{layer}", weight)], f"product_{layer}")
        total = graph.add("Add", [product, graph.constant(f"bias_{layer}", bias)], f"layer_{layer}")
        activation = graph.to_grid(graph.clip(total, -ACTIVATION_LIMIT if layer == last else 0.0, ACTIVATION_LIMIT))
    deviation = graph.add("Sub", [standard, activation], "deviation")
    squared = graph.add("Mul", [deviation, deviation], "squared")
    axis = graph.constant("last_axis", [1], np.int64)
    total = graph.add("ReduceSum", [squared, axis], "squared_sum", keepdims=0)
    mean = graph.add("Div", [total, graph.constant("features_n", float(len(autoencoder.centre)))], "mean_error")
    return graph.add("Cast", [mean], "reconstruction_error", to=TensorProto.FLOAT)


def _no_error(graph: _Graph) -> str:
    """NaN for every row."""
    rows = graph.add("Shape", ["features"], "rows", start=0, end=1)
    missing = numpy_helper.from_array(np.array([np.nan], dtype=np.float32))
    return graph.add("ConstantOfShape", [rows], "reconstruction_error", value=missing)


def tree_ensemble(booster: xgboost.Booster, columns: int) -> Any:
    """The ensemble as one TreeEnsembleRegressor that returns the margin.

    The converter would give a classifier with the LOGISTIC post-transform, whose float32 probabilities make one score
    of many small ones. So the same trees are handed to it as a plain regression, whose output is their sum.
    """
    document = json.loads(bytes(booster.save_raw("json")))
    learner = document["learner"]
    if learner["objective"]["name"] != "binary:logistic":
        raise ValueError(f"the trees' objective must be binary:logistic, got {learner['objective']['name']}")
    share = float(json.loads(learner["learner_model_param"]["base_score"])[0])
    learner["learner_model_param"]["base_score"] = f"[{float(np.log(share / (1.0 - share)))!r}]"
    learner["objective"] = {"name": "reg:squarederror", "reg_loss_param": {"scale_pos_weight": "1"}}
    learner["feature_names"], learner["feature_types"] = [], []
    plain = xgboost.Booster()
    plain.load_model(bytearray(json.dumps(document).encode()))
    converted = convert_xgboost(plain, initial_types=[("augmented", FloatTensorType([None, columns]))])
    nodes = [node for node in converted.graph.node if node.op_type == "TreeEnsembleRegressor"]
    if len(nodes) != 1 or len(converted.graph.node) != 1:
        raise ValueError(f"one tree ensemble was expected, got {[node.op_type for node in converted.graph.node]}")
    transforms = [attribute.s for attribute in nodes[0].attribute if attribute.name == "post_transform"]
    if transforms not in ([], [b"NONE"]):
        raise ValueError(f"the trees' post_transform must be NONE, got {transforms}")
    return nodes[0]
