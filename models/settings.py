"""What a training is told: window, delays and the settings of the fit."""

from dataclasses import dataclass, field

from models.fitting import FitSettings
from streams.errors import BadInputError


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """What to train on and how. Times are event times (ns UTC); the window is [from, until)."""

    from_ns: int | None = None
    until_ns: int | None = None
    label_delay_days: int = 7
    warm_up_days: int = 30
    validation_share: float = 0.2
    fit: FitSettings = field(default_factory=FitSettings)

    def __post_init__(self) -> None:
        if not 0 <= self.label_delay_days <= 365:
            raise BadInputError(f"label delay must be 0 to 365 days, got {self.label_delay_days}")
        if not 0 < self.validation_share <= 0.5:
            raise BadInputError(f"validation share must be over 0 and at most 0.5, got {self.validation_share}")
