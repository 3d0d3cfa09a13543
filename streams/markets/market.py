"""A market: what its law and habits mean for transfers of money, and how its file is read."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from streams.errors import BadInputError
from streams.markets.corridors import HIGH_RISK
from streams.markets.currencies import CURRENCY_RATES

DEFAULT_THRESHOLD_USD = 15_000
"""Where cash is not reported by amount: from where FATF's recommendation 10 asks for due diligence on an occasional
transaction."""
PROMPT_FILING_DAYS = 3
"""Where the law says at once, promptly or as soon as practicable: what simulations take that for."""

CountryCode = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
MonthDay = Annotated[str, Field(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")]
Offset = Annotated[int, Field(ge=-60, le=75)]
Weekday = Annotated[int, Field(ge=0, le=6)]
Words = Annotated[str, Field(min_length=1, max_length=300)]
Easter = Literal["western", "orthodox"]
_FRACTIONS = frozenset(("utc_offset_h", "remittances_sent_share", "remittances_received_share"))


_FastLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Seventy files are read whenever the markets are imported: by libyaml, where there is one."""


class _OnceLoader(_FastLoader):  # type: ignore[misc]
    """Refuses a key that is there twice, of which YAML would take the last."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        keys = [key.value for key, _ in node.value]
        if len(set(keys)) < len(keys):
            twice = next(key for key in keys if keys.count(key) > 1)
            raise yaml.MarkedYAMLError(None, None, f"key {twice} is there twice", node.start_mark)
        return super().construct_mapping(node, deep)


class _Section(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class NthWeekday(_Section):
    """A holiday on the nth weekday (Monday is 0) of a month; -1 is the last one."""

    month: Annotated[int, Field(ge=1, le=12)]
    weekday: Weekday
    nth: Annotated[int, Field(ge=-1, le=4)]


class HijriDay(_Section):
    """A holiday of the Islamic year."""

    month: Annotated[int, Field(ge=1, le=12)]
    day: Annotated[int, Field(ge=1, le=30)]


class Movable(_Section):
    """Holidays that no fixed date has. Offsets are days from Easter Sunday and from the Chinese new year's first."""

    easter: Easter = "western"
    easter_offsets: list[Offset] = []
    nth_weekdays: list[NthWeekday] = []
    hijri: list[HijriDay] = []
    lunar_new_year_offsets: list[Offset] = []


class MarketFile(_Section):
    """A market's file, key by key as written there; docs/markets.md explains each."""

    code: CountryCode
    name: Words
    currency: str
    utc_offset_h: Annotated[float, Field(ge=-12, le=14)]
    weekend: Annotated[list[Weekday], Field(min_length=1, max_length=2)]
    reporting_threshold_minor: Annotated[int, Field(ge=1, le=100_000_000_000)] | None
    reporting_rule: Words
    filing_deadline_days: Annotated[int, Field(ge=1, le=120)] | None
    filing_rule: Words
    source: Words
    holidays: Annotated[list[MonthDay], Field(min_length=1)]
    movable_holidays: Movable = Movable()
    typology_mix: dict[
        Annotated[str, Field(pattern=r"^[a-z][a-z_]{0,63}$")], Annotated[float, Field(ge=0.1, le=10)]
    ] = {}
    corridor_risk: dict[CountryCode, Annotated[int, Field(ge=1, le=3)]] = {}
    remittances_sent_share: Annotated[float, Field(ge=0, le=0.5)]
    remittances_received_share: Annotated[float, Field(ge=0, le=0.5)]
    homelands: dict[CountryCode, Annotated[float, Field(gt=0, le=100)]] = {}

    @model_validator(mode="before")
    @classmethod
    def _whole_numbers(cls, raw: Any) -> Any:
        """Take 2 for 2.0, which strictness would not."""
        if not isinstance(raw, dict):
            return raw
        whole = {key: _as_float(value) if key in _FRACTIONS else value for key, value in raw.items()}
        for key in ("typology_mix", "homelands"):
            if isinstance(raw.get(key), dict):
                whole[key] = {name: _as_float(weight) for name, weight in raw[key].items()}
        return whole

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.currency not in CURRENCY_RATES:
            known = ", ".join(CURRENCY_RATES)
            raise PydanticCustomError("currency", f"key currency: {self.currency!r} is not one of {known}")
        for key, values in (("weekend", self.weekend), ("holidays", self.holidays)):
            if len(set(values)) < len(values):
                raise PydanticCustomError("twice", f"key {key}: {values} names something twice")
        for key, countries in (("corridor_risk", self.corridor_risk), ("homelands", self.homelands)):
            if self.code in countries:
                raise PydanticCustomError("corridor", f"key {key}: {self.code} is the market itself")
        return self


