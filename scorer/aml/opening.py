"""Opens the checkpoints of a worker for transfers: what they belong to, and how a state is made of one."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.freezing import freeze
from scorer.aml.assembly import TransferWorker
from scorer.aml.keeping import TransferCheckpoints
from scorer.aml.state_files import TransferState, digest_of_state, load_state
from scorer.aml.whole_files import Whole
from scorer.checkpoint.keeping import Keep
from scorer.checkpoint.opening import identity_of
from scorer.checkpoint.read_back import ReadBack
from scorer.clock import ClockNs
from scorer.kafka_links import KafkaLinks
from scorer.options import RunOptions


@contextmanager
def open_transfer_checkpoints(
    options: RunOptions,
    directory: Path,
    warm: Path,
    group: str,
    links: KafkaLinks,
    made: TransferWorker,
    clock_ns: ClockNs,
) -> Iterator[TransferCheckpoints]:
    """The checkpoints of a worker of this group, that starts from the state `warm`; what is being written at the end is
    finished."""
    identity = identity_of(links.topics.events, group, made.bundle, digest_of_state(warm))
    pipeline, pack, accounts = made.pipeline, made.pipeline.parts.pack, made.state.accounts
    untouched = [made.state]

    def restored(whole: Whole | None) -> TransferState:
        if whole is None:  # the one that was loaded serves once: it is changed by what it is used for
            return untouched.pop() if untouched else load_state(warm, pack)
        untouched.clear()
        state = TransferState.restore(whole.settings, whole.arrays, pack, accounts)
        freeze()
        return state

    keep = Keep(directory, identity, options.checkpoint_every_s)
    read_back = ReadBack(links, explanations=options.explain != "none")
    checkpoints = TransferCheckpoints(keep, pipeline, restored, read_back, made.counters, clock_ns)
    pipeline.leave_out(checkpoints.answered)
    try:
        yield checkpoints
    finally:
        checkpoints.close()
