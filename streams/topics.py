"""The topics of one run. A run's topics share a prefix of their own, so that runs never meet."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topics:
    """Topic names under one prefix (for example `fraud-20260102-030405-a1b2`)."""

    prefix: str

    @property
    def events(self) -> str:
        """Transactions, keyed by card; the asked number of partitions."""
        return f"{self.prefix}.events"

    @property
    def decisions(self) -> str:
        """The scorer's answers, keyed by event id; as many partitions as events."""
        return f"{self.prefix}.decisions"

    @property
    def explanations(self) -> str:
        """What moved the model's score, for decisions that are explained; as many partitions as decisions."""
        return f"{self.prefix}.explanations"

    @property
    def dead_letter(self) -> str:
        """What could not be decoded, with its reason; one partition."""
        return f"{self.prefix}.dead-letter"

    @property
    def dispositions(self) -> str:
        """Frauds that became known, after their delay in event time; one partition."""
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
        return (
            self.events,
            self.decisions,
            self.explanations,
            self.dead_letter,
            self.dispositions,
            self.day_ends,
            self.day_tables,
        )
