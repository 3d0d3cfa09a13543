"""The topics of a stream that several hosts share: the first share makes them, and removes them when all are done."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from harness.run_topics import topic_specs, topics_of
from harness.scorers import Reach
from harness.shares.sharing import DONE, Sharing
from streams.brokers.connection import KafkaConnection
from streams.brokers.control import ControlPlane, TopicSpec
from streams.errors import RunInvalidError
from streams.topics import Topics

POLL_S = 0.2


def meeting_topic(topics: Topics) -> str:
    """Where the shares of a run meet."""
    return f"{topics.prefix}.shares"


@contextmanager
def shared_topics(
    sharing: Sharing, connection: KafkaConnection, reach: Reach, partitions: int, *, keep: bool
) -> Iterator[Topics]:
    """The run's topics and, joined, the place of meeting. Raises RunInvalidError where the first share does not make
    them in time."""
    if not sharing.share.first:
        _await_topics(sharing, connection, reach.topics, time.monotonic)
        with _joined(sharing, connection, reach.topics) as topics:
            yield topics
        return
    with topics_of(connection, reach, partitions, keep=keep) as topics:
        with ControlPlane(connection) as control:
            control.create_topics([TopicSpec(meeting_topic(topics), 1)])
        try:
            with _joined(sharing, connection, topics):
                yield topics
                _await_done(sharing)
        finally:
            if not keep:
                with ControlPlane(connection) as control:
                    control.delete_topics([meeting_topic(topics)])


def _await_done(sharing: Sharing) -> None:
    """The others may read on for a moment; one that never says that it is done takes nothing from this share."""
    try:
        sharing.await_all(DONE, lambda: None)
    except RunInvalidError as error:
        sharing.say(f"! {error}: the topics are removed all the same")


@contextmanager
def _joined(sharing: Sharing, connection: KafkaConnection, topics: Topics) -> Iterator[Topics]:
    sharing.join(connection, meeting_topic(topics))
    try:
        yield topics
        if not sharing.share.first:
            sharing.say_done()
    finally:
        sharing.leave()


def _await_topics(sharing: Sharing, connection: KafkaConnection, topics: Topics, clock: Callable[[], float]) -> None:
    wanted = {spec.name for spec in topic_specs(topics, 1)} | {meeting_topic(topics)}
    until = clock() + sharing.limit_s
    sharing.say(f"Share {sharing.share}: waiting for share 1/{sharing.share.of} to make the topics {topics.prefix}.* …")
    with ControlPlane(connection) as control:
        while not wanted <= set(control.topics()):
            if clock() > until:
                raise RunInvalidError(
                    f"share {sharing.share}: share 1/{sharing.share.of} made no topics {topics.prefix}.* within "
                    f"{sharing.limit_s:g} s (scorer.join_within_s)"
                )
            time.sleep(POLL_S)
