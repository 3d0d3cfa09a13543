"""Which countries abroad an account has paid or been paid from, and since when.

Families and traders go by the same corridor for years; a laundering one begins one day. Windows of a month cannot tell
the two apart, as what comes once a month is often not in them, so the countries outlast the transfers.
"""

from models.features.batch import Int32s
from models.graph.kernel.layout import COUNTRIES_MET, MET_COUNTRY_BITS, MET_COUNTRY_MASK
from streams.kernels.compiled import inlined


@inlined
def meet(met: Int32s, ring: int, country: int, day: int) -> int:
    """Days since the history's account first met the country (0: this very day), which is remembered from now on.

    Where COUNTRIES_MET are remembered already, the one met last gives way: those of long ago are the usual ones.
    """
    place, youngest = -1, 0
    for slot in range(COUNTRIES_MET):
        held = met[ring, slot]
        if held == 0:
            place = slot
            break
        if held & MET_COUNTRY_MASK == country + 1:
            first = held >> MET_COUNTRY_BITS
            if first <= day:
                return day - first  # type: ignore[no-any-return]
            place = slot
            break
        if held >> MET_COUNTRY_BITS > met[ring, youngest] >> MET_COUNTRY_BITS:
            youngest = slot
    if place < 0:
        place = youngest
    met[ring, place] = (day << MET_COUNTRY_BITS) + country + 1
    return 0
