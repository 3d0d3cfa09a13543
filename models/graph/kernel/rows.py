"""One transfer after the other: into the graph, and out as two rows, its sender's and its receiver's."""

import numpy as np

from models.features.batch import Float32s, Int64s, UInt8s
from models.features.kernel.rows import table_for
from models.graph.kernel.account import see_counterparties, see_windows
from models.graph.kernel.arrival import arrive, room_for, see_transfer
from models.graph.kernel.columns import (
    write_counterparties,
    write_countries,
    write_flow,
    write_history,
    write_patterns,
    write_profile,
    write_transfer,
    write_windows,
)
from models.graph.kernel.cycles import find_cycles
from models.graph.kernel.layout import (
    CELL_FROM,
    CELL_TIME,
    CELL_TO,
    COMMUNITY_AT,
    COMMUNITY_COLUMNS,
    CYCLE_LENGTH_MAX,
    CYCLES,
    NEWEST,
    OTHER_AT,
    REPEATED,
    RETENTION_NS,
    SENT,
    STALE,
    STEPS,
    STEPS_MOST,
    TOLD_OF_OTHER,
    CommunityTables,
    Desk,
    GraphStore,
    MarketArrays,
)
from models.graph.kernel.patterns import find_layers, follow_back
from streams.kernels.compiled import compiled, inlined
from streams.labels import NS_PER_DAY


@compiled
def _write_account(
    cells: Int64s, row: int, side: int, kept: bool, store: GraphStore, desk: Desk, markets: MarketArrays, out: Float32s
) -> None:
    account, time, notes = cells[row, CELL_FROM + side], cells[row, CELL_TIME], desk.notes
    held = 0
    if kept:
        held = 3 if cells[row, CELL_TO - side] == account else 1 << side
    see_windows(store, account, time, store.clock[NEWEST] - RETENTION_NS, held, notes)
    see_counterparties(store, account, desk)
    write_transfer(cells, row, side, notes, markets, out)
    write_windows(notes, out)
    write_history(store, account, side, time, notes, out)
    write_profile(store.profiles, account, time, notes, out)
    write_counterparties(notes, side, out)
    write_flow(store, account, side, time, notes, out)
    write_countries(store.profiles, account, side, notes, out)


@inlined
def _write_patterns(cells: Int64s, row: int, store: GraphStore, desk: Desk, first: Float32s, second: Float32s) -> None:
    sender, receiver, time, notes = cells[row, CELL_FROM], cells[row, CELL_TO], cells[row, CELL_TIME], desk.notes
    horizon, sent = store.clock[NEWEST] - RETENTION_NS, notes[SENT]
    cycle_ns, alike, layers, hops = np.nan, np.nan, (0, 0, 0), 0
    for length in range(CYCLE_LENGTH_MAX + 1):
        notes[CYCLES + length] = 0
    if sender >= 0:
        hops = follow_back(store, sender, time, sent, horizon, notes)
    if sender >= 0 and receiver >= 0 and sender != receiver:
        cycle_ns, alike = find_cycles(store, sender, receiver, time, sent, horizon, desk)
        layers = find_layers(store, sender, receiver, time, horizon, desk)
    write_patterns(notes, cycle_ns, alike, layers, hops, first)
    write_patterns(notes, cycle_ns, alike, layers, hops, second)


@inlined
def _write_community(cells: Int64s, row: int, side: int, table: int, tables: CommunityTables, out: Float32s) -> None:
    account = cells[row, CELL_FROM + side]
    for column in range(COMMUNITY_COLUMNS):
        value = np.float32(np.nan)
        if table >= 0:
            value = tables.absent[column]
            if account < tables.rows.shape[1]:
                value = tables.rows[table, account, column]
        out[COMMUNITY_AT + column] = value


@inlined
def _write_other(other: Float32s, out: Float32s) -> None:
    for place, column in enumerate(TOLD_OF_OTHER):
        out[OTHER_AT + place] = other[column]


@compiled
def compute_rows(
    first: int,
    end: int,
    cells: Int64s,
    store: GraphStore,
    markets: MarketArrays,
    tables: CommunityTables,
    desk: Desk,
    wanted: UInt8s,
    values: Float32s,
    status: UInt8s,
) -> int:
    """Take rows [first, end) of a batch into the graph and write their features to `values` float32 [2n, F], row 2i for
    the sender of transfer i and row 2i + 1 for its receiver, and to `status` uint8 [n].

    Where `wanted` (uint8 [n]; empty: every row is) is 0, a transfer enters the graph and its features are left NaN:
    they change nothing but what the clock counts of them (CUT_SHORT, STALE, STEPS_MOST).

    Returns the row it stopped at: `end`, or the one for which the arena has no room (grow it and go on from there).
    """
    clock, notes = store.clock, desk.notes
    for row in range(first, end):
        if not room_for(cells, row, store):
            return row
        notes[STEPS] = 0
        sending, receiving = values[2 * row], values[2 * row + 1]
        see_transfer(cells, row, store.profiles, markets, notes)
        status[row], kept = arrive(cells, row, store, notes)
        if status[row] == REPEATED or (len(wanted) > 0 and wanted[row] == 0):
            sending[:] = np.nan
            receiving[:] = np.nan
            continue
        _write_patterns(cells, row, store, desk, sending, receiving)
        day = cells[row, CELL_TIME] // NS_PER_DAY - 1
        table = table_for(tables.days, day)
        if table < 0 or tables.days[table] != day:
            clock[STALE] += 1
        for side in range(2):
            out = values[2 * row + side]
            if cells[row, CELL_FROM + side] < 0:
                out[:] = np.nan
                continue
            _write_account(cells, row, side, kept, store, desk, markets, out)
            _write_community(cells, row, side, table, tables, out)
        if cells[row, CELL_FROM] >= 0:
            _write_other(receiving, sending)
        if cells[row, CELL_TO] >= 0:
            _write_other(sending, receiving)
        clock[STEPS_MOST] = max(clock[STEPS_MOST], notes[STEPS])
    return end
