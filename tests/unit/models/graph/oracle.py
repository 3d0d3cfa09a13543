"""The feature definitions, written out slowly over plain lists and networkx graphs: what the kernel is held to.

Nothing in it is bounded; it agrees with the kernel as long as the kernel's bounds are not met.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from models.features.batch import Status
from models.graph.catalog import AML_FEATURE_NAMES
from streams.labels import NS_PER_DAY, NS_PER_HOUR
from streams.transfer import TRANSFER_CHANNELS, Transfer
from tests.unit.models.graph.held import Held, Row, likeness
from tests.unit.models.graph.shapes import patterns
from tests.unit.models.graph.transfers import MARKETS, MINOR_PER_USD, TABLE, Market

WIDTHS_NS = {"1d": NS_PER_DAY, "7d": 7 * NS_PER_DAY, "30d": 30 * NS_PER_DAY}
OTHER_COUNTRY = Market("", "USD", 100.0, None, (5, 6), 0, {}, False)
MARKET_OF = {market.code: market for market in MARKETS}
NAN = math.nan


def cents(minor: int, currency: str) -> int:
    """US cents."""
    return round(float(minor) * 100.0 / MINOR_PER_USD[currency])


class Oracle:
    """Feature rows one by one."""

    def __init__(self, accounts: Sequence[Mapping[str, Any]]) -> None:
        self._known = {row["account_id"]: row for row in accounts}
        self._held: list[Held] = []
        self._newest: int | None = None
        self._met: dict[tuple[str, int, str], int] = {}

    def rows(self, events: Sequence[Transfer]) -> tuple[npt.NDArray[np.float32], list[Status]]:
        """Rows [2n, F] and statuses [n] of transfers in arrival order."""
        values: list[list[float]] = []
        statuses = []
        for number, event in enumerate(events):
            pair, status = self._pair(event, number)
            for row, other in (pair, pair[::-1]):
                if row:
                    row |= {f"other_{name}": other[name] for name in other if not name.startswith("other_")}
            values += [[row.get(name, NAN) for name in AML_FEATURE_NAMES] for row in pair]
            statuses.append(status)
        return np.array(values, np.float32).reshape(2 * len(events), len(AML_FEATURE_NAMES)), statuses

    def _pair(self, event: Transfer, number: int) -> tuple[tuple[Row, Row], Status]:
        time = event.event_time_ns
        pair = event.from_account, event.to_account
        again = [old for old in self._held if old.time == time and old.transfer.event_id == event.event_id]
        kept = self._newest is None or self._newest - time < 31 * NS_PER_DAY
        if kept and pair != (None, None) and any(old.pair == pair for old in again):
            return ({}, {}), Status.REPEATED
        newest = time if self._newest is None else max(self._newest, time)
        behind = newest - time
        self._newest = newest
        own = self._look_at(event, number)
        if kept:
            self._held.append(own)
        self._held.sort(key=lambda old: old.time)  # stable: ties as they arrived
        past = [old for old in self._held if old.time <= time and old.time > newest - 31 * NS_PER_DAY]
        shapes = patterns(own, past)
        found = tuple(self._row(own, side, past) | shapes if event_side(event, side) else {} for side in (0, 1))
        late = Status.LATE if behind <= NS_PER_DAY else Status.TOO_LATE
        return (found[0], found[1]), late if behind > 0 else Status.ON_TIME

    def _place(self, event: Transfer, side: int) -> str | None:
        country = (event.from_country, event.to_country)[side]
        account = self._known.get(event_side(event, side) or "")
        return country or (account["market"] if account else None)

    def _market(self, event: Transfer, side: int) -> Market:
        account = self._known.get(event_side(event, side) or "")
        code = account["market"] if account else self._place(event, side)
        return MARKET_OF.get(code or "", OTHER_COUNTRY)

    def _look_at(self, event: Transfer, number: int) -> Held:
        sent = cents(event.amount_minor, event.currency)
        got = sent
        if event.received_minor is not None:
            got = cents(event.received_minor, event.received_currency or event.currency)
        places = self._place(event, 0), self._place(event, 1)
        foreign = None if None in places else places[0] != places[1]
        assert self._newest is not None
        since = max(event.event_time_ns - 30 * NS_PER_DAY, self._newest - 31 * NS_PER_DAY)
        met = self._meet(event) if foreign else (None, None)
        news, below, risky = [], [], []
        for side, amount in ((0, sent), (1, got)):
            mine, other = event_side(event, side), event_side(event, 1 - side)
            before = [
                old
                for old in self._held
                if since < old.time <= event.event_time_ns and old.pair[side] == mine and old.pair[1 - side] == other
            ]
            news.append(None if other is None or other == mine or mine is None else not before)
            limit = threshold(self._market(event, side))
            below.append(0.8 * limit <= amount < limit)
            risk, high = self._risk(event, side)
            risky.append(risk >= 2 or high == 1)
        pairs = (news[0], news[1]), (below[0], below[1]), (risky[0], risky[1])
        return Held(event, number, sent, got, foreign, *pairs, met)

    def _meet(self, event: Transfer) -> tuple[int | None, int | None]:
        """Calendar days since each side's account first dealt with the other one's country, this way."""
        day = event.event_time_ns // NS_PER_DAY
        found: list[int | None] = []
        for side in (0, 1):
            account, country = event_side(event, side), self._place(event, 1 - side)
            if account is None or country is None:
                found.append(None)
                continue
            key = account, side, country if country in TABLE.countries else ""
            self._met[key] = min(self._met.get(key, day), day)
            found.append(day - self._met[key])
        return found[0], found[1]

    def _risk(self, event: Transfer, side: int) -> tuple[float, float]:
        other = self._place(event, 1 - side)
        if other is None:
            return NAN, NAN
        market = self._market(event, side)
        return market.corridor_risk.get(other, 1), float(MARKET_OF.get(other, OTHER_COUNTRY).is_high_risk)

    def _row(self, own: Held, side: int, past: Sequence[Held]) -> Row:
        event, account = own.transfer, event_side(own.transfer, side)
        assert account is not None
        market = self._market(event, side)
        row = _by_itself(own, side, market)
        row["corridor_risk"], row["is_high_risk_country"] = self._risk(event, side)
        paid = [old for old in past if old.pair[0] == account]
        got = [old for old in past if old.pair[1] == account]
        windows = {
            name: (
                [old for old in paid if old.time > own.time - width],
                [old for old in got if old.time > own.time - width],
            )
            for name, width in WIDTHS_NS.items()
        }
        row |= _windows(windows) | _beside_itself(own, side, windows) | _silences(own, account, self._held, windows)
        row |= (
            _made_of(windows)
            | _counterparties(own, side, account, windows)
            | _flow(own, side, account, windows, self._held)
        )
        return row | _countries(own, side, windows) | self._profile(own, account, windows)

    def _profile(self, own: Held, account: str, windows: "Windows") -> Row:
        known = self._known.get(account)
        if known is None:
            return {}
        month = [(old, 0) for old in windows["30d"][0]] + [(old, 1) for old in windows["30d"][1]]
        expected = max(cents(known["expected_monthly_minor"], known["currency"]), 10_000)
        expected_cash = max(cents(known["expected_cash_monthly_minor"], known["currency"]), 10_000)
        return {
            "volume_to_expected_30d": sum(amount_of(old, side) for old, side in month) / expected,
            "cash_to_expected_30d": sum(amount_of(old, side) for old, side in month if is_cash(old)) / expected_cash,
            "new_country_to_expected_30d": sum(amount_of(old, side) for old, side in month if is_abroad_anew(old, side))
            / expected,
            "is_unexpected_foreign": NAN if own.foreign is None else own.foreign and not known["expects_foreign"],
            "account_age_days": min(max((own.time - known["opened_at_ns"]) / NS_PER_DAY, 0), 365),
            "risk_rating": known["risk_rating"],
            "is_pep": known["is_pep"],
            "is_business": known["kind"] == "business",
        }


Windows = Mapping[str, tuple[list[Held], list[Held]]]


def event_side(event: Transfer, side: int) -> str | None:
    """The account of a side: 0 sender, 1 receiver."""
    return event.to_account if side else event.from_account


def amount_of(old: Held, side: int) -> int:
    """US cents that left the sender or reached the receiver."""
    return old.got if side else old.sent


def is_cash(old: Held) -> bool:
    return old.transfer.channel in ("cash_in", "cash_out")


def is_abroad_anew(old: Held, side: int) -> bool:
    """Whether the country was new to the account when the transfer came."""
    days = old.met_days[side]
    return days is not None and days < 30


def threshold(market: Market) -> int:
    """US cents."""
    if market.reporting_threshold_minor is None:
        return 1_000_000
    return round(market.reporting_threshold_minor * 100 / market.minor_per_usd)


def is_round(event: Transfer) -> bool:
    return event.amount_minor >= 10_000 and len(str(event.amount_minor).rstrip("0")) <= 2


def over(part: float, whole: float) -> float:
    return part / whole if whole > 0 else NAN


def _by_itself(own: Held, side: int, market: Market) -> Row:
    event, amount = own.transfer, amount_of(own, side)
    local = event.event_time_ns + round(market.utc_offset_h * NS_PER_HOUR)
    hour = local % NS_PER_DAY / NS_PER_HOUR
    return {
        "amount_log_usd": math.log10(1 + amount / 100),
        "amount_to_threshold": amount / threshold(market),
        "is_just_below_threshold": own.just_below[side],
        "is_round_amount": is_round(event),
        "is_incoming": side,
        "is_cash": is_cash(own),
        "is_instant": event.channel == "instant",
        "is_virtual_asset": event.channel == "virtual_asset",
        "channel_code": TRANSFER_CHANNELS.index(event.channel),
        "is_cross_border": NAN if own.foreign is None else own.foreign,
        "is_converted": event.received_minor is not None,
        "hour_local": hour,
        "is_night_local": hour >= 22 or hour < 6,
        "is_weekend_local": (local // NS_PER_DAY + 3) % 7 in market.weekend,
    }


def _windows(windows: Windows) -> Row:
    row: Row = {}
    for name, sides in windows.items():
        for side, word in ((0, "out"), (1, "in")):
            row[f"{word}_count_{name}"] = len(sides[side])
            row[f"{word}_sum_{name}"] = sum(amount_of(old, side) for old in sides[side]) / 100
    return row


def log_steps(amount: int) -> int:
    """Logarithm to base 2 of amount + 1 in steps of 1/256, straight between powers of two, by whole numbers only."""
    power = (amount + 1).bit_length() - 1
    return 256 * power + ((amount + 1 - (1 << power)) * 256 >> power)


def spread(amounts: Sequence[int]) -> float:
    """Standard deviation of the amounts' logarithms, in steps."""
    if len(amounts) < 3:
        return NAN
    steps = [log_steps(amount) for amount in amounts]
    mean = sum(steps) / len(steps)
    return math.sqrt(max(sum(step * step for step in steps) / len(steps) - mean * mean, 0.0))


