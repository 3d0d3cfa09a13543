"""The share of bad ones among alerts whose labels have arrived."""

from harness.drift.monitor import ArrivedLabels
from harness.drift.monitors.labelled import Counted, LabelledRate


class Precision(LabelledRate):
    """Bad labels of the labels of alerts."""

    NAME = "precision"

    def counted(self, arrived: ArrivedLabels) -> Counted:
        """Alerts, and the bad of them."""
        return Counted(arrived.is_alert, arrived.is_alert & arrived.is_bad)
