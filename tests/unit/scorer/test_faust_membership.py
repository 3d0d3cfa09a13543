"""Faust's lease: heartbeats renew it, and what waits in the producer is withdrawn when the partitions are another's."""

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest

from scorer.engines.faust_membership import FaustMembership
from scorer.engines.faust_transport import Delivery
from scorer.engines.lease import MARGIN_SHARE, ShareLostError
from scorer.engines.membership import ASKING_LIMIT_S
from streams.errors import BrokerError

SESSION_MS = 10_000
LENGTH_NS = round(SESSION_MS * 1e6 * (1 - MARGIN_SHARE))


class FakeCoordinator:
    """aiokafka's, as far as it is used. `answers` are what the next heartbeats come to; −1 is no generation."""

    def __init__(self) -> None:
        self.generation, self.beats = 4, 0
        self.answers: list[bool | None] = []

    async def _do_heartbeat(self) -> bool:
        self.beats += 1
        answer = self.answers.pop(0) if self.answers else True
        if answer is None:  # not a member any more
            self.generation = -1
            return False
        return answer


class FakeBatch:
    def __init__(self, records: int, retries: int = 0) -> None:
        self.record_count, self.retry_count = records, retries
        self.error: BaseException | None = None

    def failure(self, exception: BaseException) -> None:
        self.error = exception


class FakeSender:
    """aiokafka's, which sends one request to a node at a time and mutes its partitions meanwhile."""

    def __init__(self) -> None:
        self.sent: list[dict[str, FakeBatch]] = []
        self.sequences = {"a": 10, "b": 20}
        self._in_flight, self._muted_partitions = {1}, {"a", "b"}
        self._txn_manager = SimpleNamespace(increment_sequence_number=self._increment)

    def _increment(self, partition: str, by: int) -> None:
        self.sequences[partition] += by

    async def _send_produce_req(self, node: int, batches: dict[str, FakeBatch]) -> None:
        self.sent.append(batches)
        self._in_flight.remove(node)
        for partition in batches:
            self._muted_partitions.remove(partition)


class Watched:
    def __init__(self) -> None:
        self.now_ns, self.losses = 1_000, 0
        self.coordinator: Any = FakeCoordinator()
        self.membership = FaustMembership(SESSION_MS, lambda: self.now_ns)
        self.membership.tell(self._lost)

    def _lost(self) -> None:
        self.losses += 1

    def run(self, work: Callable[[], Awaitable[Any]]) -> Any:
        async def within() -> Any:
            self.membership.watch(self.coordinator, asyncio.get_running_loop())
            self.membership.assigned()
            return await work()

        return asyncio.run(within())

    async def asked(self) -> bool:
        return await self.membership.may_answer(self.now_ns)


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    found = Watched()

    async def wait(seconds: float) -> None:
        found.now_ns += round(ASKING_LIMIT_S * 1e9 / 5)

    monkeypatch.setattr("scorer.engines.faust_membership.asyncio", SimpleNamespace(**vars(asyncio) | {"sleep": wait}))
    return found


def test_heartbeats_renew_the_lease(watched: Watched) -> None:
    async def work() -> None:
        for _ in range(4):
            await watched.coordinator._do_heartbeat()
            watched.now_ns += LENGTH_NS - 1
            assert await watched.asked()
        assert watched.coordinator.beats == 4

    watched.run(work)


def test_a_worker_that_stood_still_asks_and_learns_that_it_lost(watched: Watched) -> None:
    async def work() -> None:
        assert await watched.asked()
        watched.now_ns += 30_000_000_000
        watched.coordinator.answers = [None]
        assert not await watched.asked()
        assert not await watched.asked()
        assert (watched.losses, watched.coordinator.beats) == (1, 2)
        watched.coordinator.generation = 6  # the group has it back, with new partitions
        watched.membership.assigned()
        assert await watched.asked()

    watched.run(work)


def test_a_new_generation_is_not_the_one_its_partitions_are_of(watched: Watched) -> None:
    async def work() -> None:
        watched.coordinator.generation = 5
        await watched.coordinator._do_heartbeat()
        assert not await watched.asked()

    watched.run(work)


def test_a_coordinator_that_is_away_is_asked_again(watched: Watched) -> None:
    async def work() -> None:
        watched.coordinator.answers = [False, False]
        assert await watched.asked()
        watched.now_ns += 30_000_000_000
        watched.coordinator.answers = [False] * 100
        with pytest.raises(BrokerError, match="has not answered"):
            await watched.asked()

    watched.run(work)


def test_what_was_never_sent_is_withdrawn_with_its_sequence_numbers(watched: Watched) -> None:
    sender: Any = FakeSender()
    waiting, on_its_way = FakeBatch(3), FakeBatch(2, retries=1)

    async def work() -> None:
        watched.membership.guard(sender)
        watched.coordinator.answers = [None]
        await sender._send_produce_req(1, {"a": waiting, "b": on_its_way})

    watched.run(work)
    assert isinstance(waiting.error, ShareLostError)
    assert sender.sequences == {"a": 7, "b": 20}
    assert sender.sent == [{"b": on_its_way}]
    assert (sender._in_flight, sender._muted_partitions) == (set(), set())


def test_with_nothing_left_the_sender_is_free_again(watched: Watched) -> None:
    sender: Any = FakeSender()
    sender._muted_partitions = {"a"}

    async def work() -> None:
        watched.membership.guard(sender)
        watched.coordinator.answers = [None]
        await sender._send_produce_req(1, {"a": FakeBatch(3)})

    watched.run(work)
    assert (sender.sent, sender._in_flight, sender._muted_partitions) == ([], set(), set())


def test_a_member_sends_as_ever(watched: Watched) -> None:
    sender: Any = FakeSender()
    batches = {"a": FakeBatch(3), "b": FakeBatch(1)}

    async def work() -> None:
        watched.membership.guard(sender)
        await sender._send_produce_req(1, batches)

    watched.run(work)
    assert (sender.sent, sender.sequences) == ([batches], {"a": 10, "b": 20})


def test_a_withdrawn_message_is_no_failure_of_the_broker() -> None:
    async def work() -> None:
        delivery, future = Delivery(), asyncio.get_running_loop().create_future()
        future.set_exception(ShareLostError())
        delivery.check(future)
        assert delivery.failure is None

    asyncio.run(work())
