"""The lease of Faust's consumer, renewed by the heartbeats of its driver."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from scorer.clock import ClockNs
from scorer.engines.lease import Lease, ShareLostError
from scorer.engines.membership import AGAIN_S, ASKING_LIMIT_S
from streams.errors import BrokerError

log = logging.getLogger("riskbench.scorer")


class FaustMembership:
    """See `scorer.engines.membership.Membership`. `watch` is for the driver's thread, the rest for Faust's loop."""

    def __init__(self, session_ms: int, clock_ns: ClockNs) -> None:
        self.lease = Lease(session_ms)
        self._clock_ns = clock_ns
        self._coordinator: Any = None
        self._loop: Any = None
        self._generation: int | None = None
        self._when_lost: Callable[[], None] = lambda: None

    def tell(self, when_lost: Callable[[], None]) -> None:
        """Call this once the partitions turn out to be another worker's."""
        self._when_lost = when_lost

    def watch(self, coordinator: Any, loop: Any) -> None:
        """Take note of every heartbeat of aiokafka's coordinator, which lives on this loop."""
        beat = coordinator._do_heartbeat

        async def watched() -> bool:
            asked_ns = self._clock_ns()
            answered = bool(await beat())
            if answered and coordinator.generation == self._generation:
                self.lease.renew(asked_ns)
            return answered

        coordinator._do_heartbeat = watched
        self._coordinator, self._loop = coordinator, loop

    def assigned(self) -> None:
        """The group has given partitions."""
        self._generation = self._coordinator.generation
        self.lease.begin()

    async def may_answer(self, now_ns: int) -> bool:
        """See `Membership.may_answer`."""
        return self.lease.holds(now_ns) or await self._ask()

    def guard(self, sender: Any) -> None:
        """Let aiokafka's producer send nothing for partitions that are another worker's by now.

        Answers that were handed to it wait for a turn of the event loop, which a model that is asked holds up.
        """
        send = sender._send_produce_req

        async def guarded(node: Any, batches: dict[Any, Any]) -> None:
            if not await self.may_answer(self._clock_ns()):
                batches = _withdrawn(sender, batches)
                if not batches:
                    sender._in_flight.remove(node)
                    return
            await send(node, batches)

        sender._send_produce_req = guarded

    async def _ask(self) -> bool:
        limit_ns = self._clock_ns() + round(ASKING_LIMIT_S * 1e9)
        while not self.lease.lost:
            asked_ns = self._clock_ns()
            if self.lease.holds(asked_ns):
                return True
            if asked_ns > limit_ns:
                raise BrokerError(f"the group's coordinator has not answered a heartbeat within {ASKING_LIMIT_S:g} s")
            if self._coordinator.generation != self._generation:
                log.warning("this worker stood still, and its partitions went to another one")
                self.lease.lose(asked_ns)
                self._when_lost()
            else:
                asked = asyncio.run_coroutine_threadsafe(self._coordinator._do_heartbeat(), self._loop)
                if not await asyncio.wrap_future(asked):
                    await asyncio.sleep(AGAIN_S)
        return False


def _withdrawn(sender: Any, batches: dict[Any, Any]) -> dict[Any, Any]:
    """Give up messages that were never sent, and their sequence numbers; what is left was on its way before."""
    left = {}
    for partition, batch in batches.items():
        if batch.retry_count:
            left[partition] = batch
            continue
        sender._txn_manager.increment_sequence_number(partition, -batch.record_count)
        sender._muted_partitions.remove(partition)
        batch.failure(ShareLostError())
    return left
