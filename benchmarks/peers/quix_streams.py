"""Peer: Quix Streams, a streaming data frame that applies the job to each event."""

import sys
import tempfile
from typing import Any

from quixstreams import Application

from benchmarks.peers.job import Asked, asked, job


class _Announcing(Application):  # type: ignore[misc]
    """Says when it has its partitions, for which Quix Streams has no callback."""

    wanted: Asked

    def _on_assign(self, *given: Any) -> None:
        super()._on_assign(*given)
        self.wanted.announce()


def main(wanted: Asked) -> None:
    """Decide until ended."""
    with tempfile.TemporaryDirectory() as folder, job(wanted) as made:
        app = _Announcing(
            broker_address=wanted.bootstrap_servers,
            consumer_group=wanted.group,
            auto_offset_reset="earliest",
            auto_create_topics=False,
            state_dir=folder,
            loglevel="WARNING",
        )
        app.wanted = wanted
        events = app.topic(wanted.events, key_deserializer="bytes", value_deserializer="bytes")
        decisions = app.topic(wanted.decisions, key_serializer="bytes", value_serializer="bytes")
        frame = app.dataframe(events).apply(made.answer)
        frame[frame.apply(lambda answer: answer is not None)].to_topic(decisions)
        app.run()


if __name__ == "__main__":
    main(asked(sys.argv[1:]))
