"""How somebody's columns become ours: the mapping file, read and checked strictly.

One YAML file says, for each of our fields, which of their columns holds it and in which unit; where the label is; and,
if the data set has one, the protocol it is evaluated by. docs/own-data.md explains every key.
"""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from streams.causes import Cause
from streams.datasets.mapping_errors import explain_mapping_problems
from streams.datasets.protocol import Protocol, parse_day
from streams.errors import BadInputError

SHIPPED = Path(__file__).parent
ColumnName = Annotated[str, Field(min_length=1)]
TimeFormat = Literal["d", "h", "s", "ms", "us", "ns", "iso", "datetime"]


AnyMapping = TypeVar("AnyMapping", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A column the mapping asks for: its name, the key of the mapping that names it, and whether it may be absent."""

    column: str
    key: str
    optional: bool


class Section(BaseModel):
    """A part of a mapping file: nothing is coerced, unknown keys are refused, values do not change afterwards."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class TextField(Section):
    """A text field (identifier, category, …): a column, or one constant for every row; `values` renames its values."""

    column: ColumnName | None = None
    constant: str | None = None
    values: dict[str, str] = {}
    optional: bool = False

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, raw: Any) -> Any:
        if isinstance(raw, str):
            return {"column": raw}
        if isinstance(raw, dict) and isinstance(raw.get("values"), dict):
            return {**raw, "values": {str(theirs): ours for theirs, ours in raw["values"].items()}}
        return raw

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.column is None) == (self.constant is None):
            raise ValueError("needs either column or constant")
        return self


class NumberField(Section):
    """A plain number (latitude, longitude)."""

    column: ColumnName
    optional: bool = False

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, raw: Any) -> Any:
        return {"column": raw} if isinstance(raw, str) else raw


class TimeField(Section):
    """An instant. `format`: d (days), h, s, ms, us or ns since `origin`; `iso` text; `datetime` (a Parquet timestamp);
    or a strptime pattern such as `%d/%m/%Y %H:%M:%S`. Times that name no zone are in `timezone`."""

    column: ColumnName
    format: TimeFormat | Annotated[str, Field(pattern="%")] = "datetime"
    timezone: str = "UTC"
    origin: dt.date | dt.datetime = dt.date(1970, 1, 1)
    optional: bool = False

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, raw: Any) -> Any:
        if isinstance(raw, dict) and "origin" in raw:
            return {**raw, "origin": parse_day(raw["origin"])}
        return {"column": raw} if isinstance(raw, str) else raw

    @model_validator(mode="after")
    def _zone_exists(self) -> Self:
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"timezone {self.timezone!r} is no IANA time zone (for example Europe/Brussels)") from None
        return self


class AmountField(Section):
    """Money. `unit` minor: whole cents; major: euros with a fraction, rounded to `decimals` places."""

    column: ColumnName
    unit: Literal["minor", "major"]
    decimals: Annotated[int, Field(ge=0, le=4)] = 2
    decimal_separator: Literal[".", ","] = "."


def _positive_in_full(raw: Any) -> Any:
    """A bare column name as a mapping, and what counts as yes as lower-case words."""
    if isinstance(raw, str):
        return {"column": raw}
    if isinstance(raw, dict) and isinstance(raw.get("positive"), list):
        return {**raw, "positive": [str(value).lower() for value in raw["positive"]]}
    return raw


class FlagField(Section):
    """Yes or nothing: yes where the column holds one of `positive`. Values are compared without regard to case."""

    column: ColumnName
    positive: Annotated[list[str], Field(min_length=1)] = ["1", "true"]
    optional: bool = False

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, raw: Any) -> Any:
        return _positive_in_full(raw)


class Fields(Section):
    """Our fields; what the source does not have is left out and stays missing."""

    event_id: TextField | None = None
    event_time: TimeField
    card_id: TextField
    amount: AmountField
    currency: TextField
    customer_id: TextField | None = None
    merchant_id: TextField | None = None
    terminal_id: TextField | None = None
    device_id: TextField | None = None
    category: TextField | None = None
    channel: TextField | None = None
    country: TextField | None = None
    latitude: NumberField | None = None
    longitude: NumberField | None = None
    is_refund: FlagField | None = None


class ScenarioField(Section):
    """The column that names the kind of fraud (or of look-alike); `names` puts words to its values."""

    column: ColumnName
    names: dict[str, str] = {}
    optional: bool = False

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, raw: Any) -> Any:
        if isinstance(raw, str):
            return {"column": raw}
        if isinstance(raw, dict) and isinstance(raw.get("names"), dict):
            return {**raw, "names": {str(theirs): name for theirs, name in raw["names"].items()}}
        return raw


