"""What drives the model: exact contributions of a sample of a run's decisions, made by the room that owns the model."""

from pathlib import Path

from harness.processes import module_command
from harness.training import Workshop, run_step

IMPORTANCE_FILE = "importance.parquet"
SAMPLE = 3_000
"""At most so many flagged decisions, and so many others; a contribution costs the better part of a millisecond."""
IMPORTANCE_S = 600.0


def write_importance(bundle: Path, run: Path, seed: int, shop: Workshop) -> Path:
    """Write RUN/importance.parquet: event_id, weight, one float32 column a feature (log-odds), base.

    Raises RiskbenchError with the process's own words when it fails.
    """
    out = run / IMPORTANCE_FILE
    command = module_command(
        "models", "importance",
        "--bundle", str(bundle),
        "--decisions", str(run / "decisions.parquet"),
        "--out", str(out),
        "--sample", str(SAMPLE),
        "--seed", str(seed),
    )  # fmt: skip
    shop.family.stop(run_step(shop, "importance", command, IMPORTANCE_S))
    return out
