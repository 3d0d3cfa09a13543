"""The topics of one stream: made for it, or found empty under a prefix the person chose; removed at its end."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from harness.appended import APPEND_TIME
from harness.scorers import Reach
from streams.brokers.connection import KafkaConnection
from streams.brokers.control import COMPACTED, ControlPlane, TopicSpec
from streams.errors import BadInputError, BrokerError
from streams.topics import Topics

logger = logging.getLogger("riskbench.harness.run_topics")


def topic_specs(topics: Topics, partitions: int) -> list[TopicSpec]:
    """What a stream's topics must be like."""
    many = {topics.events, topics.decisions, topics.explanations}
    settings = {topics.day_tables: COMPACTED, topics.events: APPEND_TIME}
    return [TopicSpec(name, partitions if name in many else 1, settings.get(name, {})) for name in topics.all()]


def missing_topics(control: ControlPlane, topics: Topics, partitions: int) -> list[TopicSpec]:
    """The topics that have yet to be made. Those that are there already are used if nothing was ever written to them.

    Raises BadInputError otherwise: a scorer would read events of another run, and answers to them would be counted.
    """
    specs, there = topic_specs(topics, partitions), set(control.topics())
    for spec in specs:
        if spec.name in there:
            _check_unused(control, spec)
    return [spec for spec in specs if spec.name not in there]


def _check_unused(control: ControlPlane, spec: TopicSpec) -> None:
    ends = control.end_offsets(spec.name)
    if written := sum(ends.values()):
        raise BadInputError(
            f"topic {spec.name} exists, and {written:,} records were written to it: a run needs topics of its own; "
            "remove it, or choose another --topic-prefix"
        )
    if len(ends) != spec.partitions:
        raise BadInputError(
            f"topic {spec.name} exists with {len(ends)} partition(s), this run needs {spec.partitions}: remove it (the "
            "run makes it), or choose another --topic-prefix or --partitions"
        )


@contextmanager
def topics_of(connection: KafkaConnection, reach: Reach, partitions: int, *, keep: bool) -> Iterator[Topics]:
    """The run's topics. Those made now are removed at the end, with our scorer's consumer group, unless they are to be
    kept; those that were there stay.

    What cannot be removed is said in the log: the run was made all the same.
    """
    topics = reach.topics
    with ControlPlane(connection) as control:
        specs = missing_topics(control, topics, partitions)
        made = [spec.name for spec in specs]
        try:
            control.create_topics(specs)
        except BaseException:  # some of them may be there
            _remove(control, topics, made, reach.group)
            raise
    try:
        yield topics
    finally:
        if not keep:
            try:
                with ControlPlane(connection) as control:
                    _remove(control, topics, made, reach.group)
            except BrokerError as error:
                logger.warning("topics %s.* were left on the broker: %s", topics.prefix, error)


def _remove(control: ControlPlane, topics: Topics, made: Sequence[str], group: str) -> None:
    steps: tuple[tuple[Callable[[], None], str], ...] = (
        (lambda: control.delete_topics(list(made)), f"topics {topics.prefix}.*"),
        (lambda: control.delete_group(group), f"consumer group {group}"),
    )
    for remove, what in steps:
        try:
            remove()
        except BrokerError as error:
            logger.warning("%s: left on the broker: %s", what, error)
