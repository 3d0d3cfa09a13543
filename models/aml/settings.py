"""What a training on transfers is told beyond what every training is."""

from dataclasses import dataclass, field
from typing import Literal

from models.boosting import BoostingSettings
from models.fitting import FitSettings
from models.settings import TrainSettings
from streams.errors import BadInputError

Near = Literal["positive", "left_out", "negative"]
AML_BOOSTING = BoostingSettings(
    rounds_max=250,
    max_depth=5,
    learning_rate=0.05,
    min_child_weight=1.0,
    subsample=0.8,
    colsample_bytree=0.3,
    reg_lambda=5.0,
    max_bin=256,
)
"""Chosen by the average precision of customers, over several worlds: see docs/aml-model.md."""


@dataclass(frozen=True, slots=True)
class AmlTrainSettings(TrainSettings):
    """`near` says what the other rows of a pattern's member are while its pattern lasts (see `models.aml.labels`);
    `genuine_share` is the share of the genuine rows that teach, drawn at random: the validation part keeps all."""

    fit: FitSettings = field(default_factory=lambda: FitSettings(card_precision_k=20, boosting=AML_BOOSTING))
    near: Near = "left_out"
    genuine_share: float = 0.1

    def __post_init__(self) -> None:
        # slots make a new class of a dataclass, which a bare super() does not know
        super(AmlTrainSettings, self).__post_init__()
        if not 0 < self.genuine_share <= 1:
            raise BadInputError(f"share of genuine rows must be over 0 and at most 1, got {self.genuine_share}")
