"""What an engine asks of whoever keeps the state of its partitions."""

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from scorer.engines.acknowledged import Position


class Keeping(Protocol):
    """Keeps the state of partitions (`scorer.checkpoint.keeping.Checkpoints`)."""

    def connect(
        self,
        reached: Callable[[], Mapping[Position, int]],
        when_acknowledged: Callable[[Callable[[], None]], None],
    ) -> None:
        """Take what is known of acknowledgements."""

    def restore(self, partitions: Iterable[int]) -> dict[int, int]:
        """Take partitions over; the offsets to read them from."""

    def expects(self, partition: int, offset: int) -> bool:
        """Whether the message at this place was not taken yet."""

    def lettered(self, topic: str, partition: int, offset: int) -> bool:
        """Whether the message at this place was dead-lettered already."""

    def step(self) -> None:
        """A little work between micro-batches."""

    def lose(self) -> None:
        """These partitions are another worker's already: nothing more of them is written."""

    def finish(self, serve: Callable[[], object]) -> None:
        """Everything is acknowledged: write what has changed."""

    def give_up(self, partitions: Iterable[int]) -> None:
        """These partitions go."""
