"""Explanations on their way to Faust's event loop: an event is done when they are with the producer."""

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

import pytest

from scorer.engines.faust_outlet import FaustOutlet, Pending
from streams.decision import Explanation


class Loop:
    """What happens on the event loop."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.done: list[str] = []
        self.failures: list[BaseException] = []
        self.threads: set[int] = set()
        self.broken = False

    async def send(self, explanations: Sequence[Explanation]) -> None:
        if self.broken:
            raise ValueError("no producer")
        self.threads.add(threading.get_ident())
        self.sent += [explanation.event_id for explanation in explanations]

    def batch(self, name: str) -> Pending:
        async def done() -> None:
            self.done.append(name)

        return Pending(done)


async def until(outlet: FaustOutlet) -> None:
    while not outlet.idle:
        await asyncio.sleep(0.001)


def explanation(event_id: str) -> Explanation:
    return Explanation(event_id=event_id, reasons=[])


def test_a_micro_batch_is_done_with_its_last_explanation() -> None:
    async def run() -> Loop:
        loop, outlet = Loop(), FaustOutlet()
        outlet.connect(loop.send, loop.failures.append)
        receipts: list[Any] = []
        for name in ("first", "second"):
            batch = loop.batch(name)
            outlet.begin(batch)
            receipts += outlet.expect(2)
            await batch.settle()
        assert loop.done == []
        published = [explanation(f"e{number}") for number in range(3)]
        thread = threading.Thread(target=outlet.publish, args=(published, receipts[:3]))
        thread.start()
        await asyncio.to_thread(thread.join)
        while len(loop.sent) < 3:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0)
        assert loop.done == ["first"]
        assert not outlet.idle
        outlet.give_up(receipts[3:])
        await until(outlet)
        return loop

    loop = asyncio.run(run())
    assert loop.sent == ["e0", "e1", "e2"]
    assert loop.done == ["first", "second"]
    assert loop.threads == {threading.get_ident()}


def test_a_micro_batch_without_explanations_is_done_at_once() -> None:
    async def run() -> list[str]:
        loop, outlet = Loop(), FaustOutlet()
        outlet.connect(loop.send, loop.failures.append)
        batch = loop.batch("only")
        outlet.begin(batch)
        await batch.settle()
        assert outlet.idle
        return loop.done

    assert asyncio.run(run()) == ["only"]


def test_what_cannot_be_sent_ends_the_engine_and_is_not_done() -> None:
    async def run() -> Loop:
        loop, outlet = Loop(), FaustOutlet()
        loop.broken = True
        outlet.connect(loop.send, loop.failures.append)
        batch = loop.batch("only")
        outlet.begin(batch)
        receipts = outlet.expect(1)
        await batch.settle()
        outlet.publish([explanation("e")], receipts)
        while not loop.failures:
            await asyncio.sleep(0.001)
        assert not outlet.idle
        return loop

    loop = asyncio.run(run())
    assert loop.done == []
    assert str(loop.failures[0]) == "no producer"


def test_explanations_belong_to_a_micro_batch() -> None:
    with pytest.raises(RuntimeError, match="outside of a micro-batch"):
        FaustOutlet().expect(1)