class FraudScenarioField(ScenarioField):
    """The kind of fraud; `causes` says by which families of evidence each (by its name) can be seen, so that reasons
    can be compared with it."""

    causes: dict[str, Annotated[list[Cause], Field(min_length=1)]] = {}

    @model_validator(mode="after")
    def _causes_of_named_scenarios(self) -> Self:
        stray = sorted(set(self.causes) - set(self.names.values())) if self.names else []
        if stray:
            known = ", ".join(self.names.values())
            raise ValueError(f"causes are given for {', '.join(stray)}, which names does not name (it has: {known})")
        return self


class LabelField(Section):
    """The truth: `column` is fraud where it holds one of `positive`.

    It is in the events' file or, where that has no such column, in `file` beside it (joined by `key`, that file's
    column of event ids). A fraud becomes known at `reported_at`, or `delay_days` after it happened. Values are compared
    without regard to case. `optional`: no label is no error.
    """

    column: ColumnName
    positive: Annotated[list[str], Field(min_length=1)] = ["1", "true"]
    scenario: FraudScenarioField | None = None
    look_alike: ScenarioField | None = None
    reported_at: TimeField | None = None
    delay_days: Annotated[float, Field(ge=0, le=365)] = 7.0
    file: str | None = None
    key: ColumnName = "event_id"
    optional: bool = False

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, raw: Any) -> Any:
        return _positive_in_full(raw)


class CsvFormat(Section):
    """How a CSV file is written; ignored for Parquet. `empty` lists what stands for a missing value.

    `number_repeated`: a column name that is there again becomes `Name.1`, `Name.2`, …; without it such a file is
    refused.
    """

    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    quote: Annotated[str, Field(min_length=1, max_length=1)] = '"'
    encoding: str = "utf8"
    empty: list[str] = [""]
    number_repeated: bool = False


class Mapping(Section):
    """A whole mapping file."""

    name: Annotated[str, Field(min_length=1)]
    description: str = ""
    sort: bool = False
    csv: CsvFormat = CsvFormat()
    fields: Fields
    label: LabelField | None = None
    protocol: Protocol | None = None

    def event_columns(self) -> list[Wanted]:
        """Their columns with events' fields, in the order of the map."""
        fields = ((name, getattr(self.fields, name)) for name in Fields.model_fields)
        return [
            Wanted(field.column, f"fields.{name}", getattr(field, "optional", False))
            for name, field in fields
            if field is not None and field.column is not None
        ]

    def label_columns(self) -> list[Wanted]:
        """Their columns that hold the truth."""
        if self.label is None:
            return []
        parts = ((name, getattr(self.label, name)) for name in ("scenario", "look_alike", "reported_at"))
        beside = [Wanted(part.column, f"label.{name}", part.optional) for name, part in parts if part is not None]
        return [Wanted(self.label.column, "label.column", False), *beside]


def shipped_mappings() -> dict[str, Mapping]:
    """The mappings that come with Riskbench, by name."""
    return {path.stem: read_mapping(path) for path in sorted(SHIPPED.glob("*.yaml"))}


def load_mapping(columns: str | Path) -> Mapping:
    """A shipped mapping by name, or one from a YAML file. Raises BadInputError with file, key, value and bound."""
    shipped = SHIPPED / f"{columns}.yaml"
    if isinstance(columns, str) and "/" not in columns and shipped.is_file():
        return read_mapping(shipped)
    path = Path(columns)
    if not path.is_file():
        known = ", ".join(path.stem for path in sorted(SHIPPED.glob("*.yaml")))
        raise BadInputError(f"column map {columns}: no such file, nor a shipped map (known: {known})")
    return read_mapping(path)


def read_mapping(path: Path) -> Mapping:
    """Read and check one mapping file."""
    return read_mapping_as(path, Mapping)


def read_mapping_as(path: Path, model: type[AnyMapping]) -> AnyMapping:
    """Read one mapping file and check it as that kind of mapping."""
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(f"column map {path} cannot be read: {error}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise BadInputError(f"column map {path}{where}: not valid YAML: {getattr(error, 'problem', error)}") from error
    if not isinstance(raw, dict):
        raise BadInputError(
            f"column map {path}: expected keys and values (name, fields, …), found {type(raw).__name__}"
        )
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        raise BadInputError(explain_mapping_problems(error, str(path), model)) from None
