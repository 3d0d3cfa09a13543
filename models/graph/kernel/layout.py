"""Where things stand in the graph kernel's arrays, the lengths of its windows, and how far it looks."""

from typing import Any, NamedTuple

from models.features.batch import Float32s, Int32s, Int64s, UInt8s
from streams.labels import NS_PER_DAY

DAY_WINDOW, WEEK_WINDOW, MONTH_WINDOW, WINDOWS = 0, 1, 2, 3
DAY_NS, WEEK_NS, MONTH_NS = NS_PER_DAY, 7 * NS_PER_DAY, 30 * NS_PER_DAY
LATENESS_NS = NS_PER_DAY
"""A transfer up to this far behind the newest one is exact."""
RETENTION_NS = MONTH_NS + LATENESS_NS
"""How far behind the newest transfer of all a transfer is kept."""

# How far the kernel looks for one transfer; always at the most recent ones first.
LOOKED_AT = 256
"""Transfers of an account, each direction, among which counterparties are told apart."""
MATCHES = 64
"""Transfers the other way among which a like amount is looked for."""
NEIGHBOURS = 32
"""Transfers looked at of an account met on the way."""
CO_SENDERS = 16
"""Other senders to the receiver that are looked into."""
CYCLE_LENGTH_MAX = 8
CYCLE_STEPS = 512
"""Steps that the search for cycles may take."""
CHAIN_HOPS_MAX = 10
SHIFTED_MAX = 1_024
"""Transfers that a late one may push back in its account's history; with more behind it, it comes too late."""
MOVED_AT_ONCE = 4
"""Transfers that go to a larger (or smaller) block with each new one of their account."""
DROPPED_AT_ONCE = 4
"""Transfers that are forgotten at most when their account is looked at."""
SWEPT = 4
"""Histories, silent for longest, that are forgotten at most with every transfer."""
STEPS_MAX = 8_192
"""No transfer takes more steps (transfers read, moved or forgotten), whatever the graph; a test holds it."""

CHAIN_LIKENESS_MIN = 0.8
SPREAD_TRANSFERS_MIN = 3
JUST_BELOW = 0.8
"""From this share of the reporting threshold on, up to it, an amount is just below."""
ROUND_MINOR_MIN = 10_000
AGE_DAYS_MAX = 365.0  # beyond it an account is not new; without it the age would be the calendar, and always drift
EXPECTED_USD_CENTS_MIN = 10_000
"""Declared volumes count as at least this much, so that ratios stay finite."""
RISKY_CORRIDOR = 2
"""From this risk on a corridor's money is summed up."""
COUNTRIES_MET = 8
"""Countries abroad that an account is remembered to have paid, and as many that paid it."""
MET_DAYS_MAX = 120  # known for longer is not new; without it the number would follow the calendar, as the age would
NEW_COUNTRY_DAYS = 30
"""For so many calendar days, the first one included, a country is new to an account."""

# A batch: one row a transfer, int64.
CELL_HASH, CELL_TIME, CELL_FROM, CELL_TO, CELL_AMOUNT, CELL_RECEIVED = 0, 1, 2, 3, 4, 5
CELL_CURRENCY, CELL_RECEIVED_CURRENCY, CELL_CHANNEL, CELL_FROM_COUNTRY, CELL_TO_COUNTRY = 6, 7, 8, 9, 10
CELLS = 11
MISSING, ITSELF = -1, -2
"""A cell that is null, a counterparty outside the accounts known; the counterparty of who pays himself."""

# A transfer in the arena, from one of its accounts: four int64. Amounts are US cents.
TIME, AMOUNT, HASH, PEER = 0, 1, 2, 3
ENTRY_FIELDS = 4
# Beside it, what its account's history came to before it: sums and counts, three of them of 21 bits in one number.
SUM_AMOUNT, SUM_CASH, SUM_FOREIGN, SUM_RISKY, SUM_VIRTUAL, SUM_COUNTS, SUM_LOG, SUM_LOG_SQUARES = 0, 1, 2, 3, 4, 5, 6, 7
SUM_NEW_COUNTRY, COUNT_NEW_COUNTRY = 8, 9
SUM_FIELDS = 10
GROUP_BITS = 3
"""Rows of arena and sums that one mark in `copied` stands for, 1 << 3: few, for all of them are copied because of one
that was written, and enough for the marks to be a thousandth of them."""
COUNT_BITS, COUNT_MASK = 21, (1 << 21) - 1
JUST_BELOW_ONE, ROUND_ONE, NEW_ONE = 1, 1 << COUNT_BITS, 1 << 2 * COUNT_BITS

# A history: the transfers out of an account (row 2 × account) or into it (the row after), a ring that grows and
# shrinks by powers of two. HEAD, TAIL, MOVED and OLD_END are running numbers; those in [MOVED, OLD_END) still stand in
# the block before this one. BEHIND is the time of the last one forgotten (HEAD > 0: there is one).
BLOCK, SIZE_CLASS, HEAD, TAIL, OLD_BLOCK, OLD_CLASS, MOVED, OLD_END, BEHIND = 0, 1, 2, 3, 4, 5, 6, 7, 8
LONGER_SILENT, LESS_SILENT, TOTAL = 9, 10, 11
"""Histories with transfers stand in one line, longest without a new one first: neighbours' rows + 1 (0: none)."""
RING_FIELDS = TOTAL + SUM_FIELDS
OUT, IN = 0, 1
SMALLEST_CLASS = 2
LARGEST_CLASS = 40

