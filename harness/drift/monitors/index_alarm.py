"""The alarm of an index of shares above its threshold."""

from harness.drift.alarm import Alarm
from harness.drift.batch import BlockEnd
from harness.drift.counts import Excess
from harness.drift.monitor import Watched
from harness.drift.settings import BLOCKS_PER_DAY


def index_alarm(monitor: str, name: str, watched: Watched, excess: Excess, end: BlockEnd, quantity: str = "") -> Alarm:
    """With what was compared, in words; `quantity` is what of it, where it is not its shares."""
    days = excess.blocks / BLOCKS_PER_DAY
    moved = f"differs from the first weeks by {excess.value:.3f}, threshold {excess.threshold:.3f}"
    return Alarm(
        monitor=monitor,
        name=name,
        group=watched.group(excess.group),
        ordinal=end.ordinal,
        event_time_ns=end.event_time_ns,
        value=excess.value,
        threshold=excess.threshold,
        why=f"{name}{quantity} of {days:g} d {moved}",
        window_days=days,
    )
