"""When a drift begins, and how it comes: at once, more and more often, more and more strongly, or again and again."""

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from streams.labels import NS_PER_DAY
from streams.section import Section
from streams.worlds.arrays import Floats, Ints

Shape = Literal["sudden", "gradual", "incremental", "recurring"]
SHAPES: tuple[Shape, ...] = ("sudden", "gradual", "incremental", "recurring")
RISE_DAYS = 7.0
"""How long a gradual or incremental drift takes to be whole when nothing is said."""
Days = Annotated[float, Field(gt=0, le=3_650)]


class Onset(Section):
    """Times are days of event time since the stream's start (`onset_day`, `until_day`) or lengths in such days.

    sudden: whole from the onset on. gradual: the share of what is affected rises over `over_days`. incremental:
    everything is affected, and how strongly rises over `over_days`. recurring: whole for `on_days`, gone for
    `off_days`, and so on. After `until_day` all is as before.
    """

    shapes: ClassVar[tuple[Shape, ...]] = SHAPES

    onset_day: Annotated[float, Field(ge=0, le=3_650)]
    until_day: Days | None = None
    shape: Shape = "sudden"
    over_days: Days | None = None
    on_days: Days | None = None
    off_days: Days | None = None

    @model_validator(mode="after")
    def _has_what_its_shape_needs(self) -> "Onset":
        if self.shape not in self.shapes:
            raise ValueError(f"shape = {self.shape}: must be one of {', '.join(self.shapes)}")
        rises = self.shape in ("gradual", "incremental")
        if self.over_days is not None and not rises:
            raise ValueError(f"over_days is of the shapes gradual and incremental, and shape = {self.shape}")
        for name in ("on_days", "off_days"):
            given = getattr(self, name) is not None
            if given != (self.shape == "recurring"):
                raise ValueError(f"{name} is of the shape recurring, which needs it, and shape = {self.shape}")
        if self.until_day is not None and self.until_day <= self.onset_day:
            raise ValueError(f"until_day = {self.until_day:g} must be after onset_day = {self.onset_day:g}")
        return self

    def onset_ns(self, start_ns: int) -> int:
        """The first instant of event time at which anything is affected, ns; `start_ns` is the stream's start."""
        return start_ns + round(self.onset_day * NS_PER_DAY)

    def until_ns(self, start_ns: int) -> int | None:
        """The first instant after it, ns; None for one that does not end."""
        return None if self.until_day is None else start_ns + round(self.until_day * NS_PER_DAY)

    def ramp(self, times_ns: Ints, start_ns: int) -> Floats:
        """How far it has come at these instants, 0 (not at all) to 1 (whole), float64 [n]."""
        since_ns = times_ns - self.onset_ns(start_ns)
        if self.shape == "recurring":
            on_ns = round((self.on_days or 0.0) * NS_PER_DAY)
            off_ns = round((self.off_days or 0.0) * NS_PER_DAY)
            come = (since_ns % (on_ns + off_ns) < on_ns).astype(np.float64)
        elif self.shape == "sudden":
            come = np.ones(len(times_ns))
        else:
            come = np.clip(since_ns / ((self.over_days or RISE_DAYS) * NS_PER_DAY), 0.0, 1.0)
        until_ns = self.until_ns(start_ns)
        under_way = since_ns >= 0 if until_ns is None else (since_ns >= 0) & (times_ns < until_ns)
        return np.where(under_way, come, 0.0)
