"""Every column that a side of a transfer has: of the transfer, of the account's due diligence, and the model's own."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from models.graph.catalog import AML_FEATURES
from models.separability.laundering.material import Laundering, Rows
from models.separability.material import Ints, coded
from models.separability.ranking import bins
from models.separability.single_feature import Column, feature_columns
from streams.labels import NS_PER_DAY, NS_PER_S
from streams.markets import usd_minor

TRANSFER_CATEGORIES = (
    "currency", "channel", "from_account", "to_account", "from_bank", "to_bank", "from_country", "to_country",
    "received_currency",
)  # fmt: skip
ACCOUNT_CATEGORIES = (
    "account_id", "customer_id", "bank_id", "market", "kind", "segment", "risk_rating", "is_pep", "expects_foreign",
)  # fmt: skip
ACCOUNT_MONEY = ("expected_monthly_minor", "expected_cash_monthly_minor")


def columns_of(data: Laundering, rows: Rows) -> list[Column]:
    """All columns of these rows that hold something: what the transfer says, what the bank knows of the side's account
    (`account: …`), and the graph kernel's features."""
    features = feature_columns(AML_FEATURES, rows.values, np.arange(len(rows.number)))
    return [*_of_transfer(data, rows.number), *_of_account(data, rows.number), *features]


def account_age_days(data: Laundering, number: Ints) -> NDArray[np.float64]:
    """Age of the account on each of these sides, days, below zero before it was opened."""
    opened = data.tables.accounts["opened_at_ns"].to_numpy()[data.sides.account[number]]
    found: NDArray[np.float64] = (data.side_time_ns[number] - opened) / NS_PER_DAY
    return found


def _of_transfer(data: Laundering, number: Ints) -> Iterator[Column]:
    transfers, transfer = data.tables.transfers, number // 2
    amount = usd_minor(transfers["amount_minor"].to_numpy(), transfers["currency"])[transfer]
    yield "amount in US dollars", "raw", amount, bins(amount)
    for name in TRANSFER_CATEGORIES:
        if transfers[name].null_count < len(transfers):
            yield name, "raw", None, coded(transfers, name)[0][transfer] + 1
    yield "side", "raw", None, number % 2
    time_ns = data.time_ns[transfer]
    seconds = (time_ns % NS_PER_DAY) / NS_PER_S
    yield "time of day", "raw", seconds, bins(seconds, 48)
    yield "day of the week", "raw", None, (time_ns // NS_PER_DAY + 3) % 7


def _of_account(data: Laundering, number: Ints) -> Iterator[Column]:
    accounts, own = data.tables.accounts, data.sides.account[number]
    age = account_age_days(data, number)
    yield "account: age", "raw", age, bins(age)
    for name in ACCOUNT_MONEY:
        money = usd_minor(accounts[name].to_numpy(), accounts["currency"])[own]
        yield f"account: {name.removesuffix('_minor')}", "raw", money, bins(money)
    for name in ACCOUNT_CATEGORIES:
        yield f"account: {name}", "raw", None, coded(accounts, name)[0][own] + 1
