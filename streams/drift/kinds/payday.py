"""Wages are paid, and spent."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from streams.drift.onset import Days, Shape
from streams.drift.surge import Surge


class Payday(Surge):
    """For `on_days` from payday on there are `factor` times as many genuine events, month after month."""

    shapes: ClassVar[tuple[Shape, ...]] = ("recurring",)

    kind: Literal["payday"]
    shape: Shape = "recurring"
    on_days: Days | None = 2.0
    off_days: Days | None = 28.0
    factor: Annotated[float, Field(gt=1, le=20)] = 1.6
