"""A share while its run lasts: it meets the others when it is ready, when its stream is over, and when it is done."""

from collections.abc import Callable
from dataclasses import dataclass, field

from harness.shares.meeting import Meeting, TopicBoard
from harness.shares.share import Share
from streams.brokers.connection import KafkaConnection

READY, STREAMED, DONE = "ready", "streamed", "done"


@dataclass(slots=True)
class Sharing:
    """`same` is a hash of what the shares have in common; `limit_s` bounds the waiting for the others; `own_run` names
    the run where this is the first share. `run` is what the first share called it, known once all are ready."""

    share: Share
    same: str
    limit_s: float
    own_run: str
    say: Callable[[str], None]
    run: str = ""
    _meeting: Meeting | None = field(default=None)

    def join(self, connection: KafkaConnection, topic: str) -> None:
        """Come to the place of meeting."""
        self._meeting = Meeting(self.share, TopicBoard(connection, topic), self.same, self.limit_s)

    def await_all(self, point: str, check: Callable[[], None]) -> None:
        """Wait until all shares have come to a point; `check` raises when this one cannot go on."""
        if self._meeting is None:
            raise RuntimeError("no place to meet was joined")
        self._meeting.check = check
        self.say(f"Share {self.share}: waiting for all shares to be {point} …")
        found = self._meeting.meet(point, run=self.own_run)
        self.run = found[1]["run"]

    def say_done(self) -> None:
        """Say that nothing more is read here."""
        if self._meeting is not None:
            self._meeting.say(DONE, run=self.own_run)

    def leave(self) -> None:
        """Close what was opened."""
        if self._meeting is not None:
            self._meeting.board.close()
            self._meeting = None
