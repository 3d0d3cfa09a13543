"""When the broker had an event in its log, as the delivery reports of the load say.

The events topic carries the broker's own append time, and librdkafka hands it back with each report. The report's own
instant would not do: it is served when the load has nothing better to do, and `Message.latency()` counts until then.
Append times are whole milliseconds of wall time, so what is noted here is the earliest instant that reads so.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME

from streams.brokers.clients import Report

APPEND_TIME: Mapping[str, str] = {"message.timestamp.type": "LogAppendTime"}
"""Setting of a topic whose broker says when it appended a message."""
RESOLUTION_NS = 1_000_000
REPORTS_MAX = 200_000
"""A report costs the load a microsecond: of longer streams, every n-th event is noted."""

Int64s = npt.NDArray[np.int64]
Clock = Callable[[], int]


class AppendTimes:
    """Notes append times in `appended_ns` (by ordinal; ns of `now_ns`; 0: not known). Errors go to `failed`."""

    def __init__(self, appended_ns: Int64s, failed: Report, wall_ns: Clock, now_ns: Clock) -> None:
        self._appended_ns, self._failed, self._wall_ns, self._now_ns = appended_ns, failed, wall_ns, now_ns
        self._every = max(1, -(-len(appended_ns) // REPORTS_MAX))

    def report_of(self, ordinal: int) -> Report | None:
        """What is to be called when the broker has taken event `ordinal`; None where that is not noted."""
        return None if ordinal % self._every else partial(self._note, ordinal)

    def _note(self, ordinal: int, error: Any, message: Any) -> None:
        if error is not None:
            self._failed(error, message)
            return
        kind, wall_ms = message.timestamp()
        if kind == TIMESTAMP_LOG_APPEND_TIME:
            # the clocks are read together each time: wall time is steered while the stream runs
            self._appended_ns[ordinal] = wall_ms * RESOLUTION_NS - (self._wall_ns() - self._now_ns())
