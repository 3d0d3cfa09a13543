"""What an audit is told."""

from dataclasses import dataclass, field

from models.boosting import BoostingSettings
from streams.errors import BadInputError


@dataclass(frozen=True, slots=True)
class AuditSettings:
    """`seed` drives all sampling and training. Features are computed from the first event on; rows count after
    `warm_up_days` (or 40% of a shorter history), and the last `test_share` of them are the out-of-time test.

    `genuine_max` bounds the genuine rows of each part, `genuine_compared` those that the many models which are only
    compared with each other train on (frauds are all kept, what is kept stands for the rest by its weight).
    `period_days`: how long a customer is looked at, of money laundering. `permutations`: how often labels are shuffled.
    `alert_share`: share of events that may be alerted. Unless `strict`, limits are there to compare with only: real
    data may be what they are.
    """

    seed: int = 1
    label_delay_days: int = 7
    warm_up_days: int = 30
    test_share: float = 0.3
    genuine_max: int = 120_000
    genuine_compared: int = 30_000
    permutations: int = 4
    alert_share: float = 0.01
    period_days: int = 14
    nthread: int = 1
    strict: bool = True
    boosting: BoostingSettings = field(default_factory=BoostingSettings)

    def __post_init__(self) -> None:
        if not 0 <= self.label_delay_days <= 365:
            raise BadInputError(f"label delay must be 0 to 365 days, got {self.label_delay_days}")
        if not 0.05 <= self.test_share <= 0.6:
            raise BadInputError(f"the test's share must be 0.05 to 0.6, got {self.test_share}")
        if self.genuine_max < 1_000:
            raise BadInputError(f"at least 1000 genuine rows must be kept, got {self.genuine_max}")
        if not 1 <= self.permutations <= 1_000:
            raise BadInputError(f"labels must be shuffled 1 to 1000 times, got {self.permutations}")
