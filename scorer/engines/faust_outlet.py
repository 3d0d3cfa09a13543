"""From the explaining thread to Faust's event loop: explanations are sent there, and only then is their event done."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from streams.decision import Explanation

Send = Callable[[Sequence[Explanation]], Awaitable[None]]


class Pending:
    """What a micro-batch still waits for: its own decisions, and its explanations. Lives on the event loop."""

    __slots__ = ("_done", "_open")

    def __init__(self, done: Callable[[], Awaitable[None]]) -> None:
        self._open = 1
        self._done = done

    def wait_for(self, count: int) -> None:
        """So many more things."""
        self._open += count

    async def settle(self) -> None:
        """One of them has come, or will not come; `done` is awaited with the last."""
        self._open -= 1
        if self._open == 0:
            await self._done()


class FaustOutlet:
    """See `scorer.explaining.Outlet`. A receipt is the micro-batch that waits for the explanation."""

    def __init__(self) -> None:
        self._loop: Any = None
        self._send: Send | None = None
        self._fail: Callable[[BaseException], None] = lambda _: None
        self._batch: Pending | None = None
        self._open = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def connect(self, send: Send, fail: Callable[[BaseException], None]) -> None:
        """On the event loop: send explanations by this from now on, and tell `fail` what goes wrong with it."""
        self._loop, self._send, self._fail = asyncio.get_running_loop(), send, fail

    def begin(self, batch: Pending) -> None:
        """The micro-batch that is decided now."""
        self._batch = batch

    @property
    def idle(self) -> bool:
        """On the event loop: whether nothing is expected any more."""
        return self._open == 0

    def expect(self, count: int) -> Sequence[Any]:
        """See `Outlet.expect`."""
        if self._batch is None:
            raise RuntimeError("explanations are expected outside of a micro-batch")
        self._batch.wait_for(count)
        self._open += count
        return [self._batch] * count

    def publish(self, explanations: Sequence[Explanation], receipts: Sequence[Any]) -> None:
        """See `Outlet.publish`."""
        self._loop.call_soon_threadsafe(self._start, explanations, receipts)

    def give_up(self, receipts: Sequence[Any]) -> None:
        """See `Outlet.give_up`."""
        self._loop.call_soon_threadsafe(self._start, (), receipts)

    def _start(self, explanations: Sequence[Explanation], receipts: Sequence[Any]) -> None:
        task = asyncio.ensure_future(self._deliver(explanations, receipts))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, explanations: Sequence[Explanation], receipts: Sequence[Any]) -> None:
        if self._send is None:
            raise RuntimeError("explanations came before the outlet was connected")
        try:
            await self._send(explanations)
            for batch in receipts:
                await batch.settle()
            self._open -= len(receipts)
        except Exception as error:
            self._fail(error)
