"""From what a card's history says in integers to the feature row in floats. The oracle, which goes by the catalogue's
names, holds the column numbers to it."""

import math

import numpy as np

from models.features.batch import MISSING_E6, Float32s, Int64s
from models.features.kernel.layout import (
    AGE_DAYS_MAX,
    DEVICES_USED,
    EARTH_RADIUS_KM,
    FIRST,
    HAS_LAST,
    IS_REFUND_AT,
    LAST_POSITION,
    LAST_TIME,
    MONTH,
    NEW_MERCHANT,
    OTHERS,
    OTHERS_LARGEST,
    OTHERS_LARGEST_7D,
    OTHERS_LATITUDES,
    OTHERS_LOCATED,
    OTHERS_LOG_SQUARES,
    OTHERS_LOG_SUM,
    OTHERS_LONGITUDES,
    OTHERS_NEW,
    OTHERS_REFUND_SUM,
    OTHERS_REFUNDED,
    OTHERS_SUM,
    SINCE_MERCHANT_S,
    SPREAD_EVENTS_MIN,
    SPREAD_MIN,
    WEEK,
    WINDOWS,
)
from models.features.kernel.windows import log_steps
from streams.kernels.compiled import inlined
from streams.labels import NS_PER_DAY, NS_PER_HOUR, NS_PER_S


@inlined
def _distance_km(latitude_1: float, longitude_1: float, latitude_2: float, longitude_2: float) -> float:
    """Great-circle distance of two points in degrees (haversine formula)."""
    phi_1, phi_2 = math.radians(latitude_1), math.radians(latitude_2)
    half_phi = math.sin((phi_2 - phi_1) / 2)
    half_lambda = math.sin(math.radians(longitude_2 - longitude_1) / 2)
    chord = half_phi * half_phi + math.cos(phi_1) * math.cos(phi_2) * half_lambda * half_lambda
    return 2 * EARTH_RADIUS_KM * math.asin(min(1.0, math.sqrt(chord)))


@inlined
def write_event(time: int, amount: int, category: float, channel: float, out: Float32s) -> None:
    """What the event says by itself."""
    time_of_day = time % NS_PER_DAY
    out[0] = amount / 100
    out[1] = category
    out[2] = channel
    out[3] = time_of_day / NS_PER_HOUR
    out[4] = 1 if time_of_day >= 22 * NS_PER_HOUR or time_of_day < 6 * NS_PER_HOUR else 0
    out[5] = 1 if (time // NS_PER_DAY + 3) % 7 >= 5 else 0  # day 0 was a Thursday


@inlined
def write_places(time: int, latitude_e6: int, longitude_e6: int, seen: Int64s, out: Float32s) -> None:
    """Time and way from the card's last purchase, and from where it is used."""
    out[6], out[7], out[8], out[26] = np.nan, np.nan, np.nan, np.nan
    latitude, longitude = latitude_e6 / 1e6, longitude_e6 / 1e6
    located = latitude_e6 != MISSING_E6
    if seen[HAS_LAST]:
        elapsed_s = (time - seen[LAST_TIME]) / NS_PER_S
        out[6] = elapsed_s
        position = seen[LAST_POSITION]
        if located and position >> 32 != MISSING_E6:
            last_longitude = (((position & 0xFFFFFFFF) ^ 0x80000000) - 0x80000000) / 1e6
            distance_km = _distance_km((position >> 32) / 1e6, last_longitude, latitude, longitude)
            out[7] = distance_km
            out[8] = distance_km / max(elapsed_s, 1.0) * 3_600  # at least a second, so that ties stay finite
    if located and seen[OTHERS_LOCATED] > 0:
        centre_latitude = seen[OTHERS_LATITUDES] / seen[OTHERS_LOCATED] / 1e6
        centre_longitude = seen[OTHERS_LONGITUDES] / seen[OTHERS_LOCATED] / 1e6
        out[26] = _distance_km(centre_latitude, centre_longitude, latitude, longitude)


@inlined
def _times_mean(amount: float, others: int, others_sum: int) -> float:
    return amount / (others_sum / others) if others_sum > 0 else np.nan


@inlined
def _known(value: int) -> float:
    return value if value >= 0 else np.nan


@inlined
def write_windows(time: int, amount: int, spends: int, seen: Int64s, out: Float32s) -> None:
    """The card's spending, this event in it when it is a purchase, and what is new to the card."""
    own = amount if spends else 0
    for window in range(WINDOWS):
        count, total = seen[OTHERS + window] + spends, seen[OTHERS_SUM + window] + own
        out[9 + window] = count
        out[13 + window] = total / 100
        out[17 + window] = total / 100 / count if count > 0 else np.nan
    out[21] = _times_mean(amount, seen[OTHERS + MONTH], seen[OTHERS_SUM + MONTH])
    for flag in range(3):
        out[22 + flag] = _known(seen[NEW_MERCHANT + flag])
    out[25] = min((time - seen[FIRST]) / NS_PER_DAY, AGE_DAYS_MAX)


@inlined
def write_habits(amount: int, spends: int, seen: Int64s, out: Float32s) -> None:
    """Refunds, merchants and devices of late, and the amount beside what the card usually spends."""
    refunds, refunded = seen[OTHERS_REFUNDED], seen[OTHERS_REFUND_SUM]
    spent, new = seen[OTHERS_SUM + MONTH], seen[OTHERS_NEW]
    if spends:
        spent += amount
        if seen[NEW_MERCHANT] > 0:
            new += 1
    else:
        refunds += 1
        refunded += amount
    at = IS_REFUND_AT
    out[at] = 1 - spends
    out[at + 1] = refunds
    out[at + 2] = refunded / 100
    out[at + 3] = refunded / spent if spent > 0 else np.nan
    out[at + 4] = new
    out[at + 5] = _known(seen[SINCE_MERCHANT_S])
    out[at + 6] = _known(seen[DEVICES_USED])
    out[at + 7] = np.nan
    others = seen[OTHERS + MONTH]
    if others >= SPREAD_EVENTS_MIN:
        mean = seen[OTHERS_LOG_SUM] / others
        variance = seen[OTHERS_LOG_SQUARES] / others - mean * mean
        out[at + 7] = (log_steps(amount) - mean) / max(math.sqrt(max(variance, 0.0)), SPREAD_MIN)
    out[at + 8] = amount / seen[OTHERS_LARGEST] if others > 0 and seen[OTHERS_LARGEST] > 0 else np.nan
    out[at + 9] = _times_mean(amount, seen[OTHERS + WEEK], seen[OTHERS_SUM + WEEK])
    older, older_sum = seen[OTHERS + MONTH] - seen[OTHERS + WEEK], seen[OTHERS_SUM + MONTH] - seen[OTHERS_SUM + WEEK]
    out[at + 10] = _times_mean(amount, older, older_sum)
    out[at + 11] = _times_mean(seen[OTHERS_LARGEST_7D], older, older_sum)
    count, total = seen[OTHERS + WEEK] + spends, seen[OTHERS_SUM + WEEK] + amount * spends
    out[at + 12] = _times_mean(total / count, older, older_sum) if count > 0 else np.nan


@inlined
def write_place(out: Float32s, at: int, tables: Float32s, absent: Float32s, table: int, code: int) -> None:
    """A place's row of table `table` (-1: none is held) to `out` from column `at` on; NaN for a null id."""
    width = len(absent)
    if table < 0 or code < 0:
        for column in range(width):
            out[at + column] = np.nan
    elif code >= tables.shape[1]:
        for column in range(width):
            out[at + column] = absent[column]
    else:
        for column in range(width):
            out[at + column] = tables[table, code, column]
