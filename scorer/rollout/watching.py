"""Looks at the plan beside the hot path: reads it, loads its candidates, and lays it ready for the deciding thread."""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from scorer.rollout.contender import Contender
from scorer.rollout.stages import Stage, stages_of
from streams.errors import BadInputError, RiskbenchError
from streams.rollout import NO_PLAN, Candidate, RolloutPlan, candidates, check_added, read_plan, write_plan

log = logging.getLogger("riskbench.scorer")

LOOK_S = 0.02
"""How often the file is looked at: one `stat`, on a thread of its own."""
KEPT = "rollout.json"

Open = Callable[[Candidate], AbstractContextManager[Contender]]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A plan whose candidates are loaded. `contenders` lacks those that were refused."""

    plan: RolloutPlan = NO_PLAN
    stages: tuple[Stage, ...] = ()
    contenders: Mapping[Candidate, Contender] = field(default_factory=dict)


class PlanWatch:
    """The plan in a file, and its candidates. `prepared` is laid ready by one thread and taken by another.

    With `keep` (a folder) the steps are kept there before anything is decided by them, so that a worker started again
    goes on with them whatever became of the file.
    """

    def __init__(self, control: Path, open_candidate: Open, keep: Path | None = None) -> None:
        self._control, self._open, self._keep = control, open_candidate, keep
        self._stack = ExitStack()
        self._loaded: dict[Candidate, Contender] = {}
        self._stamp: tuple[int, int, int] | None = None
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rollout", daemon=True)
        self.refused: dict[Candidate, str] = {}
        """Candidates that cannot be used, and why. One that was refused is not tried again: give it another version."""
        self.error: str | None = None
        """What is wrong with the plan that is in the file now; the one before it counts."""
        self.prepared = Prepared()

    def begin(self) -> None:
        """Load what was told up to now; no event is decided before that. Raises BadInputError for a plan that cannot be
        used, or that is not the one kept."""
        kept = self._kept()
        self._stamp = self._look()  # first: a plan put there meanwhile is another one
        if kept.steps and not self._control.exists():
            log.warning("--rollout-control %s is not there: the plan kept with the checkpoints counts", self._control)
            found = kept
        else:
            found = read_plan(self._control)
        if len(found.steps) < len(kept.steps):
            check_added(found, kept)
            found = RolloutPlan(steps=kept.steps, hold_event_time_ns=found.hold_event_time_ns)
        check_added(kept, found)
        self._prepare(found)

    def start(self) -> None:
        """Go on looking, on a thread of its own."""
        self._thread.start()

    def close(self) -> None:
        """Stop looking, and let the candidates go."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join()
        self._stack.close()

    def look(self) -> None:
        """If the file is another one than before: prepare its plan, or say what is wrong with it."""
        stamp = self._look()
        if stamp is None or stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            plan = read_plan(self._control)
            check_added(self.prepared.plan, plan)
            self._prepare(plan)
            self.error = None
        except RiskbenchError as error:
            self.error = str(error)
            log.error("the rollout stays as it is: %s", error)

    def _run(self) -> None:
        while not self._ending.wait(LOOK_S):
            try:
                self.look()
            except Exception as error:  # whatever a plan does, the champion goes on
                self.error = f"{type(error).__name__}: {error}"
                log.exception("the rollout stays as it is")

    def _look(self) -> tuple[int, int, int] | None:
        try:
            found = self._control.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size

    def _prepare(self, plan: RolloutPlan) -> None:
        for candidate in candidates(plan.steps):
            if candidate not in self._loaded and candidate not in self.refused:
                self._load(candidate)
        if self._keep is not None and len(plan.steps) > len(self.prepared.plan.steps):
            self._keep_steps(self._keep / KEPT, plan)
        self.prepared = Prepared(plan, stages_of(plan.steps), dict(self._loaded))

    def _load(self, candidate: Candidate) -> None:
        try:
            self._loaded[candidate] = self._stack.enter_context(self._open(candidate))
            log.info("candidate %s is loaded from %s", candidate.model_version, candidate.bundle)
        except Exception as error:  # a damaged file may raise anything
            why = str(error) if isinstance(error, RiskbenchError) else f"{type(error).__name__}: {error}"
            self.refused[candidate] = why
            log.error("candidate %s is refused, the champion goes on: %s", candidate.model_version, why)

    def _kept(self) -> RolloutPlan:
        if self._keep is None or not (self._keep / KEPT).exists():
            return NO_PLAN
        return read_plan(self._keep / KEPT)

    def _keep_steps(self, path: Path, plan: RolloutPlan) -> None:
        kept = self._kept()  # another worker of the group may be ahead
        shorter, longer = sorted((kept, plan), key=lambda each: len(each.steps))
        check_added(shorter, longer)
        if longer is plan:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise BadInputError(f"--checkpoint-dir {path.parent} cannot be made: {error.strerror}") from error
            write_plan(path, RolloutPlan(steps=plan.steps))


@contextmanager
def watching(control: Path, open_candidate: Open, keep: Path | None = None) -> Iterator[PlanWatch]:
    """A plan looked at until the context is left; what it says now is loaded first."""
    watch = PlanWatch(control, open_candidate, keep)
    try:
        watch.begin()
        watch.start()
        yield watch
    finally:
        watch.close()
