"""Which keys a canary has: the same ones on every worker, in every run, and more of them as its share grows."""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_FULL = 1 << 64
FIRST_KEYS = 1_024


def place_of(key: str, salt: str) -> int:
    """Where a key stands, from 0 to 2^64 − 1: BLAKE2b of it, keyed by `salt`. Partitions are chosen by another hash, so
    that a canary has keys of all of them."""
    person = hashlib.blake2b(salt.encode(), digest_size=16).digest()
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8, key=person).digest(), "little")


def bound_of(share: float) -> int:
    """Keys that stand below this are in a canary of this share (0–1)."""
    return min(int(share * _FULL), _FULL - 1)


class CanaryKeys:
    """Remembers by code where keys stand, so that each is hashed once. Codes belong to one feature state."""

    def __init__(self, salt: str) -> None:
        self._salt = salt
        self._places = np.zeros(FIRST_KEYS, np.uint64)
        self._known = np.zeros(FIRST_KEYS, np.bool_)

    def inside(self, codes: NDArray[np.int32], keys: Sequence[str], share: float) -> NDArray[np.bool_]:
        """Which of these rows (codes int32 [n], keys beside them) are the canary's, bool [n]."""
        if len(codes) == 0:
            return np.zeros(0, np.bool_)
        self._make_room(int(codes.max()) + 1)
        for row in np.flatnonzero(~self._known[codes]).tolist():
            code = codes[row]
            self._places[code] = place_of(keys[row], self._salt)
            self._known[code] = True
        return np.asarray(self._places[codes] < np.uint64(bound_of(share)))

    def _make_room(self, count: int) -> None:
        lacking = max(count, 2 * len(self._known)) - len(self._known) if count > len(self._known) else 0
        if lacking:
            self._places = np.concatenate([self._places, np.zeros(lacking, np.uint64)])
            self._known = np.concatenate([self._known, np.zeros(lacking, np.bool_)])
