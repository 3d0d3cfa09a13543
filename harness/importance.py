"""What drives the model: exact contributions of a sample of a run's decisions, made by the room that owns the model."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from harness.processes import module_command
from harness.training import Workshop, run_step
from streams.errors import RiskbenchError

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


@contextmanager
def importance_beside(
    bundle: Path, run: Path, seed: int, shop: Workshop, warn: Callable[[str], None]
) -> Iterator[None]:
    """Find it beside what is done meanwhile, and be done by the end. A run is as good without it: why there is none is
    told to `warn`."""
    with ThreadPoolExecutor(1, thread_name_prefix="importance") as beside:
        found = beside.submit(write_importance, bundle, run, seed, shop)
        yield
        try:
            found.result()
        except RiskbenchError as error:
            warn(f"The report will not show what drives the model: {error}")
