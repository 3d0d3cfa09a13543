"""Checkpoints on Faust's event loop: what is acknowledged is what was settled before the producer was flushed."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from models.features.batch import Int32s
from scorer.checkpoint.keeping import NO_CARDS, Checkpoints
from scorer.engines.faust_outlet import Pending
from scorer.engines.faust_transport import Delivery


class FaustCheckpoints:
    """See `Checkpoints`. Lives on the event loop; only `restore` works on another thread, while nothing is decided."""

    def __init__(self, checkpoints: Checkpoints, delivery: Delivery, flush: Callable[[], Awaitable[None]]) -> None:
        self._checkpoints = checkpoints
        self._delivery = delivery
        self._flush = flush
        self._open: set[Pending] = set()
        self._awaited: set[Pending] = set()
        self._then: Callable[[], None] | None = None
        self._lost = False
        self._restoring: asyncio.Future[dict[int, int]] | None = None
        checkpoints.connect(lambda: delivery.reached, self._when_acknowledged)

    def expected(self, events: Sequence[Any]) -> list[Any]:
        """Those events (Faust's) that the state has not taken in yet, of partitions that are ours."""
        if self._lost:
            return []
        expects = self._checkpoints.expects
        return [event for event in events if expects(event.message.partition, event.message.offset)]

    def begin(self, batch: Pending) -> None:
        """A micro-batch is begun."""
        self._open.add(batch)

    def end(self, batch: Pending) -> None:
        """All its answers are with the producer."""
        self._open.discard(batch)
        self._awaited.discard(batch)

    def lose(self) -> None:
        """The partitions went to another worker unseen: nothing more of them is taken or written before there are new
        ones."""
        self._lost = True
        self._open.clear()
        self._awaited.clear()
        self._then = None
        self._checkpoints.lose()

    def before(self, cards: Int32s) -> None:
        """See `Checkpoints.before`."""
        self._checkpoints.before(cards)

    def took(self, events: Sequence[Any], places: Sequence[int], cards: Int32s | None) -> None:
        """See `Checkpoints.took`; `events` are Faust's."""
        messages = [event.message for event in events]
        whence = [message.partition for message in messages], [message.offset for message in messages]
        self._checkpoints.took(NO_CARDS if cards is None else cards, places, *whence)

    def lettered(self, topic: str, partition: int, offset: int) -> bool:
        """See `Checkpoints.lettered`."""
        return self._checkpoints.lettered(topic, partition, offset)

    def step(self) -> None:
        """See `Checkpoints.step`; no micro-batch may be under way."""
        self._checkpoints.step()

    async def serve(self) -> None:
        """Find out whether what the cut under way waits for is acknowledged."""
        if self._then is not None and not self._awaited:
            await self._flush()
            self._tell()

    async def restore(self, assigned: Iterable[Any]) -> dict[Any, int]:
        """Take partitions over (Faust's topic and partition); the offsets to read them from."""
        await self._restored()
        self._lost = False
        by_number = {tp.partition: tp for tp in assigned}
        loop = asyncio.get_running_loop()
        self._restoring = loop.run_in_executor(None, self._checkpoints.restore, list(by_number))
        starts = await asyncio.shield(self._restoring)
        return {by_number[partition]: offset for partition, offset in starts.items()}

    async def give_up(self, partitions: Iterable[int]) -> None:
        """Everything being settled: write what has changed and let the partitions go."""
        await self._restored()
        await self._flush()
        self._checkpoints.finish(self._tell)
        self._checkpoints.give_up(partitions)

    async def _restored(self) -> None:
        """A rebalance may come while the one before is still restored: one after the other."""
        if self._restoring is not None:
            await asyncio.wait({self._restoring})

    def _when_acknowledged(self, then: Callable[[], None]) -> None:
        self._then, self._awaited = then, set(self._open)

    def _tell(self) -> None:
        then = self._then
        if then is not None and not self._awaited and self._delivery.failure is None:
            self._then = None
            then()
