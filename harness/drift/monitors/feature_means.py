"""Mean ranks: does a feature still come as high as it came? Every feature, all events and each group."""

from typing import ClassVar

from harness.drift.counts import CountsWatch
from harness.drift.means import MeansWatch
from harness.drift.monitors.by_feature import ByFeature

NAME = "feature_means"


class FeatureMeans(ByFeature):
    """Sees what moves all values by a little, for which an index of shares is blind."""

    NAME: ClassVar[str] = NAME
    WATCH: ClassVar[type[CountsWatch]] = MeansWatch
    QUANTITY: ClassVar[str] = "'s mean rank"
