"""Whose events are compared: newcomers have no past; where many arrive, features of the past move without drift."""

import numpy as np
import numpy.typing as npt

from harness.drift.settings import Settings
from streams.labels import NS_PER_DAY

Int64s = npt.NDArray[np.int64]
NEVER = np.iinfo(np.int64).max


class Settled:
    """Remembers when each key was first seen."""

    def __init__(self, settings: Settings) -> None:
        self._burn_in_ns = settings.burn_in_ns
        self._settle_ns = settings.settled_days * NS_PER_DAY
        self._first_ns = np.zeros(0, np.int64)

    def of(self, key: npt.NDArray[np.int32], event_time_ns: Int64s, began_ns: int) -> npt.NDArray[np.bool_]:
        """Whether each event's key was seen in the burn-in or long enough ago; an unknown one (−1) is settled."""
        last = int(key.max(initial=-1))
        if last >= len(self._first_ns):
            more = np.full(max(last + 1, 2 * len(self._first_ns)) - len(self._first_ns), NEVER)
            self._first_ns = np.concatenate([self._first_ns, more])
        known = key >= 0
        if not known.all():
            settled = np.ones(len(key), np.bool_)
            settled[known] = self.of(key[known], event_time_ns[known], began_ns)
            return settled
        first = self._first_ns[key]
        unseen = first == NEVER
        if unseen.any():
            np.minimum.at(self._first_ns, key[unseen], event_time_ns[unseen])
            first = self._first_ns[key]
        return np.asarray((first < began_ns + self._burn_in_ns) | (event_time_ns - first >= self._settle_ns))
