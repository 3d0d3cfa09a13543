"""The protocol a data set is evaluated by: which days train, which days stream, and the figures published for it."""

import datetime as dt
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from streams.labels import NS_PER_DAY, NS_PER_S

Share = Annotated[float, Field(ge=0, le=1)]
Day = dt.date | dt.datetime


class Published(BaseModel):
    """A model's published result under this protocol, to stand beside ours."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)

    model: str
    auc: Share | None = None
    average_precision: Share | None = None
    card_precision_at_k: Share | None = None
    source: str | None = None


class Protocol(BaseModel):
    """Days (or instants) of training and streaming. A day given as `until` is included as a whole.

    Events before `train_from` only warm the features. With `remove_known_compromised`, events of a card whose fraud is
    already known (see `harness.quality.known_compromised`) are streamed, but left out of the measures.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)

    train_from: Day
    train_until: Day
    stream_from: Day
    stream_until: Day
    label_delay_days: Annotated[int, Field(ge=0, le=90)] = 7
    k: Annotated[int, Field(ge=1, le=1_000_000)] = 100
    remove_known_compromised: bool = False
    published: list[Published] = []

    @model_validator(mode="before")
    @classmethod
    def _parse_text(cls, raw: Any) -> Any:
        if not isinstance(raw, dict):
            return raw
        return {key: parse_day(value) if key.endswith(("_from", "_until")) else value for key, value in raw.items()}

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for first, then in (
            ("train_from", "train_until"),
            ("train_until", "stream_from"),
            ("stream_from", "stream_until"),
        ):
            low, high = getattr(self, first), getattr(self, then)
            if instant_ns(low) > instant_ns(high):
                raise ValueError(f"{then} = {high} must not lie before {first} = {low}")
        return self

    @property
    def train_from_ns(self) -> int:
        """Start of training, ns since the epoch."""
        return instant_ns(self.train_from)

    @property
    def train_until_ns(self) -> int:
        """End of training (exclusive), ns since the epoch."""
        return _end_ns(self.train_until)

    @property
    def stream_from_ns(self) -> int:
        """Start of the stream, ns since the epoch."""
        return instant_ns(self.stream_from)

    @property
    def stream_until_ns(self) -> int:
        """End of the stream (exclusive), ns since the epoch."""
        return _end_ns(self.stream_until)


def parse_day(value: Any) -> Any:
    """ISO text as a day or an instant; anything else is left for validation to judge."""
    if not isinstance(value, str):
        return value
    try:
        return dt.date.fromisoformat(value) if len(value) == len("2018-07-25") else dt.datetime.fromisoformat(value)
    except ValueError:
        return value


def instant_ns(day: Day) -> int:
    """The start of a day, or an instant, in ns since the epoch; without a zone it is UTC."""
    instant = day if isinstance(day, dt.datetime) else dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC)
    aware = instant if instant.tzinfo else instant.replace(tzinfo=dt.UTC)
    since = aware - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    return since.days * NS_PER_DAY + since.seconds * NS_PER_S + since.microseconds * 1_000


def _end_ns(day: Day) -> int:
    return instant_ns(day) + (0 if isinstance(day, dt.datetime) else NS_PER_DAY)
