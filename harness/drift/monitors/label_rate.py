"""The share of bad ones among the labels that arrive: the prior itself."""

import numpy as np

from harness.drift.monitor import ArrivedLabels
from harness.drift.monitors.labelled import Counted, LabelledRate


class LabelRate(LabelledRate):
    """Bad labels of all labels."""

    NAME = "label_rate"

    def counted(self, arrived: ArrivedLabels) -> Counted:
        """All, and the bad."""
        return Counted(np.ones(len(arrived.is_bad), np.bool_), arrived.is_bad)
