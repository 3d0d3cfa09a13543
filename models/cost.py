"""What decisions cost, in money, and the thresholds of the lowest cost."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streams.errors import BadInputError

NEVER = 1.0
"""A threshold that no score reaches."""


@dataclass(frozen=True, slots=True)
class CostMatrix:
    """What each way to be wrong costs, in money (major units of the events' currency).

    A missed fraud costs `missed_fraud_share` of its amount plus `missed_fraud`; every review costs `false_alert`,
    whatever is found; a blocked genuine event costs `false_block` (None: nothing may be blocked). A reviewed or blocked
    fraud is stopped.
    """

    false_alert: float
    false_block: float | None
    missed_fraud_share: float = 1.0
    missed_fraud: float = 0.0

    def __post_init__(self) -> None:
        for name in ("false_alert", "false_block", "missed_fraud_share", "missed_fraud"):
            value = getattr(self, name)
            if value is not None and not (np.isfinite(value) and value >= 0):
                raise BadInputError(f"cost {name} is {value:g}; it must be a number, 0 or more")
        if self.missed_fraud_share == 0 and self.missed_fraud == 0:
            raise BadInputError("a missed fraud must cost something: give a share of its amount, or money")

    def missed(self, amounts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Cost of missing each event if it is fraud, money [n], by its amount (money [n])."""
        return self.missed_fraud_share * amounts + self.missed_fraud


def cost_matrix(
    missed_fraud: str | None,
    false_alert: float | None,
    false_block: float | None,
    names: tuple[str, str, str] = ("--cost-missed-fraud", "--cost-false-alert", "--cost-false-block"),
) -> CostMatrix | None:
    """A matrix from what a person wrote, None when nothing was; `names` are the three options', for messages.

    `missed_fraud` is a share of the amount ("100%", the default) or money ("250"). A review must have a cost: without
    one everything would be reviewed. Without `false_block` nothing is ever blocked. Raises `BadInputError`.
    """
    if missed_fraud is None and false_alert is None and false_block is None:
        return None
    if false_alert is None:
        raise BadInputError(f"{names[0]} and {names[2]} need {names[1]}: what one review costs, in money")
    text = (missed_fraud or "100%").strip()
    try:
        value = float(text.removesuffix("%"))
    except ValueError as error:
        raise BadInputError(f"{names[0]}: {text!r} is neither a share (100%) nor money (250)") from error
    share, money = (value / 100.0, 0.0) if text.endswith("%") else (0.0, value)
    return CostMatrix(false_alert, false_block, share, money)


@dataclass(frozen=True, slots=True)
class Cheapest:
    """The thresholds of the lowest total cost on some events, that cost, and the cost of approving everything."""

    review: float
    block: float
    cost: float
    cost_of_approving_all: float

    def figures(self, days: float) -> dict[str, float]:
        """Costs a day, money."""
        return {
            "cost_per_day": self.cost / days,
            "cost_per_day_of_approving_all": self.cost_of_approving_all / days,
        }


def cheapest(
    labels: NDArray[np.bool_], scores: NDArray[np.float64], amounts: NDArray[np.float64], matrix: CostMatrix
) -> Cheapest:
    """The pair review ≤ block with the lowest total cost on the events given (all arrays of shape [n], n ≥ 1).

    Costs that depend on the example: Elkan, The foundations of cost-sensitive learning, IJCAI 2001, section 2. Every
    distinct score is tried for both thresholds, and so is "never": with costs summed from the highest score down, the
    cost of a pair is a part that depends on the review threshold alone plus one that depends on the block threshold
    alone, so a running minimum finds the best of all pairs. Among equal costs the higher thresholds are taken.
    """
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    last = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
    fraud = labels[order]
    missed = np.where(fraud, matrix.missed(amounts[order]), 0.0)
    # entry 0 is "never", entry i alerts (or blocks) the i highest distinct scores
    caught, alerts, genuine = (
        np.append(0.0, np.cumsum(column)[last]) for column in (missed, np.ones(len(fraud)), (~fraud).astype(np.float64))
    )
    of_review = matrix.false_alert * alerts - caught
    of_block = np.where(alerts > 0, np.inf, 0.0)
    if matrix.false_block is not None:
        of_block = matrix.false_block * genuine - matrix.false_alert * alerts
    so_far = np.minimum.accumulate(of_block)
    review = int(np.argmin(of_review + so_far))
    block = int(np.argmin(of_block[: review + 1]))
    thresholds = np.append(NEVER, ordered[last])
    total = float(caught[-1])
    cost = total + float(of_review[review] + of_block[block])
    return Cheapest(float(thresholds[review]), float(thresholds[block]), cost, total)