def _as_float(value: Any) -> Any:
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


@dataclass(frozen=True, slots=True)
class Market:
    """One jurisdiction. Figures are for orientation in simulations, no legal advice; `source` names the rule.

    `minor_per_usd` are minor units of `currency` for one US dollar, at the fixed rate of `streams.markets.currencies`.
    `reporting_threshold_minor` is the cash amount the law looks at (`reporting_rule` says what happens there);
    `is_default_threshold` where it looks at none. Weekdays count from Monday = 0, `holidays` are fixed ones (MM-DD),
    `movable` the others. `utc_offset_h` is standard time. `typology_mix` multiplies a world's weights, `corridor_risk`
    are the countries (ISO 3166) whose payments are watched more closely there, 2 or 3 (1: not so). `is_high_risk`: on
    the FATF's lists. `filing_deadline_days` from suspicion to report, as `filing_rule` words it.
    `remittances_sent_share` and `remittances_received_share` are what people working abroad send home, of the market's
    domestic product; `homelands` weighs the countries where people there come from.
    """

    code: str
    name: str
    currency: str
    minor_per_usd: float
    reporting_threshold_minor: int
    is_default_threshold: bool
    reporting_rule: str
    weekend: tuple[int, ...]
    holidays: tuple[str, ...]
    movable: Movable
    utc_offset_h: float
    typology_mix: dict[str, float]
    corridor_risk: dict[str, int]
    is_high_risk: bool
    filing_deadline_days: int
    filing_rule: str
    source: str
    remittances_sent_share: float
    remittances_received_share: float
    homelands: dict[str, float]

    @property
    def reporting_threshold_usd_minor(self) -> float:
        """The threshold in US cents."""
        return self.reporting_threshold_minor * 100.0 / self.minor_per_usd


def read_market(path: Path) -> Market:
    """Read and check one market's file. Raises `BadInputError` with file, key, value and bound of all that is wrong."""
    try:
        raw = _OnceLoader(path.read_text(encoding="utf-8")).get_single_data()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(f"market {path} cannot be read: {error}") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise BadInputError(f"market {path}{where}: not valid YAML: {getattr(error, 'problem', error)}") from error
    try:
        file = MarketFile.model_validate(raw)
    except ValidationError as error:
        problems = (_in_words(problem) for problem in error.errors(include_url=False))
        raise BadInputError("\n".join(f"market {path}: {problem}" for problem in problems)) from None
    if path.stem != file.code:
        raise BadInputError(f"market {path}: key code: {file.code} is not the file's name, {path.stem}")
    return _market(file)


def _in_words(problem: Any) -> str:
    key = ".".join(str(step) for step in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return f"unknown key {key}; known: {', '.join(MarketFile.model_fields)}"
    if problem["type"] == "missing":
        return f"key {key} is missing"
    text = problem["msg"][:1].lower() + problem["msg"][1:]
    return f"key {key}: {text}, found {problem['input']!r}" if key else text


def _market(file: MarketFile) -> Market:
    rate = CURRENCY_RATES[file.currency]
    threshold, days = file.reporting_threshold_minor, file.filing_deadline_days
    return Market(
        code=file.code,
        name=file.name,
        currency=file.currency,
        minor_per_usd=rate.minor_per_usd,
        reporting_threshold_minor=threshold or round(DEFAULT_THRESHOLD_USD * rate.minor_per_usd),
        is_default_threshold=threshold is None,
        reporting_rule=file.reporting_rule,
        weekend=tuple(file.weekend),
        holidays=tuple(file.holidays),
        movable=file.movable_holidays,
        utc_offset_h=file.utc_offset_h,
        typology_mix=dict(file.typology_mix),
        corridor_risk=dict(file.corridor_risk),
        is_high_risk=file.code in HIGH_RISK,
        filing_deadline_days=days or PROMPT_FILING_DAYS,
        filing_rule=file.filing_rule,
        source=file.source,
        remittances_sent_share=file.remittances_sent_share,
        remittances_received_share=file.remittances_received_share,
        homelands=dict(file.homelands),
    )
