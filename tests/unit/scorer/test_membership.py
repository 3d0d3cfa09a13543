"""A worker answers for its partitions only while nobody else can have them, and asks when it does not know."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from scorer.engines.lease import MARGIN_SHARE, REJOIN_LIMIT_S, Lease
from scorer.engines.membership import ASKING_LIMIT_S, Membership
from streams.errors import BrokerError

SESSION_MS = 10_000
SESSION_NS = SESSION_MS * 1_000_000
LENGTH_NS = round(SESSION_NS * (1 - MARGIN_SHARE))
AT = ("t.events", 0)


class FakeGroup:
    """A consumer whose commits end as the test says; the clock is its own."""

    def __init__(self) -> None:
        self.now_ns = 1_000
        self.member = "m-1"
        self.commits: list[list[TopicPartition]] = []
        self.within_commit: Callable[[], None] = lambda: None
        self.errors: list[KafkaError] = []

    def clock(self) -> int:
        return self.now_ns

    def memberid(self) -> str:
        return self.member

    def commit(self, offsets: list[TopicPartition], asynchronous: bool) -> list[TopicPartition]:
        assert not asynchronous
        self.commits.append(offsets)
        self.within_commit()
        if self.errors:
            raise KafkaException(self.errors.pop(0))
        return offsets


@pytest.fixture
def group() -> FakeGroup:
    return FakeGroup()


@pytest.fixture
def membership(group: FakeGroup) -> Membership:
    found = Membership(SESSION_MS, group.clock)
    found.assigned(group, {AT: 40})
    return found


def committed(membership: Membership, offsets: dict[tuple[str, int], int]) -> None:
    """An asynchronous commit, answered at once."""
    marked = membership.marked(offsets)
    membership.answered(None, [SimpleNamespace(error=None, metadata=at.metadata) for at in marked])


def test_new_partitions_are_asked_for_before_the_first_answer(group: FakeGroup, membership: Membership) -> None:
    assert membership.may_answer(group.now_ns)
    assert [(at.partition, at.offset) for (at,) in group.commits] == [(0, 40)]
    assert membership.may_answer(group.now_ns + LENGTH_NS - 1)
    assert len(group.commits) == 1


def test_what_is_committed_anyway_renews_the_lease(group: FakeGroup, membership: Membership) -> None:
    for _ in range(5):
        committed(membership, {AT: 41})
        group.now_ns += LENGTH_NS - 1
        assert membership.may_answer(group.now_ns)
    assert group.commits == []


def test_a_commit_counts_from_when_it_was_asked_for(group: FakeGroup, membership: Membership) -> None:
    marked = membership.marked({AT: 41})
    group.now_ns += 2 * SESSION_NS  # stood still before the answer was seen
    membership.answered(None, [SimpleNamespace(error=None, metadata=at.metadata) for at in marked])
    assert not membership.lease.holds(group.now_ns)
    group.errors = [KafkaError(KafkaError.ILLEGAL_GENERATION)]
    assert not membership.may_answer(group.now_ns)


def test_with_nothing_new_the_old_is_committed_again_in_time(group: FakeGroup, membership: Membership) -> None:
    committed(membership, {AT: 41})
    assert membership.renewal() == {}
    group.now_ns += LENGTH_NS // 2 + 1
    assert membership.renewal() == {AT: 41}
    assert membership.lease.holds(group.now_ns)


@pytest.mark.parametrize("code", ["UNKNOWN_MEMBER_ID", "ILLEGAL_GENERATION", "FENCED_INSTANCE_ID"])
def test_a_share_that_went_to_another_is_lost(group: FakeGroup, membership: Membership, code: str) -> None:
    group.errors = [KafkaError(getattr(KafkaError, code))]
    assert not membership.may_answer(group.now_ns)
    assert membership.lease.lost
    assert not membership.may_answer(group.now_ns)
    assert len(group.commits) == 1
    membership.assigned(group, {AT: 50})
    assert membership.may_answer(group.now_ns)


def test_a_session_that_ended_unseen_is_no_membership(group: FakeGroup, membership: Membership) -> None:
    """An empty group would take a commit of anybody."""
    group.member = ""
    assert not membership.may_answer(group.now_ns)
    assert group.commits == []


def test_one_that_ends_while_it_is_asked_is_none_either(group: FakeGroup, membership: Membership) -> None:
    group.within_commit = lambda: setattr(group, "member", "")
    assert not membership.may_answer(group.now_ns)


def test_a_coordinator_that_is_away_is_asked_again(
    group: FakeGroup, membership: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scorer.engines.membership.time.sleep", lambda _: None)
    group.errors = [KafkaError(KafkaError._TRANSPORT), KafkaError(KafkaError.COORDINATOR_NOT_AVAILABLE)]
    assert membership.may_answer(group.now_ns)
    assert len(group.commits) == 3


def test_one_that_stays_away_ends_the_worker(
    group: FakeGroup, membership: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wait(seconds: float) -> None:
        group.now_ns += round(ASKING_LIMIT_S * 1e9 / 3)

    monkeypatch.setattr("scorer.engines.membership.time.sleep", wait)
    group.errors = [KafkaError(KafkaError._TRANSPORT)] * 10
    with pytest.raises(BrokerError, match="has not answered"):
        membership.may_answer(group.now_ns)


def test_a_refusal_of_another_kind_ends_the_worker(group: FakeGroup, membership: Membership) -> None:
    group.errors = [KafkaError(KafkaError.GROUP_AUTHORIZATION_FAILED)]
    with pytest.raises(BrokerError, match="refuses a commit"):
        membership.may_answer(group.now_ns)


def test_an_error_of_one_partition_counts(group: FakeGroup, membership: Membership) -> None:
    refused = SimpleNamespace(error=KafkaError(KafkaError.UNKNOWN_MEMBER_ID))
    group.commit = lambda offsets, asynchronous: [refused]  # type: ignore[method-assign]
    assert not membership.may_answer(group.now_ns)


def test_a_worker_that_gets_no_partitions_again_ends(group: FakeGroup, membership: Membership) -> None:
    group.errors = [KafkaError(KafkaError.UNKNOWN_MEMBER_ID)]
    membership.may_answer(group.now_ns)
    membership.lease.check_rejoining(group.now_ns + round(REJOIN_LIMIT_S * 1e9))
    with pytest.raises(BrokerError, match="anew"):
        membership.lease.check_rejoining(group.now_ns + round(REJOIN_LIMIT_S * 1e9) + 1)


def test_without_partitions_nothing_is_answered(group: FakeGroup) -> None:
    membership = Membership(SESSION_MS, group.clock)
    membership.assigned(group, {})
    assert not membership.may_answer(group.now_ns)
    assert not membership.lease.lost


@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["ask", "answer", "wait", "lose", "begin"]), st.integers(0, 2 * SESSION_NS)),
        max_size=60,
    )
)
def test_a_lease_never_outlives_a_session_of_which_the_coordinator_heard(steps: list[tuple[str, int]]) -> None:
    """Against a coordinator that heard the worker at the instants it was asked at."""
    lease, now_ns, heard_ns = Lease(SESSION_MS), 0, -SESSION_NS
    asked: list[int] = []
    for step, waited_ns in steps:
        now_ns += waited_ns
        if step == "ask":
            asked.append(now_ns)
        elif step == "answer" and asked:
            heard_ns = max(heard_ns, asked[0]) if not lease.lost else heard_ns
            lease.renew(asked.pop(0))
        elif step == "lose":
            lease.lose(now_ns)
        elif step == "begin":
            lease.begin()
        if lease.holds(now_ns):
            assert now_ns < heard_ns + SESSION_NS
            assert not lease.lost
