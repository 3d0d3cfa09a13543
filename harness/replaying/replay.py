"""An earlier run once more: where its data come from, and what is said of its decisions at the end."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.parquet as pq

from harness.audit_trail.records import file_hash
from harness.comparison import Run
from harness.drift.retraining.keeping import kept_rollout
from harness.prepared import Prepared
from harness.replaying.differences import DIFFERENCES_FILE
from harness.replaying.earlier import Earlier, decided_by, digests, put_together, same_case
from harness.replaying.record import REPLAY_FILE, Played, Replayed, encode_replayed, hold_against
from harness.results import Results, encode_results
from harness.runfolder import RunFolder
from harness.scenario import Scenario
from harness.training import given_bundle, given_rules
from streams.errors import RunInvalidError
from streams.rollout import RolloutPlan

LISTED = 20
SPEED_KEY = "speed"


@dataclass(slots=True)
class Replay:
    """The origin of a run that repeats an `earlier` one as `scenario` says.

    With another bundle or other rules the warm state is made again, of the same history: its reference of stability is
    what these decide.
    """

    earlier: Earlier
    scenario: Scenario
    cache: Path
    speed: float = 1.0
    listed: int = LISTED
    _found: Replayed | None = field(default=None, init=False)

    @property
    def state(self) -> Path | None:
        """The earlier run's warm state, where the same bundle and rules decide."""
        bundle, rules = given_bundle(self.scenario) or self.earlier.bundle, given_rules(self.scenario)
        return self.earlier.state if same_case(self.earlier, bundle, rules) else None

    @property
    def rollout(self) -> RolloutPlan | None:
        """The change of the model in the earlier run, where the same bundle and rules decide."""
        return kept_rollout(self.earlier.folder) if self.state is not None else None

    def prepared(self, folder: Path) -> Prepared:
        """The earlier run's data."""
        return put_together(self.earlier, folder, self.cache)

    @property
    def concluded(self) -> Replayed:
        """What was found; RunInvalidError before the run has come to its end."""
        if self._found is None:
            raise RunInvalidError(f"{self.earlier.folder}: its replay has not come to its end")
        return self._found

    def conclude(self, folder: RunFolder, results: Results) -> None:
        """Write replay.json and differences.parquet."""
        environment = json.loads((folder.path / "environment.json").read_bytes())
        again = Run(folder.path, json.loads(encode_results(results)), environment)
        earlier = self.earlier
        before = Played(earlier.run, *digests(earlier.bundle, earlier.rules), speed_of(earlier.folder))
        after = Played(again, *digests(*decided_by(folder.path)), before.speed * self.speed)
        events = file_hash(folder.path / "events.parquet")
        self._found, differences = hold_against(before, after, events, self.listed)
        pq.write_table(differences.rows, folder.path / DIFFERENCES_FILE, compression="zstd")
        folder.write(REPLAY_FILE, encode_replayed(self._found))


def speed_of(run: Path) -> float:
    """How many times as fast as its first run a run folder's events went; 1 for one that is no replay."""
    try:
        found = json.loads((run / REPLAY_FILE).read_bytes())["after"][SPEED_KEY]
    except (OSError, ValueError, KeyError, TypeError):
        return 1.0
    return float(found)
