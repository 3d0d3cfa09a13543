"""The card's contents as plain values, gathered from bundle.json and results.json; what is not known is said."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from harness.model_card.sources import CardSources
from harness.report.fairness import bias_line

METRICS = {
    "average_precision": "Average precision (PR-AUC)",
    "roc_auc": "ROC AUC",
    "card_precision_at_k": "Card precision@K",
    "alert_precision": "Precision of alerts",
    "alert_recall": "Recall of alerts",
    "block_precision": "Precision of blocks",
    "brier": "Brier score",
    "ece": "Expected calibration error",
}
MEASURES = {
    "precision_at_k": "Card precision@K",
    "pr_auc": "Average precision (PR-AUC)",
    "roc_auc": "ROC AUC",
    "recall": "Recall of frauds",
    "precision": "Precision of alerts",
    "false_positive_rate": "False-positive rate",
}
NO_FAMILY = "family not said"


def card_facts(sources: CardSources) -> dict[str, Any]:
    """Everything the card says, JSON-ready; None and empty where there is nothing to say."""
    manifest, results = sources.manifest, sources.results
    quality = (results or {}).get("quality") or {}
    return {
        "model": {
            "version": manifest["model_version"],
            "domain": manifest.get("domain"),
            "software": manifest["versions"],
            "files": manifest.get("files") or {},
            "trees": (manifest.get("trees") or {}).get("rounds"),
            "autoencoder": bool((manifest.get("autoencoder") or {}).get("used")),
        },
        "features": _families(manifest),
        "training": _training(manifest),
        "settings": _flat((manifest["train"].get("settings") or {}).get("fit") or {}),
        "imbalance": manifest.get("imbalance") or {},
        "calibration": _flat({k: v for k, v in (manifest.get("calibration") or {}).items() if k != "reliability"}),
        "calibration_bins": (manifest.get("calibration") or {}).get("reliability") or [],
        "thresholds": manifest["thresholds"],
        "threshold_choice": _flat(manifest.get("threshold_choice") or {}),
        "validation": _with_intervals(manifest["metrics"], METRICS),
        "validation_facts": {k: manifest["metrics"].get(k) for k in ("period", "events", "frauds", "k")},
        "evaluation": _evaluation(sources, quality),
        "measured": _measured(quality),
        "k": quality.get("k"),
        "scenarios": quality.get("scenarios") or {},
        "look_alikes": quality.get("look_alikes") or {},
        "groups": {kind: quality.get(f"by_{kind}") for kind in ("segment", "region")},
        "bias": {kind: bias_line(quality.get(f"by_{kind}"), kind) for kind in ("segment", "region")} if quality else {},
        "reliability": quality.get("reliability"),
        "reason_agreement": quality.get("reason_agreement"),
        "drift": ((results or {}).get("drift") or {}).get("status"),
        "not_known": _not_known(sources, quality),
    }


def _families(manifest: Mapping[str, Any]) -> dict[str, list[str]]:
    """Feature names by family, in the order of the columns."""
    families: Mapping[str, str] = manifest.get("feature_families") or {}
    found: dict[str, list[str]] = {}
    for name in manifest["feature_names"]:
        found.setdefault(families.get(name, NO_FAMILY), []).append(name)
    return found


def _training(manifest: Mapping[str, Any]) -> dict[str, Any]:
    train = manifest["train"]
    return {
        "data_hash": manifest["data_hash"],
        "from": _day(train.get("from_ns")),
        "validation_from": _day(train.get("validation_from_ns")),
        "until": _day(train.get("until_ns")),
        "label_delay_days": manifest.get("label_delay_days"),
        "seed": (manifest.get("seeds") or {}).get("training"),
    }


def _day(time_ns: int | None) -> str | None:
    if time_ns is None:
        return None
    return f"{dt.datetime.fromtimestamp(time_ns / 1e9, dt.UTC):%Y-%m-%d %H:%M} UTC"


def _after(moment: str | None, until_ns: int | None) -> bool | None:
    """Whether an ISO instant is not before a time; None where one of them is not known."""
    if moment is None or until_ns is None:
        return None
    try:
        return dt.datetime.fromisoformat(moment).timestamp() >= until_ns / 1e9
    except ValueError:
        return None


def _flat(settings: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Nested settings as `part.name`."""
    found: dict[str, Any] = {}
    for name, value in settings.items():
        key = f"{before}{name}"
        found |= _flat(value, f"{key}.") if isinstance(value, Mapping) else {key: value}
    return found


def _with_intervals(metrics: Mapping[str, Any], names: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {"name": words, "value": metrics[key], "low": metrics.get(f"{key}_low"), "high": metrics.get(f"{key}_high")}
        for key, words in names.items()
        if metrics.get(key) is not None
    ]


def _measured(quality: Mapping[str, Any]) -> list[dict[str, Any]]:
    intervals = quality.get("intervals") or {}
    return [
        {"name": words, "value": quality[key], "low": None, "high": None, **(intervals.get(key) or {})}
        for key, words in MEASURES.items()
        if quality.get(key) is not None
    ]


def _evaluation(sources: CardSources, quality: Mapping[str, Any]) -> dict[str, Any] | None:
    """The stream the run measured; None without a run."""
    results = sources.results
    if results is None:
        return None
    load = results.get("load") or {}
    return {
        "run": sources.run,
        "data": results.get("dataset") or "synthetic world",
        "synthetic": not results.get("dataset"),
        "from": load.get("events_from"),
        "until": load.get("events_until"),
        "after_training": _after(load.get("events_from"), sources.manifest["train"].get("until_ns")),
        "events": quality.get("events"),
        "frauds": quality.get("frauds"),
        "excluded": quality.get("excluded"),
        "verdict": (results.get("verdict") or {}).get("status"),
        "seeds": results.get("seeds") or {},
        "bootstrap": quality.get("bootstrap"),
    }


def _not_known(sources: CardSources, quality: Mapping[str, Any]) -> list[str]:
    """What nobody has measured, in sentences."""
    manifest, found = sources.manifest, []
    if sources.results is None:
        found.append("No run was given: how the model does on a stream it was not trained or tuned on is not known.")
    elif not quality:
        found.append("The streamed data has no labels: no quality was measured on it.")
    for kind in ("segment", "region"):
        if not quality.get(f"by_{kind}"):
            found.append(f"Error rates by customer {kind} are not known: no {kind} was given for the cards.")
    if not any(row.get("low") is not None for row in _with_intervals(manifest["metrics"], METRICS)):
        found.append("The validation figures carry no intervals.")
    if not manifest.get("calibration"):
        found.append("The scores were not calibrated: read them as ranks, not as probabilities.")
    if not manifest.get("threshold_choice"):
        found.append("The bundle does not say by which rule its thresholds were chosen.")
    if quality and not quality.get("reason_agreement"):
        found.append("Whether the reasons name what frauds really did could not be checked.")
    found.append("Age, sex, origin and the like are not in the data: bias along them was not measured.")
    return found
