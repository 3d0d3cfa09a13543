"""Scoring with the bundle's one graph: autoencoder and trees in a single call."""

from typing import Any

import msgspec
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from models.bundle import Bundle, BundleError
from models.logistic import probability

__all__ = ["ModelOutput", "OnnxModel", "probability", "session_options"]

_OUTPUTS = ["margin", "reconstruction_error"]


class ModelOutput(msgspec.Struct, frozen=True):
    """What the graph answers for n rows: the raw log-odds `margin` and the autoencoder's error, both float32 [n]."""

    margin: NDArray[np.float32]
    reconstruction_error: NDArray[np.float32]


def session_options() -> Any:
    """One thread, one operator after the other, and no spinning while idle: a worker has one core and shares it."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    options.log_severity_level = 3
    return options


class OnnxModel:
    """An onnxruntime session over a bundle's graph. Safe to call from several threads; the answer for a row does not
    depend on the rows beside it."""

    def __init__(self, bundle: Bundle) -> None:
        try:
            self._session: Any = onnxruntime.InferenceSession(
                bundle.graph, session_options(), providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime raises a dozen types of its own, none of them public
            raise BundleError(f"the graph of bundle {bundle.directory} cannot be loaded: {error}") from error
        self.features = len(bundle.feature_names)

    def score(self, values: NDArray[np.float32], run_options: Any = None) -> ModelOutput:
        """Score rows: `values` float32 [n, features], NaN where unknown.

        `run_options` is an `onnxruntime.RunOptions`; setting its `terminate` from another thread aborts the call,
        which then raises onnxruntime's error. No rows give no scores.
        """
        rows = np.ascontiguousarray(values, dtype=np.float32)
        margin, error = self._session.run(_OUTPUTS, {"features": rows}, run_options)
        return ModelOutput(margin, error)
