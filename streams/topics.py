"""The topics of one run. A run's topics share a prefix of their own, so that runs never meet."""

from dataclasses import dataclass
from typing import Literal

Domain = Literal["fraud", "aml"]
DOMAINS: tuple[Domain, ...] = ("fraud", "aml")


@dataclass(frozen=True, slots=True)
class Topics:
    """Topic names under one prefix (for example `fraud-20260102-030405-a1b2`)."""

    prefix: str
    domain: Domain = "fraud"

    @property
    def events(self) -> str:
        """What is to be decided; the asked number of partitions. Card fraud: `.events`, transactions keyed by card.
        Money laundering: `.transfers`, keyed by the account that pays."""
        return f"{self.prefix}.{'transfers' if self.domain == 'aml' else 'events'}"

    @property
    def decisions(self) -> str:
        """The scorer's answers, keyed by event id; as many partitions as events."""
        return f"{self.prefix}.decisions"

    @property
    def explanations(self) -> str:
        """What moved the model's score, for decisions that are explained; as many partitions as decisions."""
        return f"{self.prefix}.explanations"

    @property
    def alerts(self) -> str:
        """Money laundering: the raw alerts of stage one, keyed by customer; one partition."""
        return f"{self.prefix}.alerts"

    @property
    def dead_letter(self) -> str:
        """What could not be decoded, with its reason; one partition."""
        return f"{self.prefix}.dead-letter"

    @property
    def dispositions(self) -> str:
        """Frauds that became known, or investigators' findings, after their delay in event time; one partition."""
        return f"{self.prefix}.dispositions"

    @property
    def day_ends(self) -> str:
        """Business days closed, with control totals; one partition."""
        return f"{self.prefix}.day-ends"

    @property
    def day_tables(self) -> str:
        """The nightly job's tables of terminal and merchant risk, read by every worker; one partition, compacted."""
        return f"{self.prefix}.day-tables"

    def all(self) -> tuple[str, ...]:
        """Every topic of the run."""
        answers = (self.events, self.decisions, self.explanations, self.dead_letter, self.dispositions)
        if self.domain == "aml":
            return (*answers, self.alerts)
        return (*answers, self.day_ends, self.day_tables)
