"""What a run is made of where its scenario does not say: an earlier run, which it repeats."""

from pathlib import Path
from typing import Protocol

from harness.prepared import Prepared
from harness.results import Results
from harness.runfolder import RunFolder
from streams.rollout import RolloutPlan


class Origin(Protocol):
    """Where a run's data and warm state come from, and what is to be said of it beside its results."""

    @property
    def state(self) -> Path | None:
        """The warm state to start from; None: it is to be made of the history."""

    @property
    def rollout(self) -> RolloutPlan | None:
        """By which the model was changed while events went on, and is changed again; None: it was not."""

    def prepared(self, folder: Path) -> Prepared:
        """Put the data together in `folder`, the stream's rows in the order of sending. Raises BadInputError when they
        cannot be had."""

    def conclude(self, folder: RunFolder, results: Results) -> None:
        """Add to a run folder whose results are written, before it is complete."""
