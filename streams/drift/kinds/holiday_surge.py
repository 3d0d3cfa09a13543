"""The weeks before a holiday."""

from typing import ClassVar, Literal

from pydantic import model_validator

from streams.drift.onset import Shape
from streams.drift.surge import Surge


class HolidaySurge(Surge):
    """From the onset until `until_day` there are `factor` times as many genuine events; more and more of them when the
    shape is gradual."""

    shapes: ClassVar[tuple[Shape, ...]] = ("sudden", "gradual")

    kind: Literal["holiday-surge"]

    @model_validator(mode="after")
    def _ends(self) -> "HolidaySurge":
        if self.until_day is None:
            raise ValueError("until_day is needed: holidays end")
        return self
