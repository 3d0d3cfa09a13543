"""CSI: does a feature still come in the shares it came in? Every feature, all events and each group."""

from typing import ClassVar

from harness.drift.counts import CountsWatch
from harness.drift.monitors.by_feature import ByFeature
from harness.drift.shares import SharesWatch

NAME = "csi"


class FeatureShares(ByFeature):
    """Of the events of settled keys, whoever decided them."""

    NAME: ClassVar[str] = NAME
    WATCH: ClassVar[type[CountsWatch]] = SharesWatch