def _beside_itself(own: Held, side: int, windows: Windows) -> Row:
    amount = amount_of(own, side)
    others = [amount_of(old, side) for old in windows["30d"][side] if old is not own]
    row = {"amount_to_mean_30d": amount / (sum(others) / len(others)) if sum(others) else NAN}
    if len(others) >= 3:
        mean = sum(log_steps(other) for other in others) / len(others)
        row["amount_spread_30d"] = (log_steps(amount) - mean) / max(spread(others), 32.0)
    week, month = (sum(amount_of(old, s) for s in (0, 1) for old in windows[name][s]) for name in ("7d", "30d"))
    row["turnover_7d_to_older"] = over(week / 7, (month - week) / 23)
    for s, word in ((0, "out"), (1, "in")):
        row[f"{word}_spread_7d"] = spread([amount_of(old, s) for old in windows["7d"][s]]) / 256
    return row


def _silences(own: Held, account: str, held: Sequence[Held], windows: Windows) -> Row:
    """Of everything ever held: the last transfer before, and the silence before the week's first."""
    mine = [old for old in held if account in old.pair and old.time <= own.time and old is not own]
    week = [old.time for side in (0, 1) for old in windows["7d"][side]]
    before = [old.time for old in mine if old.time <= own.time - 7 * NS_PER_DAY]
    return {
        "days_since_last": (own.time - max(old.time for old in mine)) / NS_PER_DAY if mine else NAN,
        "quiet_days_before_7d": (min([own.time, *week]) - max(before)) / NS_PER_DAY if before else NAN,
    }


