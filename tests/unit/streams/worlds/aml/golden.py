"""Golden samples: one pattern of every typology, integration, and some transfers of every look-alike, readable.

Renew them on purpose, look at what changed, and say why in the commit:

    python -m tests.unit.streams.worlds.aml.golden
"""

import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from streams.labels import NS_PER_S
from streams.laundering import ROLES, UNTYPED
from streams.worlds import AmlWorld, AmlWorldConfig
from streams.worlds.aml.drafts import Drafts
from streams.worlds.aml.integration import integrate
from streams.worlds.aml.look_alikes import LOOK_ALIKES
from streams.worlds.aml.nations import CODE
from streams.worlds.aml.plot import Plot, Proceeds
from streams.worlds.aml.typologies import TYPOLOGIES

FOLDER = Path(__file__).parent / "golden_samples"
SEED, ROWS_MAX = 5, 12
CONFIG = AmlWorldConfig(customers=400, markets=("DE", "GB", "AE"))
SHOWN = ("channel", "from_account", "to_account", "from_country", "to_country", "received_currency")


@cache
def _world() -> AmlWorld:
    return AmlWorld(CONFIG, SEED)


def _readable(drafts: Drafts) -> list[dict[str, Any]]:
    drafts = drafts.take(np.argsort(drafts.time_ns, kind="stable")[:ROWS_MAX])
    rows = []
    for event in _world().writer.transfers(drafts, 0).to_pylist():
        when = datetime.fromtimestamp(event["event_time_ns"] // NS_PER_S, UTC)
        row = {"time": f"{when:%Y-%m-%d %H:%M}", "amount": event["amount_minor"] / 100, "currency": event["currency"]}
        rows.append({**row, **{name: event[name] for name in SHOWN}})
    return rows


def pattern_sample(name: str) -> list[dict[str, Any]]:
    """The first transfers of one pattern, then the roles of its members."""
    world = _world()
    plot = Plot(world.scene, world.start_ns, CODE["DE"], np.random.default_rng(SEED))
    TYPOLOGIES[name].play(plot)
    campaign = plot.close()
    roles, count = np.unique(campaign.roles, return_counts=True)
    told = {ROLES[role]: int(number) for role, number in zip(roles, count, strict=True)}
    return [*_readable(campaign.drafts), {"members": told}]


def integration_sample(name: str) -> list[dict[str, Any]]:
    """What somebody who kept 5,000 dollars spends."""
    world = _world()
    return _readable(integrate(world.scene, Proceeds(7, 5_000.0, world.start_ns), np.random.default_rng(SEED)))


def look_alike_sample(name: str) -> list[dict[str, Any]]:
    """The first of about forty transfers."""
    world = _world()
    return _readable(LOOK_ALIKES[name].occur(world.scene, world.start_ns, 40.0, np.random.default_rng(SEED)))


def samples() -> dict[str, Any]:
    """How to make each sample, by file name."""
    typologies = {f"typology_{name}": (pattern_sample, name) for name in TYPOLOGIES}
    look_alikes = {f"look_alike_{name}": (look_alike_sample, name) for name in LOOK_ALIKES}
    return typologies | {f"typology_{UNTYPED}": (integration_sample, UNTYPED)} | look_alikes


def main() -> None:
    """Write all samples anew."""
    FOLDER.mkdir(exist_ok=True)
    for file, (make, name) in samples().items():
        rows = ",\n".join(json.dumps(row) for row in make(name))
        (FOLDER / f"{file}.json").write_text(f"[\n{rows}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
