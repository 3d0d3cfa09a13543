"""The registry of genuine look-alikes: one file and one line each. New ones go at the end."""

from streams.worlds.aml.look_alikes import (
    cash_deposits,
    cash_withdrawals,
    club_treasurer,
    crypto_trader,
    event_cash,
    fan_in,
    fan_out,
    forward,
    group,
    homecoming,
    import_season,
    mutual,
    new_venture,
    periodical,
    remittance_home,
    savings_circle,
    shareholder_loan,
    single_large,
    subcontracting,
    treasury_sweep,
)
from streams.worlds.aml.look_alikes.look_alike import LookAlike

_ALL: tuple[LookAlike, ...] = (
    cash_deposits.LOOK_ALIKE,
    cash_withdrawals.LOOK_ALIKE,
    fan_in.LOOK_ALIKE,
    fan_out.LOOK_ALIKE,
    group.LOOK_ALIKE,
    mutual.LOOK_ALIKE,
    periodical.LOOK_ALIKE,
    forward.LOOK_ALIKE,
    single_large.LOOK_ALIKE,
    club_treasurer.LOOK_ALIKE,
    treasury_sweep.LOOK_ALIKE,
    savings_circle.LOOK_ALIKE,
    remittance_home.LOOK_ALIKE,
    crypto_trader.LOOK_ALIKE,
    import_season.LOOK_ALIKE,
    homecoming.LOOK_ALIKE,
    subcontracting.LOOK_ALIKE,
    new_venture.LOOK_ALIKE,
    event_cash.LOOK_ALIKE,
    shareholder_loan.LOOK_ALIKE,
)

LOOK_ALIKES: dict[str, LookAlike] = {look_alike.name: look_alike for look_alike in _ALL}
"""Every look-alike by its name; the order is the order of the truth's codes."""
