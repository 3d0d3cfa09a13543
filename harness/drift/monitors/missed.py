"""The share of bad ones that no alert was raised for: a new kind of crime goes unseen."""

from harness.drift.monitor import ArrivedLabels
from harness.drift.monitors.labelled import Counted, LabelledRate


class Missed(LabelledRate):
    """Bad labels without an alert, of all labels."""

    NAME = "missed"

    def counted(self, arrived: ArrivedLabels) -> Counted:
        """All, and the bad among those not alerted."""
        return Counted(arrived.is_bad | ~arrived.is_bad, arrived.is_bad & ~arrived.is_alert)
