"""What monitors are fed: micro-batches of decisions in the order of events, columns side by side. No truth in them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Names:
    """What codes and columns of a batch mean: features, rules, and groups (segments or markets), by place."""

    features: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Batch:
    """n decided events, in the order in which they were sent.

    `ordinal`, `event_time_ns` int64 [n]; `score` float64 [n], 0–1 (NaN: none given); `is_model`: the model decided;
    `outcome` and `path` int8 [n], places in OUTCOMES and PATHS; `features` float32 [n, F] (F = 0: none given);
    `hit_row`, `hit_rule` int32 [h]: line and code of every rule hit, by line; `group` int16 [n], −1 where unknown;
    `key` int32 [n], whose event it is (card or customer), −1 where unknown; `content` uint64 [n], what the event says
    but for its id and time, as a hash (0: not known).
    """

    ordinal: Int64s
    event_time_ns: Int64s
    score: npt.NDArray[np.float64]
    is_model: npt.NDArray[np.bool_]
    outcome: npt.NDArray[np.int8]
    path: npt.NDArray[np.int8]
    features: npt.NDArray[np.float32]
    hit_row: npt.NDArray[np.int32]
    hit_rule: npt.NDArray[np.int32]
    group: npt.NDArray[np.int16]
    key: npt.NDArray[np.int32]
    content: npt.NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.ordinal)

    @property
    def is_alert(self) -> npt.NDArray[np.bool_]:
        """Reviewed or blocked."""
        return self.outcome > 0

    def between(self, start: int, end: int) -> "Batch":
        """Lines `start` up to `end`."""
        first, last = np.searchsorted(self.hit_row, (start, end))
        lines = {
            name: getattr(self, name)[start:end]
            for name in ("ordinal", "event_time_ns", "score", "is_model", "outcome", "path", "features", "group", "key")
        }
        return replace(
            self,
            **lines,
            content=self.content[start:end],
            hit_row=self.hit_row[first:last] - np.int32(start),
            hit_rule=self.hit_rule[first:last],
        )

    def micro_batches(self, size: int) -> Iterator["Batch"]:
        """The same in pieces of `size` lines, as a stream brings them."""
        for start in range(0, len(self), size):
            yield self.between(start, min(start + size, len(self)))


@dataclass(frozen=True, slots=True)
class Part:
    """Lines of a batch that lie in one block of event time; `counts` marks those that are compared: no newcomers."""

    batch: Batch
    is_settled: npt.NDArray[np.bool_]
    block: int


@dataclass(frozen=True, slots=True)
class BlockEnd:
    """A block of event time is over: which, the last event in it, and how the volume stands (1: as in the burn-in): of
    the busiest days that windows reach back to (`surge`), and of the emptiest one (`lull`)."""

    block: int
    ordinal: int
    event_time_ns: int
    surge: float = 1.0
    lull: float = 1.0
