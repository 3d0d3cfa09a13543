"""One file a monitor, one line each in the registry."""

from collections.abc import Callable

from harness.drift.monitor import Monitor, Watched
from harness.drift.monitors.adwin_alert_rate import AlertRate
from harness.drift.monitors.adwin_score import ScoreRank
from harness.drift.monitors.bad_features import BadFeatures
from harness.drift.monitors.csi import FeatureShares
from harness.drift.monitors.feature_means import FeatureMeans
from harness.drift.monitors.label_rate import LabelRate
from harness.drift.monitors.missed import Missed
from harness.drift.monitors.paths import Mixes
from harness.drift.monitors.precision import Precision
from harness.drift.monitors.psi_score import ScoreShares
from harness.drift.monitors.repeats import Repeats
from harness.drift.monitors.rule_hits import RuleHits

MONITORS: dict[str, Callable[[Watched], Monitor]] = {
    "psi_score": ScoreShares,
    "csi": FeatureShares,
    "feature_means": FeatureMeans,
    "adwin_score": ScoreRank,
    "adwin_alert_rate": AlertRate,
    "rule_hits": RuleHits,
    "paths": Mixes,
    "repeats": Repeats,
    "precision": Precision,
    "missed": Missed,
    "label_rate": LabelRate,
    "bad_features": BadFeatures,
}
