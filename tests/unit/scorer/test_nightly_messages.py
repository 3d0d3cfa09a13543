"""What the nightly job takes of what its consumer gives."""

from dataclasses import dataclass

import pytest

from scorer.nightly import _by_topic
from streams.errors import BrokerError


@dataclass
class Failure:
    """An error of the client's."""

    is_fatal: bool

    def fatal(self) -> bool:
        return self.is_fatal

    def str(self) -> str:
        return "broken"


@dataclass
class Message:
    """A message of the client's."""

    of: str
    content: bytes | None = None
    failure: Failure | None = None

    def error(self) -> Failure | None:
        return self.failure

    def topic(self) -> str:
        return self.of

    def value(self) -> bytes | None:
        return self.content


def test_values_are_told_apart_by_topic_and_keep_their_order() -> None:
    assert _by_topic([Message("a", b"1"), Message("a", b"2")]) == {"a": [b"1", b"2"]}
    mixed = [Message("a", b"1"), Message("b", b"2"), Message("a"), Message("b", b"3")]
    assert _by_topic(mixed) == {"a": [b"1", b""], "b": [b"2", b"3"]}


def test_an_error_is_logged_and_left_out(caplog: pytest.LogCaptureFixture) -> None:
    failed = Message("a", failure=Failure(is_fatal=False))
    assert _by_topic([Message("a", b"1"), failed, Message("a", b"2")]) == {"a": [b"1", b"2"]}
    assert _by_topic([failed]) == {}
    assert caplog.messages == ["reading a: broken"] * 2


def test_what_is_fatal_is_raised() -> None:
    with pytest.raises(BrokerError, match="messages of a: broken"):
        _by_topic([Message("b", b"1"), Message("a", failure=Failure(is_fatal=True))])
