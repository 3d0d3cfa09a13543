"""How long a worker may answer for its partitions: as long as their group cannot have given them to another one.

The group's coordinator gives a member's partitions away when it has not heard of the member for a session. So what it
answers to a member holds for a session from the instant at which it was asked. A worker that stood still (its process
stopped, its machine asleep) finds its lease run out when it goes on, and asks before it says anything more.
"""

import threading

from streams.errors import BrokerError

MARGIN_SHARE = 0.25
"""Of a session: what is held back for the way from here to the broker."""
REJOIN_LIMIT_S = 60.0
"""So long the group may take to give partitions anew to a worker that has lost its own."""


class ShareLostError(Exception):
    """The partitions are another worker's by now. `sent`: how many decisions of the micro-batch in hand are out."""

    def __init__(self, sent: int = 0) -> None:
        super().__init__("the partitions of this worker were given to another one")
        self.sent = sent


class Lease:
    """Until when a worker may answer without asking; instants in ns of the monotonic clock. For several threads."""

    def __init__(self, session_ms: int) -> None:
        self._length_ns = round(session_ms * 1e6 * (1 - MARGIN_SHARE))
        self._lock = threading.Lock()
        self._until_ns = 0
        self._lost_ns: int | None = None

    @property
    def lost(self) -> bool:
        """Whether the partitions are known to be another's, until there are new ones."""
        return self._lost_ns is not None

    def check_rejoining(self, now_ns: int) -> None:
        """Raise `BrokerError` when the partitions were lost and there are no new ones since `REJOIN_LIMIT_S`."""
        if self._lost_ns is not None and now_ns - self._lost_ns > REJOIN_LIMIT_S * 1e9:
            raise BrokerError(f"the group has not given partitions anew within {REJOIN_LIMIT_S:g} s")

    def holds(self, now_ns: int) -> bool:
        """Whether nobody else can have the partitions at this instant."""
        return now_ns < self._until_ns

    def ages(self, now_ns: int) -> bool:
        """Whether it is time to ask, so that nobody ever has to wait for the answer."""
        return now_ns >= self._until_ns - self._length_ns // 2

    def renew(self, asked_ns: int) -> None:
        """The coordinator has answered, to a question of this instant, that the partitions are ours."""
        with self._lock:
            if self._lost_ns is None:
                self._until_ns = max(self._until_ns, asked_ns + self._length_ns)

    def lose(self, now_ns: int) -> None:
        """It has answered that they are not."""
        with self._lock:
            self._lost_ns = now_ns
            self._until_ns = 0

    def begin(self) -> None:
        """There are new partitions: to be asked for before the first answer."""
        with self._lock:
            self._lost_ns = None
            self._until_ns = 0
