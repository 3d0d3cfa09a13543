"""Golden samples: one campaign of every scenario and some events of every look-alike, in readable form.

Renew them on purpose, look at what changed, and say why in the commit:

    python -m tests.unit.streams.worlds.golden
"""

import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from streams.labels import NS_PER_S
from streams.worlds import FraudWorld, FraudWorldConfig
from streams.worlds.fraud.drafts import GROUNDWORK
from streams.worlds.fraud.look_alikes import LOOK_ALIKES
from streams.worlds.fraud.scenarios import SCENARIOS
from streams.worlds.fraud.tables import table_writer

FOLDER = Path(__file__).parent / "golden_samples"
SEED, ROWS_MAX = 5, 12
CONFIG = FraudWorldConfig(cards=300)
SHOWN = ("card_id", "merchant_id", "device_id", "category", "channel", "country")


def _readable(events: pa.Table) -> list[dict[str, Any]]:
    rows = []
    for event in events.to_pylist():
        when = datetime.fromtimestamp(event["event_time_ns"] // NS_PER_S, UTC)
        row = {
            "time": f"{when:%Y-%m-%d %H:%M:%S}",
            "amount": event["amount_minor"] / 100,
            "currency": event["currency"],
        }
        rows.append({**row, **{name: event[name] for name in SHOWN}, "is_refund": event["is_refund"]})
    return rows


@cache
def _world() -> FraudWorld:
    return FraudWorld(CONFIG, SEED)


def campaign_sample(name: str) -> list[dict[str, Any]]:
    """The first rows of one campaign in event time, each with what the labels will say of it."""
    world = _world()
    scene = world.scene()
    drafts = SCENARIOS[name].launch(scene, world.start_ns, np.random.default_rng(SEED))
    drafts = drafts.take(np.argsort(drafts.time_ns, kind="stable")[:ROWS_MAX])
    writer = table_writer(scene, np.random.default_rng(SEED))
    fraud = (drafts.scenario != GROUNDWORK).tolist()
    return [{**row, "is_fraud": said} for row, said in zip(_readable(writer.events(drafts, 0)), fraud, strict=True)]


def look_alike_sample(name: str) -> list[dict[str, Any]]:
    """The first events that are marked in a world with this look-alike only."""
    config = FraudWorldConfig(cards=300, look_alike_shares={name: LOOK_ALIKES[name].share})
    events, labels = next(FraudWorld(config, SEED).blocks())
    marked = np.array([found == name for found in labels["look_alike"].to_pylist()])
    return _readable(events.take(pa.array(np.flatnonzero(marked)[:ROWS_MAX])))


def samples() -> dict[str, Any]:
    """How to make each sample, by file name."""
    scenarios = {f"scenario_{name}": (campaign_sample, name) for name in SCENARIOS}
    return scenarios | {f"look_alike_{name}": (look_alike_sample, name) for name in LOOK_ALIKES}


def main() -> None:
    """Write all samples anew."""
    FOLDER.mkdir(exist_ok=True)
    for file, (make, name) in samples().items():
        rows = ",\n".join(json.dumps(row) for row in make(name))
        (FOLDER / f"{file}.json").write_text(f"[\n{rows}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
