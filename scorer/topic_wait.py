"""Waiting for a run's topics: whoever measures makes them, perhaps long after this process was started."""

import logging
import time
from collections.abc import Callable, Sequence

from scorer.engines import StopSignal
from streams.errors import BrokerError

log = logging.getLogger("riskbench.scorer")

POLL_S = 0.5


def await_topics(
    missing: Callable[[], Sequence[str]],
    limit_s: float,
    stop: StopSignal,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """Wait until `missing` names no topic; False when asked to stop before.

    A broker that does not answer (`missing` raises `BrokerError`) is asked again: it may be starting too. Raises
    `BrokerError` with what was still missing after `limit_s`; with 0 it asks once.
    """
    until, told = clock() + limit_s, ""
    while not stop.is_set():
        reason = _reason(missing)
        if not reason:
            return True
        if clock() >= until:
            raise BrokerError(f"{reason}; waited {limit_s:g} s (--topics-wait-s)")
        if reason != told:
            log.info("waiting at most %g s: %s", limit_s, reason)
            told = reason
        sleep(POLL_S)
    return False


def _reason(missing: Callable[[], Sequence[str]]) -> str:
    try:
        absent = missing()
    except BrokerError as error:
        return str(error)
    return f"topic {', '.join(absent)} is not there: the run that measures makes it, check --prefix" if absent else ""
