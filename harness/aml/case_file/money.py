"""Amounts as a report says them: `EUR 12,400.00`."""

from collections.abc import Iterable, Mapping

from streams.datasets.money import decimals_of


def spoken_money(amount_minor: int, currency: str) -> str:
    """An amount in minor units, with its currency's decimals."""
    places = decimals_of(currency)
    return f"{currency} {amount_minor / 10**places:,.{places}f}"


def spoken_sums(sums: Mapping[str, int]) -> str:
    """Sums by currency, the largest number first; `nothing` without any."""
    ordered = sorted(sums.items(), key=lambda pair: (-pair[1], pair[0]))
    return " and ".join(spoken_money(amount, currency) for currency, amount in ordered) or "nothing"


def add_up(amounts: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Sums of (currency, minor units) by currency: amounts of several currencies are never added."""
    sums: dict[str, int] = {}
    for currency, amount in amounts:
        sums[currency] = sums.get(currency, 0) + amount
    return sums
