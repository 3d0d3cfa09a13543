"""A scorer that is not ours, as a scenario names it: started by its command, or by somebody else."""

from collections.abc import Callable
from pathlib import Path

from harness.external import ExternalScorer
from harness.scenario import Scorer
from harness.scorers import OwnScorer, ScorerSetup

SETTLE_S = 10.0
"""For a command that cannot say when it is ready, where the scenario does not say."""


def other_scorer(scorer: Scorer, say: Callable[[str], None], accounts: Path | None = None) -> ScorerSetup | None:
    """How the scorer of a scenario is reached; None for ours. `say` tells whoever starts an external one what to do;
    `accounts` is the file of the accounts that transfers are between."""
    nowhere = Path()
    if scorer.kind == "external":
        external = ExternalScorer(scorer.settle_s, scorer.join_within_s, say, accounts)
        return ScorerSetup("external", 0, nowhere, None, None, "none", scorer.breaker, nightly=False, external=external)
    if scorer.command is None:
        return None
    own = OwnScorer(scorer.command, SETTLE_S if scorer.settle_s is None else scorer.settle_s, accounts)
    return ScorerSetup("own", 1, nowhere, None, None, scorer.explain, scorer.breaker, nightly=False, own=own)
