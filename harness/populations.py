"""The part of a scenario file that says what the synthetic population is like: one section a domain."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from streams.errors import BadInputError
from streams.section import Section
from streams.worlds.aml.config import AmlWorldConfig
from streams.worlds.fraud.config import FraudWorldConfig


class Population(Section):
    """What every synthetic population has. Keys left at null keep the preset's own values (see docs/worlds.md)."""

    preset: Literal["easy", "medium", "hard"] = "medium"
    history_days: Annotated[int, Field(ge=15, le=730)] = 60
    start: str | None = None

    @property
    def config(self) -> FraudWorldConfig | AmlWorldConfig:
        """The world's settings."""
        raise NotImplementedError


class CardPopulation(Population):
    """Cards and their holders."""

    cards: int | None = None
    transactions_per_card_per_day: float | None = None
    fraud_share: float | None = None
    label_delay_days: float | None = None
    never_reported_share: float | None = None
    foreign_online_share: float | None = None
    boldness: float | None = None
    own_device_share: float | None = None
    look_alike_factor: float | None = None
    home_countries: dict[str, float] | None = None
    scenario_weights: dict[str, float] | None = None
    look_alike_shares: dict[str, float] | None = None

    @model_validator(mode="after")
    def _makes_a_world(self) -> "CardPopulation":
        try:
            _ = self.config
        except BadInputError as error:
            raise ValueError(str(error)) from None
        return self

    @property
    def config(self) -> FraudWorldConfig:
        """The fraud world's settings."""
        values = self.model_dump(exclude={"history_days"}, exclude_none=True)
        return FraudWorldConfig.from_mapping(values)


class AmlPopulation(Population):
    """People, businesses and shell companies of several markets, their accounts at banks."""

    customers: int | None = None
    markets: int | list[str] | None = None
    activity: float | None = None
    business_share: float | None = None
    laundering_share: float | None = None
    untyped_share: float | None = None
    boldness: float | None = None
    circle_share: float | None = None
    declared_error: float | None = None
    look_alike_share: float | None = None
    look_alike_factor: float | None = None
    typology_weights: dict[str, float] | None = None
    look_alike_weights: dict[str, float] | None = None

    @model_validator(mode="after")
    def _makes_a_world(self) -> "AmlPopulation":
        try:
            _ = self.config
        except BadInputError as error:
            raise ValueError(str(error)) from None
        return self

    @property
    def config(self) -> AmlWorldConfig:
        """The money-laundering world's settings."""
        values = self.model_dump(exclude={"history_days"}, exclude_none=True)
        return AmlWorldConfig.from_mapping(values)
