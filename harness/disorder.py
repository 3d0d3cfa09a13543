"""Answers that came in another order than their events, card by card (Jepsen's "reordered")."""

import numpy as np
import numpy.typing as npt

Int64s = npt.NDArray[np.int64]
NONE_YET = -1


class Disorder:
    """Counts answers received after the answer to a later event of the same card. One int64 a card is all it keeps."""

    def __init__(self, key_codes: npt.NDArray[np.integer]) -> None:
        """Take the card of each event by its ordinal, codes 0 … cards − 1."""
        self._key_codes = key_codes
        self._newest = np.full(int(key_codes.max(initial=-1)) + 1, NONE_YET, np.int64)
        self.reordered = 0

    def take(self, ordinals: Int64s) -> None:
        """Take the ordinals of answered events, each once, in the order of receipt."""
        if len(ordinals) == 0:
            return
        keys = self._key_codes[ordinals].astype(np.int64)
        order = np.argsort(keys, kind="stable")
        card, ordinal = keys[order], ordinals[order]
        # each card's ordinals are lifted above all of the cards before, so that one running maximum serves them all
        lift = card * len(self._key_codes)
        before = np.concatenate(([NONE_YET], np.maximum.accumulate(ordinal + lift)[:-1])) - lift
        newest = np.maximum(before, self._newest[card])
        self.reordered += int(np.count_nonzero(ordinal < newest))
        np.maximum.at(self._newest, card, ordinal)
