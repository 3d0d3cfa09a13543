"""Raises raw alerts: typology scores become alerts of customers, none twice within its window, with their evidence."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.features.snapshot import Layout, SnapshotError
from models.graph.followed import Followed
from rules.typologies.pack import MARKET_NUMBERS, TypologyPack
from scorer.aml.trail import PIECE, Trail
from streams.alert import EVIDENCE_MAX, RawAlert
from streams.kernels.compiled import compiled

TRANSFERS_KEPT = 262_144
"""How many transfers back evidence is looked for, where nothing else is asked for."""
NEVER = -(2**62)


@dataclass(frozen=True, slots=True)
class ScoredTransfers:
    """Transfers in arrival order with both sides' rows: sender's at 2i, receiver's at 2i + 1.

    `time_ns` int64 [n]. `account` int32 [2n]: places in the accounts' table, -1 where that side is not known. `values`
    float32 [2n, F] and `scores` float64 [2n, P], as the pack has its columns and typologies.
    """

    event_ids: Sequence[str]
    time_ns: NDArray[np.int64]
    account: NDArray[np.int32]
    values: NDArray[np.float32]
    scores: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.event_ids)

    def piece(self, first: int, end: int) -> "ScoredTransfers":
        """Transfers [first, end); shares memory."""
        rows = slice(2 * first, 2 * end)
        return ScoredTransfers(
            self.event_ids[first:end],
            self.time_ns[first:end],
            self.account[rows],
            self.values[rows],
            self.scores[rows],
        )


@dataclass(frozen=True, slots=True)
class ReachedScores:
    """Scores that reached their market's `alert_at`, in the order of their rows: `time_ns` int64 [m], `customer` int32
    [m] (counted from 0), `typology` int32 [m]."""

    time_ns: NDArray[np.int64]
    customer: NDArray[np.int32]
    typology: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.time_ns)

    def of(self, customers: NDArray[np.bool_]) -> "ReachedScores":
        """Those of the customers marked (bool [customers])."""
        own = customers[self.customer]
        return ReachedScores(self.time_ns[own], self.customer[own], self.typology[own])

    @classmethod
    def joined(cls, parts: "Sequence[ReachedScores]") -> "ReachedScores":
        """One after the other."""
        columns = [(part.time_ns, part.customer, part.typology) for part in parts]
        none = (np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros(0, np.int32))
        return cls(*(np.concatenate(each) for each in zip(none, *columns, strict=True)))


class RaisedSettings(msgspec.Struct, frozen=True):
    """What a snapshot was made with: it fits nothing else."""

    typologies: list[str]
    accounts: int


SNAPSHOT_LAYOUT = Layout(RaisedSettings, {"last_raised_ns": (np.int64, (None, None)), **Trail.LAYOUT})


class AlertRaiser:
    """Turns scores into raw alerts. A customer is raised for a typology when a row of one of its accounts reaches the
    market's `alert_at`, and not again for that typology within the typology's window after it.

    Memory is bounded: an instant for each customer and typology, and the last transfers (`Trail`). The same transfers
    give the same alerts, however they are cut into batches. One thread at a time.
    """

    __slots__ = (
        "_account_ids",
        "_customer",
        "_customer_ids",
        "_last_raised_ns",
        "_market",
        "_market_codes",
        "_pack",
        "_trail",
        "_window_ns",
    )

    def __init__(self, pack: TypologyPack, accounts: pa.Table, transfers_kept: int = TRANSFERS_KEPT) -> None:
        """A raiser that has seen no transfer, of these accounts (`ACCOUNT_SCHEMA`)."""
        customer = accounts["customer_id"].combine_chunks()
        if not pa.types.is_dictionary(customer.type):
            customer = customer.dictionary_encode()
        self._pack = pack
        self._account_ids = accounts["account_id"].combine_chunks()
        self._customer_ids = customer.dictionary
        self._customer: NDArray[np.int32] = customer.indices.to_numpy(zero_copy_only=False).astype(np.int32)
        self._market_codes = accounts["market"].to_pylist()
        self._market = np.array([MARKET_NUMBERS.get(code, -1) for code in self._market_codes], np.int32)
        self._window_ns = np.array([typology.window_ns for typology in pack.typologies], np.int64)
        self._last_raised_ns = np.full((len(self._customer_ids), len(pack.typologies)), NEVER, np.int64)
        self._trail = Trail(len(accounts), transfers_kept)

    def market_of(self, account: NDArray[np.int32]) -> NDArray[np.int32]:
        """Market number of each row's account (-1: none known), int32 [2n], as the pack scores by."""
        found = np.empty(len(account), np.int32)
        _look_up_markets(account, self._market, found)
        return found

    def take(self, transfers: ScoredTransfers) -> list[RawAlert]:
        """Take transfers in; the alerts they raise, in their order (a row's by the pack's order of typologies)."""
        alerts: list[RawAlert] = []
        for first in range(0, len(transfers), PIECE):
            alerts += self._take_piece(transfers.piece(first, min(first + PIECE, len(transfers))))
        return alerts

    def pass_over(self, event_ids: Sequence[str], time_ns: NDArray[np.int64], account: NDArray[np.int32]) -> None:
        """Take transfers in, as `ScoredTransfers` has them, that raise nothing: they are evidence of later alerts."""
        for first in range(0, len(event_ids), PIECE):
            part, rows = slice(first, first + PIECE), slice(2 * first, 2 * (first + PIECE))
            self._trail.add(event_ids[part], time_ns[part], account[rows])

    def reached(
        self, time_ns: NDArray[np.int64], account: NDArray[np.int32], scores: NDArray[np.float64]
    ) -> ReachedScores:
        """The scores (as `ScoredTransfers` has them) that raise an alert unless one within the window did."""
        high = scores >= self._pack.alert_at[:, self.market_of(account)].T
        rows, typology = np.nonzero(high & (account >= 0)[:, None])
        return ReachedScores(time_ns[rows // 2], self._customer[account[rows]], typology.astype(np.int32))

    @property
    def window_ns(self) -> NDArray[np.int64]:
        """For how long each typology is not raised again, int64 [P]."""
        return self._window_ns

    @property
    def customer_of(self) -> NDArray[np.int32]:
        """The customer of each row of the accounts' table, int32 [accounts], counted from 0."""
        return self._customer

    def go_on_from(self, last_raised_ns: NDArray[np.int64]) -> None:
        """Set when each customer was last raised for each typology, int64 [customers, P]; `NEVER` where it was not."""
        self._last_raised_ns[:] = last_raised_ns

    @property
    def last_raised_ns(self) -> NDArray[np.int64]:
        """When each customer was last raised for each typology, int64 [customers, P]; `NEVER` where it was not."""
        return self._last_raised_ns

    def _take_piece(self, piece: ScoredTransfers) -> list[RawAlert]:
        number = self._trail.add(piece.event_ids, piece.time_ns, piece.account)
        due = np.zeros(piece.scores.shape, np.bool_)
        count = _due(
            piece.scores,
            piece.account,
            piece.time_ns,
            self._market,
            self._customer,
            self._pack.alert_at,
            self._window_ns,
            self._last_raised_ns,
            due,
        )
        found = np.argwhere(due).tolist() if count else []
        return [self._alert(piece, number, row, typology) for row, typology in found]

    def _alert(self, piece: ScoredTransfers, number: int, row: int, typology: int) -> RawAlert:
        transfer, side = divmod(row, 2)
        account = int(piece.account[row])
        market = int(self._market[account])
        time_ns = int(piece.time_ns[transfer])
        since_ns = max(time_ns - int(self._window_ns[typology]), 0)
        customer = self._customer_ids[int(self._customer[account])].as_py()
        name = self._pack.typologies[typology].name
        return RawAlert(
            alert_id=alert_id(customer, name, piece.event_ids[transfer]),
            customer_id=customer,
            account_id=self._account_ids[account].as_py(),
            market=self._market_codes[account],
            typology=name,
            window_from_ns=since_ns,
            window_to_ns=time_ns,
            score=float(piece.scores[row, typology]),
            reasons=self._pack.reasons(typology, piece.values[row], market),
            evidence=self._trail.last(number + transfer, side, since_ns, EVIDENCE_MAX),
            raised_by=piece.event_ids[transfer],
            event_time_ns=time_ns,
        )

    def snapshot(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """The whole state as settings (JSON) and arrays by name, those of the state itself: copy what is to last."""
        names = [typology.name for typology in self._pack.typologies]
        settings = {"typologies": names, "accounts": len(self._account_ids)}
        return settings, {"last_raised_ns": self._last_raised_ns, **self._trail.arrays()}

    def followed(self) -> Followed:
        """Those arrays of `snapshot` that are marked where they are written to, for the one that keeps a copy."""
        return self._trail.followed()

    def restore(self, settings: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Go on from what `snapshot` gave; the arrays become its own.

        Raises `SnapshotError` when that was of other typologies or accounts.
        """
        expected, _ = self.snapshot()
        for key, value in expected.items():
            if settings[key] != value:
                raise SnapshotError(f"alert state has {key} {settings[key]}, this scorer {value}: start without it")
        if arrays["last_raised_ns"].shape != self._last_raised_ns.shape:
            found, wanted = arrays["last_raised_ns"].shape, self._last_raised_ns.shape
            raise SnapshotError(f"alert state is of {found[0]} customers, this scorer's of {wanted[0]}")
        self._last_raised_ns = arrays["last_raised_ns"]
        self._trail = Trail.from_arrays(arrays)


def alert_id(customer_id: str, typology: str, event_id: str) -> str:
    """An alert's id: the same wherever and whenever it is raised."""
    told = "\0".join((customer_id, typology, event_id)).encode()
    return f"AL{hashlib.blake2b(told, digest_size=10).hexdigest()}"


@compiled
def _due(
    scores: Any,
    account: Any,
    time_ns: Any,
    market: Any,
    customer: Any,
    alert_at: Any,
    window_ns: Any,
    last_raised_ns: Any,
    due: Any,
) -> int:
    """Mark the scores that raise an alert and remember when: one row after the other, so that no batch matters. Returns
    how many they are.

    An account of no known market has place -1: the last column of `alert_at`.
    """
    count = 0
    for row in range(scores.shape[0]):
        if account[row] < 0:
            continue
        place = market[account[row]]
        whom = customer[account[row]]
        now = time_ns[row // 2]
        for typology in range(scores.shape[1]):
            if scores[row, typology] < alert_at[typology, place]:
                continue
            if now - last_raised_ns[whom, typology] >= window_ns[typology]:
                last_raised_ns[whom, typology] = now
                due[row, typology] = True
                count += 1
    return count


@compiled
def _look_up_markets(account: Any, market: Any, found: Any) -> None:
    for row in range(account.shape[0]):
        found[row] = market[account[row]] if account[row] >= 0 else -1
