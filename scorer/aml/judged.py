"""A micro-batch of transfers on its way to decisions, in columns: looked at by rules, then judged."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scorer.aml.judging import JudgedSides
from scorer.explaining import Scored
from streams.transfer import Transfer


@dataclass(frozen=True, slots=True)
class Ruled:
    """Transfers that rules have looked at, in columns. Row 2i is transfer i's sender, 2i + 1 its receiver.

    Of rows: `place` and `market` int32 [2n], `values` float32 [2n, F], `typologies` float64 [2n, P]. Of transfers:
    `ids`, and `raised` bool [n], whether it raised an alert.
    """

    events: Sequence[Transfer]
    ids: Sequence[str]
    place: NDArray[np.int32]
    values: NDArray[np.float32]
    market: NDArray[np.int32]
    typologies: NDArray[np.float64]
    raised: NDArray[np.bool_]

    def chosen(self, transfers: NDArray[np.intp]) -> "Ruled":
        """These transfers of them, in this order."""
        rows = (2 * transfers[:, None] + np.arange(2)).ravel()
        events, ids = ([each[place] for place in transfers.tolist()] for each in (self.events, self.ids))
        return Ruled(
            events,
            ids,
            self.place[rows],
            self.values[rows],
            self.market[rows],
            self.typologies[rows],
            self.raised[transfers],
        )


@dataclass(frozen=True, slots=True)
class Judged:
    """A micro-batch in columns. Row 2i is transfer i's sender, 2i + 1 its receiver.

    Of rows: `place` and `market` int32 [2n], `values` float32 [2n, F], `margin` and `error` float32 [2n] (NaN where the
    model did not speak). `sides`: what was made of them.
    """

    events: Sequence[Transfer]
    place: NDArray[np.int32]
    values: NDArray[np.float32]
    market: NDArray[np.int32]
    margin: NDArray[np.float32]
    error: NDArray[np.float32]
    sides: JudgedSides
    stages: dict[str, int]


def to_explain(judged: Judged, chosen: NDArray[np.intp], emitted_ns: Sequence[int]) -> Scored:
    """What is to be explained of these transfers: their more suspicious sides; `emitted_ns` by transfer."""
    rows, places = judged.sides.top[chosen], chosen.tolist()
    ids, instants = [judged.events[place].event_id for place in places], [emitted_ns[place] for place in places]
    return Scored(judged.values[rows], judged.error[rows], ids, instants)
