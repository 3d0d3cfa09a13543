"""The registry of genuine look-alikes: one file and one line each. New ones go at the end."""

from streams.worlds.fraud.look_alikes import (
    busy_merchant,
    family_device,
    first_time_payee,
    holiday_season,
    large_purchase,
    new_customer,
    new_phone,
    returned_goods,
    subscription_renewal,
    travel,
)
from streams.worlds.fraud.look_alikes.look_alike import LookAlike

_ALL: tuple[LookAlike, ...] = (
    travel.LOOK_ALIKE,
    large_purchase.LOOK_ALIKE,
    holiday_season.LOOK_ALIKE,
    new_phone.LOOK_ALIKE,
    subscription_renewal.LOOK_ALIKE,
    first_time_payee.LOOK_ALIKE,
    returned_goods.LOOK_ALIKE,
    new_customer.LOOK_ALIKE,
    family_device.LOOK_ALIKE,
    busy_merchant.LOOK_ALIKE,
)

LOOK_ALIKES: dict[str, LookAlike] = {look_alike.name: look_alike for look_alike in _ALL}
"""Every look-alike by its name; the order is the order of the labels' codes."""
