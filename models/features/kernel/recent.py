"""The merchants, devices and countries that a card used last."""

from models.features.batch import Int32s, Int64s
from models.features.kernel.layout import (
    COUNTRIES,
    COUNTRIES_AT,
    COUNTRIES_KEPT,
    DEVICE_MEMORY_S,
    DEVICES,
    DEVICES_AT,
    DEVICES_KEPT,
    DEVICES_USED,
    MERCHANTS,
    MERCHANTS_AT,
    MERCHANTS_KEPT,
    NEW_COUNTRY,
    NEW_DEVICE,
    NEW_MERCHANT,
    PLACE_OF_COUNTRY,
    PLACE_OF_DEVICE,
    PLACE_OF_MERCHANT,
    SINCE_MERCHANT_S,
    UNKNOWN,
    Codes,
    UInt32s,
)
from streams.kernels.compiled import inlined


@inlined
def _place_of(recent: Int32s, base: int, held: int, code: int) -> int:
    """The place of a code among the `held` from `base` on; `held` when it is not there."""
    place = 0
    while place < held and recent[base + place] != code:
        place += 1
    return place


@inlined
def _is_new(place: int, held: int, code: int) -> int:
    if code < 0:
        return UNKNOWN
    return 1 if place == held else 0


@inlined
def see_recent(
    card: Int64s, recent: Int32s, met: UInt32s, codes: Codes, second: int, spends: bool, seen: Int64s
) -> None:
    """What the card remembers of an event's merchant, device and country; nothing changes."""
    merchant, device, country = codes
    seen[PLACE_OF_MERCHANT] = _place_of(recent, MERCHANTS_AT, card[MERCHANTS], merchant)
    seen[PLACE_OF_DEVICE] = _place_of(recent, DEVICES_AT, card[DEVICES], device)
    seen[PLACE_OF_COUNTRY] = _place_of(recent, COUNTRIES_AT, card[COUNTRIES], country)
    seen[NEW_MERCHANT] = _is_new(seen[PLACE_OF_MERCHANT], card[MERCHANTS], merchant)
    seen[NEW_DEVICE] = _is_new(seen[PLACE_OF_DEVICE], card[DEVICES], device)
    seen[NEW_COUNTRY] = _is_new(seen[PLACE_OF_COUNTRY], card[COUNTRIES], country)
    seen[SINCE_MERCHANT_S] = UNKNOWN
    if seen[NEW_MERCHANT] == 0:
        last = int(met[MERCHANTS_AT + seen[PLACE_OF_MERCHANT]])
        if last <= second:
            seen[SINCE_MERCHANT_S] = second - last
    seen[DEVICES_USED] = UNKNOWN
    if device >= 0:
        used = 1 if spends else 0
        for place in range(card[DEVICES]):
            if int(met[DEVICES_AT + place]) > second - DEVICE_MEMORY_S and not (
                spends and place == seen[PLACE_OF_DEVICE]
            ):
                used += 1
        seen[DEVICES_USED] = min(used, DEVICES_KEPT)


@inlined
def _meet(
    card: Int64s, count: int, recent: Int32s, met: UInt32s, base: int, size: int, place: int, code: int, second: int
) -> None:
    """Make a code the most recent one; `place` is where it stands, or how many there are when it is new."""
    if code < 0:
        return
    last = second
    if place < card[count]:
        last = max(second, int(met[base + place]))
    else:
        place = min(place, size - 1)
        card[count] = place + 1
    for moved in range(base + place, base, -1):
        recent[moved], met[moved] = recent[moved - 1], met[moved - 1]
    recent[base], met[base] = code, last


@inlined
def meet_all(card: Int64s, recent: Int32s, met: UInt32s, codes: Codes, second: int, seen: Int64s) -> None:
    """Make the event's merchant, device and country the card's most recent ones."""
    place = seen[PLACE_OF_MERCHANT]
    _meet(card, MERCHANTS, recent, met, MERCHANTS_AT, MERCHANTS_KEPT, place, codes[0], second)
    _meet(card, DEVICES, recent, met, DEVICES_AT, DEVICES_KEPT, seen[PLACE_OF_DEVICE], codes[1], second)
    _meet(card, COUNTRIES, recent, met, COUNTRIES_AT, COUNTRIES_KEPT, seen[PLACE_OF_COUNTRY], codes[2], second)
