"""Opens a worker's checkpoints: what they belong to, and the warm state under them."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.bundle import Bundle
from models.features.state import FeatureState
from scorer.assembly import Worker, state_of
from scorer.checkpoint.epochs import Identity
from scorer.checkpoint.keeping import Checkpoints, Keep
from scorer.checkpoint.read_back import ReadBack
from scorer.clock import ClockNs
from scorer.kafka_links import KafkaLinks
from scorer.options import RunOptions
from scorer.state_files import digest_of_features

EMPTY = "empty"


@contextmanager
def open_checkpoints(
    options: RunOptions, directory: Path, group: str, links: KafkaLinks, made: Worker, clock_ns: ClockNs
) -> Iterator[Checkpoints]:
    """The checkpoints of a worker of this group; what is being written at the end is finished."""
    warm = EMPTY if options.state is None else digest_of_features(options.state)
    identity = identity_of(links.topics.events, group, made.bundle, warm)
    keep = Keep(directory, identity, options.checkpoint_every_s)

    def warm_state() -> FeatureState | None:
        return None if options.state is None else state_of(options.state, made.bundle)

    read_back = ReadBack(links, explanations=options.explain != "none")
    checkpoints = Checkpoints(keep, made.state, warm_state, read_back, made.counters, clock_ns)
    made.pipeline.leave_out(checkpoints.answered)
    checkpoints.start()
    try:
        yield checkpoints
    finally:
        checkpoints.close()


def identity_of(topic: str, group: str, bundle: Bundle, warm: str) -> Identity:
    """What a checkpoint must fit: the stream and who reads it, the model, its features, the warm state (by digest)."""
    features = hashlib.blake2b("\n".join(bundle.feature_names).encode(), digest_size=8).hexdigest()
    return Identity(topic, group, bundle.model_version, features, warm)
