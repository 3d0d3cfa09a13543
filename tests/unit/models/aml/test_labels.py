import numpy as np
import pyarrow as pa
import pytest

from models.aml.labels import NO_PATTERN, NOBODY, side_accounts, side_labels
from streams.errors import BadInputError
from streams.labels import NS_PER_HOUR
from tests.unit.models.aml.laundering_history import START_NS, Ledger


def ledger() -> Ledger:
    """A victim (a0) pays a mule (a1), who pays the boss (a2); between them the mule shops, and shops again later."""
    book = Ledger()
    book.pay(START_NS, "a0", "a1", 900, 7)
    book.pay(START_NS + NS_PER_HOUR, "a1", "a3", 20)
    book.pay(START_NS + 2 * NS_PER_HOUR, "a1", "a2", 880, 7)
    book.pay(START_NS + 3 * NS_PER_HOUR, "a1", "elsewhere", 20)
    book.pay(START_NS + 4 * NS_PER_HOUR, None, "a2", 20)
    book.join(7, "a1", "a2")
    return book


def test_a_row_is_positive_where_the_account_belongs_to_the_pattern_of_the_transfer() -> None:
    tables = ledger().tables(4)
    labels = side_labels(tables.transfers, tables.laundering, tables.accounts, tables.members)
    assert labels.account.tolist() == [0, 1, 1, 3, 1, 2, 1, NOBODY, NOBODY, 2]
    assert np.flatnonzero(labels.is_positive).tolist() == [1, 4, 5]
    assert labels.pattern[labels.is_positive].tolist() == [7, 7, 7]
    assert (labels.pattern[~labels.is_positive] == NO_PATTERN).all()


def test_rows_of_a_member_are_near_only_while_its_pattern_lasts() -> None:
    tables = ledger().tables(4)
    labels = side_labels(tables.transfers, tables.laundering, tables.accounts, tables.members)
    assert np.flatnonzero(labels.is_near).tolist() == [2]


def test_a_member_of_another_pattern_is_not_positive() -> None:
    book = ledger()
    book.members.clear()
    book.join(8, "a1", "a2")
    tables = book.tables(4)
    labels = side_labels(tables.transfers, tables.laundering, tables.accounts, tables.members)
    assert not labels.is_positive.any()
    assert not labels.is_near.any()


def test_without_members_nothing_is_positive() -> None:
    book = ledger()
    book.members.clear()
    tables = book.tables(4)
    assert not side_labels(tables.transfers, tables.laundering, tables.accounts, tables.members).is_positive.any()


def test_a_member_without_account_is_named() -> None:
    book = ledger()
    book.join(7, "a99")
    tables = book.tables(4)
    with pytest.raises(BadInputError, match="1 members of patterns have no account; the first is account 'a99'"):
        side_labels(tables.transfers, tables.laundering, tables.accounts, tables.members)


def test_sides_of_no_transfers_are_none() -> None:
    tables = ledger().tables(2)
    assert side_accounts(tables.transfers.slice(0, 0), tables.accounts).shape == (0,)
    assert side_accounts(tables.transfers, pa.Table.from_batches([], tables.accounts.schema)).tolist() == [NOBODY] * 10
