"""Decisions in words, on their way from whoever decides to whoever sends them."""

from collections.abc import Callable, Sequence
from typing import NamedTuple


class Written(NamedTuple):
    """Decisions in their order: the ids of their events, their JSON, and when they were emitted."""

    ids: Sequence[str]
    values: Sequence[bytes]
    emitted_ns: int


Words = Callable[[int], Written]
"""The next decisions of a micro-batch, at most so many; none when there are no more of them."""
