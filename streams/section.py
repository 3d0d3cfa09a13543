"""What every part of a scenario file has in common, whichever room reads it."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A part of a scenario file: types are not coerced, unknown keys are refused, values do not change afterwards."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)