def _made_of(windows: Windows) -> Row:
    def total(name: str, sides: Sequence[int], wanted: Any) -> int:
        return sum(amount_of(old, side) for side in sides for old in windows[name][side] if wanted(old, side))

    def count(name: str, wanted: Any) -> int:
        return sum(bool(wanted(old, side)) for side in (0, 1) for old in windows[name][side])

    month = total("30d", (0, 1), lambda *_: True)
    return {
        "cash_share_30d": over(total("30d", (0, 1), lambda old, _: is_cash(old)), month),
        "cash_in_sum_7d": total("7d", (1,), lambda old, _: is_cash(old)) / 100,
        "cash_out_sum_7d": total("7d", (0,), lambda old, _: is_cash(old)) / 100,
        "just_below_count_7d": count("7d", lambda old, side: old.just_below[side]),
        "just_below_count_30d": count("30d", lambda old, side: old.just_below[side]),
        "round_share_7d": over(count("7d", lambda old, _: is_round(old.transfer)), count("7d", lambda *_: True)),
        "foreign_share_30d": over(total("30d", (0, 1), lambda old, _: old.foreign), month),
        "risky_corridor_sum_30d": total("30d", (0, 1), lambda old, side: old.risky[side]) / 100,
        "virtual_asset_sum_7d": total("7d", (0, 1), lambda old, _: old.transfer.channel == "virtual_asset") / 100,
    }


