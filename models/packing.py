"""A fitted model made into a bundle: its manifest, its graph, and the check that the graph is the model."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.boosting import margins, save_trees
from models.bundle import SCHEMA_VERSION, Bundle, BundleError, content_hash, write_bundle
from models.calibrating import FITTED_ON
from models.domain import CARD_FRAUD, ModelDomain
from models.features.batch import Vocabulary
from models.fitting import Fitted, reconstruction_errors
from models.onnx_graph import build_graph
from models.onnx_model import OnnxModel
from models.settings import TrainSettings
from models.training_data import TimeSplit
from models.training_key import versions

MARGIN_TOLERANCE = 1e-4
"""How far the graph's margin may be from XGBoost's: both add float32 leaves."""


def describe(
    fitted: Fitted,
    split: TimeSplit,
    settings: TrainSettings,
    vocabulary: Vocabulary,
    data_hash: str,
    domain: ModelDomain = CARD_FRAUD,
) -> dict[str, Any]:
    """bundle.json, without what depends on the files' bytes."""
    thresholds = fitted.choice.thresholds
    return {
        "schema_version": SCHEMA_VERSION,
        "domain": domain.name,
        "feature_names": list(domain.feature_names),
        "feature_families": {feature.name: feature.family for feature in domain.features},
        "vocabulary": {"category": list(vocabulary.category), "channel": list(vocabulary.channel)},
        "thresholds": {"review": thresholds.review, "block": thresholds.block},
        "threshold_choice": fitted.choice.rule,
        "calibration": {
            **fitted.calibration.to_dict(),
            "fitted_on": FITTED_ON,
            "log_loss": fitted.calibration_losses,
            **fitted.reliability,
        },
        "reference": fitted.reference,
        "metrics": fitted.metrics,
        "imbalance": {"chosen": fitted.comparison.chosen, "compared": fitted.comparison.compared},
        "autoencoder": {"used": fitted.autoencoder is not None, "error_p99": fitted.error_p99},
        "trees": {"rounds": fitted.rounds},
        "label_delay_days": settings.label_delay_days,
        "train": {
            "from_ns": split.from_ns,
            "validation_from_ns": split.validation_ns,
            "until_ns": split.until_ns,
            "settings": asdict(settings),
        },
        "data_hash": data_hash,
        "seeds": {"training": settings.fit.seed},
        "versions": versions(),
    }


def save_fitted(directory: Path, fitted: Fitted, manifest: dict[str, Any]) -> Bundle:
    """Write the fitted parts with their manifest, and load them back verified."""
    graph = build_graph(fitted.autoencoder, fitted.booster, len(manifest["feature_names"]))
    deciding = [manifest["thresholds"], fitted.calibration.to_dict(), manifest["vocabulary"]]
    decides = graph + json.dumps(deciding, sort_keys=True).encode()
    manifest = {**manifest, "model_version": f"{manifest['domain']}-{content_hash(decides)[:12]}"}
    return Bundle.load(write_bundle(directory, manifest, graph, save_trees(fitted.booster)), manifest["feature_names"])


def check_graph(bundle: Bundle, fitted: Fitted, values: NDArray[np.float32]) -> None:
    """Raise `BundleError` unless the graph gives the trees' margin within `MARGIN_TOLERANCE`, and the autoencoder's
    error to the bit, on `values` float32 [n, F]."""
    output = OnnxModel(bundle).score(values)
    errors = reconstruction_errors(fitted.autoencoder, values)
    expected = margins(fitted.booster, np.column_stack([values, errors]), fitted_threads(bundle))
    apart = float(np.abs(output.margin - expected).max(initial=0.0))
    same = np.array_equal(output.reconstruction_error, errors, equal_nan=True)
    if apart > MARGIN_TOLERANCE or not same:
        raise BundleError(
            f"the graph of bundle {bundle.directory} differs from the model it was made from: margin by {apart:.2g} "
            f"(at most {MARGIN_TOLERANCE:g}), reconstruction error in "
            f"{int((output.reconstruction_error != errors).sum())} of {len(values)} rows"
        )


def fitted_threads(bundle: Bundle) -> int:
    """Threads the bundle was trained with."""
    return int(bundle.manifest["train"]["settings"]["fit"]["nthread"])