# A country that an account has met: its code + 1 in the low bits, above them the day of the first transfer; 0: none.
MET_COUNTRY_BITS, MET_COUNTRY_MASK = 10, (1 << 10) - 1

# What due diligence knows of an account.
KNOWN, MARKET, OPENED_NS, EXPECTED, EXPECTED_CASH, RISK_RATING, IS_PEP, IS_BUSINESS, EXPECTS_FOREIGN = range(9)
PROFILE_FIELDS = 9

# The clock: what the kernel keeps besides histories.
NEWEST, MOST_SILENT, LEAST_SILENT, CUT_SHORT, STALE, STEPS_MOST = 0, 1, 2, 3, 4, 5
CLOCK_FIELDS = 6
NO_TIME = -(2**62)

# The desk: notes on the transfer at hand. From ACCOUNT_NOTES on they are of one of its accounts.
STEPS, STAMP = 0, 1
SENT, GOT, RISK, RISKY_COUNTRY, FOREIGN, JUST, IS_NEW, OWN_COUNTRY = 2, 3, 4, 6, 8, 9, 11, 13
OTHER_COUNTRY, MET_DAYS = 15, 17
"""Of the sender's side; the receiver's stands beside it where the two differ (all but FOREIGN). MET_DAYS are since
the account first met the country abroad; MISSING at home."""
AFTER, START = 20, 22
"""For each direction: the number behind its last transfer up to this one; for each window: its first number."""
DISTINCT, GATHERED, BOTH = 28, 34, 35
"""Distinct counterparties by direction and window; receivers since the week's first money in; both ways in a month."""
OTHERS_UP_TO = 36
"""For each direction: the number behind its last transfer that is not this one."""
SUMMED = 38
"""For each direction and window, the ten sums."""
PARTS = SUMMED + 2 * WINDOWS * SUM_FIELDS
"""What this transfer adds to the sums of a history."""
CYCLES = PARTS + SUM_FIELDS
"""Cycles that this transfer closes, by length."""
DESK_FIELDS = CYCLES + CYCLE_LENGTH_MAX + 1

# Marks on accounts, and the paths of the search for cycles.
MARK_FIELDS = 5
PATH_NODE, PATH_LIMIT, PATH_PARENT, PATH_DEPTH, PATH_FIELDS = 0, 1, 2, 3, 4
PATHS_MAX = CYCLE_STEPS

ON_TIME, LATE, TOO_LATE, REPEATED = 0, 1, 2, 3
NO_DAY = -(2**62)

# Columns: where each part of a row begins.
TRANSFER_AT = 0
WINDOWS_AT = TRANSFER_AT + 16
HISTORY_AT = WINDOWS_AT + 12
PROFILE_AT = HISTORY_AT + 16
PEERS_AT = PROFILE_AT + 7
FLOW_AT = PEERS_AT + 13
PATTERNS_AT = FLOW_AT + 6
COMMUNITY_AT = PATTERNS_AT + 11
COMMUNITY_COLUMNS = 6
COUNTRIES_AT = COMMUNITY_AT + COMMUNITY_COLUMNS
OTHER_AT = COUNTRIES_AT + 4
TOLD_OF_OTHER = (21, 24, 25, 27, 28, 29, 30, 32, 33, 39, 42, 43, 44, 50, 53, 58, 59, 64)
"""The columns that a row repeats of the other side's account (the catalogue names them)."""
COLUMNS = OTHER_AT + len(TOLD_OF_OTHER)


class GraphStore(NamedTuple):
    """All histories: `rings` [2 × accounts, 22], `arena` [entries, 4] and `sums` [entries, 10], `pool` [41]: 0 is the
    first entry never given out, k the first free block of class k (or -1; a free block's first word names the next);
    `met` int32 [2 × accounts, 8], the countries abroad by history; `profiles` [accounts, 9], `clock` [6].

    `copied` uint8, a mark for each group of rows of arena and sums, is no part of the state: the kernel sets it to 0
    with every write to them, the one reader who keeps a copy sets it to 1 (`models.graph.followed`)."""

    rings: Int64s
    arena: Int64s
    sums: Int64s
    pool: Int64s
    met: Int32s
    profiles: Int64s
    clock: Int64s
    copied: UInt8s


class Desk(NamedTuple):
    """What the kernel works on and forgets: `notes`, `marks` [accounts, 5], `paths` [512, 4]."""

    notes: Int64s
    marks: Int64s
    paths: Int64s


class MarketArrays(NamedTuple):
    """Attributes of markets by code; the last row stands for every other country.

    `threshold` (US cents), `utc_offset_ns`, `weekend` (a bit each weekday, Monday's is 1), `is_high_risk` [countries];
    `corridor_risk` 1 to 3 [countries, countries], own country first; `minor_per_usd` float64 [currencies].
    """

    threshold: Int64s
    utc_offset_ns: Int64s
    weekend: Int64s
    is_high_risk: Int64s
    corridor_risk: Int64s
    minor_per_usd: Any


class CommunityTables(NamedTuple):
    """Tables held: `days` [tables] (NO_DAY: empty), `rows` float32 [tables, accounts, 6], `absent` float32 [6]: the row
    of an account that a table does not name."""

    days: Int64s
    rows: Float32s
    absent: Float32s