def _countries(own: Held, side: int, windows: Windows) -> Row:
    days = own.met_days[side]
    anew = [amount_of(old, s) for s in (0, 1) for old in windows["30d"][s] if is_abroad_anew(old, s)]
    return {
        "days_since_country_met": NAN if days is None else min(days, 120),
        "new_country_count_30d": len(anew),
        "new_country_sum_30d": sum(anew) / 100,
    }


def _counterparties(own: Held, side: int, account: str, windows: Windows) -> Row:
    def others(transfers: Sequence[Held], s: int) -> set[str]:
        return {peer for old in transfers if (peer := old.pair[1 - s]) is not None and peer != account}

    row: Row = {}
    for name, (paid, got) in windows.items():
        row |= {f"receivers_{name}": len(others(paid, 0)), f"senders_{name}": len(others(got, 1))}
    new = own.is_new[side]
    row["is_new_counterparty"] = NAN if new is None else new
    paid, got = windows["7d"]
    row["new_share_out_7d"] = over(sum(old.is_new[0] is True for old in paid), len(paid))
    row["new_share_in_7d"] = over(sum(old.is_new[1] is True for old in got), len(got))
    row["fan_in_7d"] = row["senders_7d"] / (row["receivers_7d"] + 1)
    row["fan_out_7d"] = row["receivers_7d"] / (row["senders_7d"] + 1)
    paid_on = [old for old in paid if got and old.time > got[0].time]
    row["gather_scatter_7d"] = min(row["senders_7d"], len(others(paid_on, 0)))
    receivers, senders = others(windows["30d"][0], 0), others(windows["30d"][1], 1)
    row["reciprocity_30d"] = over(len(receivers & senders), len(receivers | senders))
    return row


def _flow(own: Held, side: int, account: str, windows: Windows, held: Sequence[Held]) -> Row:
    row: Row = {}
    for name in ("1d", "7d"):
        paid, got = (sum(amount_of(old, s) for old in windows[name][s]) for s in (0, 1))
        row[f"pass_through_{name}"] = over(min(paid, got), max(paid, got))
    other, amount = 1 - side, amount_of(own, side)
    back = [old for old in held if old.pair[other] == account and old.time <= own.time and old is not own]
    row["hours_since_opposite"] = (own.time - back[-1].time) / NS_PER_HOUR if back else NAN
    day = [old for old in windows["1d"][other] if old is not own]
    row["amount_to_opposite_1d"] = over(amount, sum(amount_of(old, other) for old in day))
    week = [old for old in windows["7d"][other] if old is not own]
    if week:
        best = max(likeness(amount, amount_of(old, other)) for old in week)
        last = [old for old in week if likeness(amount, amount_of(old, other)) == best][-1]
        row |= {"amount_match_7d": best, "hours_since_match": (own.time - last.time) / NS_PER_HOUR}
    return row
