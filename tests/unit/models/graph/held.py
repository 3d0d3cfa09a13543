"""A transfer as the oracle keeps it."""

from dataclasses import dataclass

from streams.transfer import Transfer

Row = dict[str, float]


@dataclass(frozen=True)
class Held:
    """A transfer as it is kept, with what was found of it when it came."""

    transfer: Transfer
    number: int
    sent: int
    got: int
    foreign: bool | None
    is_new: tuple[bool | None, bool | None]
    just_below: tuple[bool, bool]
    risky: tuple[bool, bool]
    met_days: tuple[int | None, int | None]

    @property
    def time(self) -> int:
        return self.transfer.event_time_ns

    @property
    def pair(self) -> tuple[str | None, str | None]:
        return self.transfer.from_account, self.transfer.to_account


def likeness(one: int, other: int) -> float:
    """The smaller amount over the larger."""
    return min(one, other) / max(one, other) if max(one, other) else 0.0
