"""The part of a scenario file that says how investigators work."""

from typing import Annotated

from pydantic import Field, model_validator

from streams.section import Section

Share = Annotated[float, Field(ge=0, le=1)]


class Investigators(Section):
    """Investigators simulated; `measure.k` is their capacity a day, exploration included.

    `exploration_per_day`: places a day for customers drawn at random from outside the top. A finding comes
    `delay_days_min` to `delay_days_max` days after the worklist. `missed_share`: launderers found innocent by mistake;
    `wrongly_accused_share`: innocent customers found suspicious by mistake.
    """

    exploration_per_day: Annotated[int, Field(ge=0, le=1_000_000)] = 2
    delay_days_min: Annotated[float, Field(ge=0, le=365)] = 1.0
    delay_days_max: Annotated[float, Field(ge=0, le=365)] = 5.0
    missed_share: Share = 0.05
    wrongly_accused_share: Share = 0.02

    @model_validator(mode="after")
    def _delay_fits(self) -> "Investigators":
        if self.delay_days_min > self.delay_days_max:
            raise ValueError(
                f"delay_days_min = {self.delay_days_min:g} must be at most delay_days_max = {self.delay_days_max:g}"
            )
        return self
