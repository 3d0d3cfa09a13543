"""What investigators found, as it comes back: read by a thread of its own, recorded, and never part of a decision.

Findings come on another topic than transfers. Nothing orders the two but the wall clock, so a decision that asked what
was found by then would be another in each run: they are counted, logged, and shown; the next training learns from them.
"""

import logging
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from scorer.counters import Counters
from streams.codec import UNDECODABLE, decode_finding
from streams.laundering import Finding

log = logging.getLogger("riskbench.scorer")

POLL_S = 0.2
LAST_POLL_S = 1.0
"""At the end, for what was sent and is still on its way."""


class FindingsFeed:
    """Reads the dispositions topic from its beginning while it is entered; `latest` has each customer's last finding.

    `open_consumer` makes a confluent-kafka consumer that is already assigned to the topic's partition. When it cannot
    go on, that is logged: decisions do not need it.
    """

    def __init__(self, open_consumer: Callable[[], Any], counters: Counters) -> None:
        self._open_consumer, self._counters = open_consumer, counters
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="findings", daemon=True)
        self.latest: dict[str, Finding] = {}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        try:
            consumer = self._open_consumer()
            try:
                while not self._stopped.is_set():
                    self._take(consumer.poll(POLL_S))
                while (message := consumer.poll(LAST_POLL_S)) is not None:
                    self._take(message)
            finally:
                consumer.close()
        except Exception:
            log.exception("findings can no longer be read; decisions go on without them")

    def _take(self, message: Any) -> None:
        if message is None:
            return
        error = message.error()
        if error is not None:
            log.warning("findings: %s", error.str())
            return
        try:
            finding = decode_finding(message.value() or b"")
        except UNDECODABLE as refused:
            self._counters.findings_unreadable += 1
            log.warning("a message among the findings is none: %s", refused)
            return
        known = self.latest.get(finding.customer_id)
        if known is None or known.found_at_ns <= finding.found_at_ns:
            self.latest[finding.customer_id] = finding
        self._counters.findings += 1
        self._counters.findings_suspicious += finding.is_suspicious
