"""How somebody's transfers and accounts become ours: one mapping file for both, and for the truth about laundering.

As `streams.datasets.mapping` does for card transactions; docs/own-data.md explains every key.
"""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from streams.datasets.mapping import (
    AmountField,
    ColumnName,
    CsvFormat,
    FlagField,
    NumberField,
    Section,
    TextField,
    TimeField,
    Wanted,
    read_mapping_as,
)
from streams.datasets.protocol import Protocol
from streams.errors import BadInputError

SHIPPED_TRANSFERS = Path(__file__).parent / "transfers"


class BankField(TextField):
    """A bank. `strip_zeros`: banks are numbers that one file pads with zeros (`0012`) and the other does not."""

    strip_zeros: bool = False


class KindField(TextField):
    """Words of which only what stands before `until` counts (`Corporation #7` until ` #`); `otherwise` stands for every
    word that `values` does not name."""

    until: Annotated[str, Field(min_length=1)] | None = None
    otherwise: str | None = None


class MoneyField(AmountField):
    """Money in several currencies. `decimals_by_currency`: as many places as ISO 4217 gives the row's currency, instead
    of `decimals`. `above_max`: amounts too large for us are refused, or set to the largest there is (and counted)."""

    decimals_by_currency: bool = False
    above_max: Literal["refuse", "cap"] = "refuse"


class TransferFields(Section):
    """Fields of the transfers' file. Accounts that the accounts' file does not have are outside: they become null."""

    event_id: TextField | None = None
    event_time: TimeField
    amount: MoneyField
    currency: TextField
    channel: TextField
    from_account: TextField
    to_account: TextField
    from_bank: BankField | None = None
    to_bank: BankField | None = None
    from_country: TextField | None = None
    to_country: TextField | None = None
    received: MoneyField | None = None
    received_currency: TextField | None = None

    @model_validator(mode="after")
    def _received_has_a_currency(self) -> Self:
        if (self.received is None) != (self.received_currency is None):
            raise ValueError("received and received_currency belong together")
        return self


class AccountFields(Section):
    """Fields of the accounts' file. What it does not have: `customer_id` is the account itself, `bank_id` one bank for
    all, `opened_at` 1970, risk rating 1, nothing declared.

    `within_bank`: account numbers are unique within a bank only, so bank and number together name an account.
    """

    account_id: TextField
    within_bank: bool = False
    customer_id: TextField | None = None
    bank_id: BankField = BankField(constant="bank")
    market: TextField
    currency: TextField
    kind: KindField = KindField(constant="person")
    segment: KindField = KindField(constant="unknown")
    opened_at: TimeField | None = None
    risk_rating: NumberField | None = None
    is_pep: FlagField | None = None
    expected_monthly: AmountField | None = None
    expected_cash_monthly: AmountField | None = None
    expects_foreign: FlagField | None = None


class AlertTypes(Section):
    """A file beside the transfers that says of which type each pattern is."""

    file: str
    key: ColumnName
    column: ColumnName
    optional: bool = False


class PatternField(Section):
    """The pattern of a transfer; `none` are values that stand for no pattern. A genuine transfer with a pattern is a
    look-alike of that pattern's type."""

    column: ColumnName
    none: list[str] = Field(default=["-1", ""])
    types: AlertTypes | None = None


class LaunderingFlag(FlagField):
    """The column that says which transfers are laundering; `also`: other names that it goes by."""

    also: list[ColumnName] = Field(default=[])

    @property
    def names(self) -> list[str]:
        """Every name, the first that is there counts."""
        return [self.column, *self.also]


class FlaggedAccounts(FlagField):
    """Truth by account: a transfer is laundering when both its accounts are flagged and it is at most `amount_max`
    (major units). Those with the same receiver (or sender) make one pattern."""

    amount_max: Annotated[float, Field(gt=0)] | None = None
    pattern_by: Literal["receiver", "sender"] = "receiver"


class Attempts(Section):
    """AMLworld's text file of laundering attempts: its name is the transfers' file's with `replace` put in the place of
    `suffix`."""

    suffix: Annotated[str, Field(min_length=1)]
    replace: Annotated[str, Field(min_length=1)]


class OwnTables(Section):
    """Our own truth beside the transfers: LAUNDERING_SCHEMA and MEMBER_SCHEMA as Parquet; missing is no error."""

    laundering: str = "laundering.parquet"
    members: str = "members.parquet"


class TruthField(Section):
    """Where the truth is: `laundering` (a column of the transfers), `accounts` (flags), or `tables` (ours).

    `typology` names what is laundered without a pattern's type.
    """

    laundering: LaunderingFlag | None = None
    pattern: PatternField | None = None
    attempts: Attempts | None = None
    accounts: FlaggedAccounts | None = None
    tables: OwnTables | None = None
    typology: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")] = "untyped"

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [name for name in ("laundering", "accounts", "tables") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError("needs one of laundering, accounts, tables")
        if self.laundering is None and (self.pattern or self.attempts):
            raise ValueError("pattern and attempts go with laundering")
        if self.pattern and self.attempts:
            raise ValueError("patterns come from either pattern or attempts")
        return self


class TransferMapping(Section):
    """A whole mapping file for money laundering."""

    name: Annotated[str, Field(min_length=1)]
    description: str = ""
    sort: bool = False
    csv: CsvFormat = CsvFormat()
    transfers: TransferFields
    accounts: AccountFields
    truth: TruthField | None = None
    protocol: Protocol | None = None

    def transfer_columns(self) -> list[Wanted]:
        """Their columns of the transfers' file that must be there."""
        found = _columns(self.transfers, "transfers")
        truth = self.truth
        if truth is not None and truth.laundering is not None:
            optional = truth.laundering.optional or bool(truth.laundering.also)
            found += [Wanted(name, "truth.laundering", optional) for name in truth.laundering.names]
        if truth is not None and truth.pattern is not None:
            found.append(Wanted(truth.pattern.column, "truth.pattern", False))
        return found

    def account_columns(self) -> list[Wanted]:
        """Their columns of the accounts' file that must be there."""
        found = _columns(self.accounts, "accounts")
        if self.truth is not None and self.truth.accounts is not None:
            found.append(Wanted(self.truth.accounts.column, "truth.accounts", self.truth.accounts.optional))
        return found


def _columns(fields: TransferFields | AccountFields, part: str) -> list[Wanted]:
    found = []
    for name in type(fields).model_fields:
        field: Any = getattr(fields, name)
        column = getattr(field, "column", None)
        if column is not None:
            found.append(Wanted(column, f"{part}.{name}", getattr(field, "optional", False)))
    return found


def shipped_transfer_mappings() -> dict[str, TransferMapping]:
    """The mappings that come with Riskbench, by name."""
    files = sorted(SHIPPED_TRANSFERS.glob("*.yaml"))
    return {path.stem: read_mapping_as(path, TransferMapping) for path in files}


def load_transfer_mapping(columns: str | Path) -> TransferMapping:
    """A shipped mapping by name, or one from a YAML file. Raises BadInputError with file, key, value and bound."""
    shipped = SHIPPED_TRANSFERS / f"{columns}.yaml"
    if isinstance(columns, str) and "/" not in columns and shipped.is_file():
        return read_mapping_as(shipped, TransferMapping)
    path = Path(columns)
    if not path.is_file():
        known = ", ".join(file.stem for file in sorted(SHIPPED_TRANSFERS.glob("*.yaml")))
        raise BadInputError(f"column map {columns}: no such file, nor a shipped map for transfers (known: {known})")
    return read_mapping_as(path, TransferMapping)
