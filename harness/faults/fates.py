"""What became of each message that a fault of the input put in, by the dead letters that the run kept."""

from collections import Counter
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from harness.dead_letters import DEAD_LETTERS_FILE, read_dead_letters, reason_kind
from harness.faults.input_fault import InputFault
from harness.fed_results import FedResults
from harness.scenario import Scenario

Int64s = npt.NDArray[np.int64]
REASONS_MAX = 50


def out_of_order(event_times_ns: Int64s) -> Int64s:
    """Ordinals of the events, in the order of sending, that were sent after one which happened later."""
    newest = np.maximum.accumulate(event_times_ns) if len(event_times_ns) else event_times_ns
    return np.flatnonzero(event_times_ns < newest).astype(np.int64)


def fates(scenario: Scenario, feed: Path, late: Int64s, run: Path) -> dict[int, FedResults]:
    """Of each fault of the input, by its place in the scenario's list; `feed` is the feed folder, `late` as
    `out_of_order`, `run` the run folder."""
    faults = {place: fault for place, fault in enumerate(scenario.faults) if isinstance(fault, InputFault)}
    if not faults or not (run / DEAD_LETTERS_FILE).is_file():
        return {}
    letters = read_dead_letters(run)
    put_in, schedule_ns = np.load(feed / "fed_place.npy"), np.load(feed / "schedule.npy")
    ours = scenario.scorer.kind == "ours" and scenario.scorer.command is None
    found = {}
    for place, fault in faults.items():
        reasons = letters.filter(pc.equal(letters["fault"], place))["reason"].to_pylist()
        kinds = Counter(map(reason_kind, reasons)).most_common(REASONS_MAX)
        found[place] = FedResults(
            fate=fault.fate,
            messages=_moved(fault, schedule_ns, late) if fault.fate == "decide" else int((put_in == place).sum()),
            refused=len(reasons),
            unexplained=sum(not _names(fault, reason, ours=ours) for reason in reasons),
            by_reason=dict(kinds),
        )
    return found


def _names(fault: InputFault, reason: str, *, ours: bool) -> bool:
    """Whether a reason names the fault; of somebody else's scorer only that it gives one is asked."""
    return any(word in reason for word in fault.told_by) if ours else bool(reason.strip())


def _moved(fault: InputFault, schedule_ns: Int64s, late: Int64s) -> int:
    """Events that the fault moved behind others: those due while it lasted."""
    from_ns = round((fault.at_s or 0.0) * 1e9)
    due = schedule_ns[late] - from_ns
    return int(np.count_nonzero((due >= 0) & (due < round(fault.duration_s * 1e9))))
