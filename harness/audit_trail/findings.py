"""What is wrong with a trail, one finding a place."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Finding:
    """`kind`: altered, removed, inserted, swapped, moved, truncated, head, decisions, explanations, events,
    late-scores, answers or files. `line` counts from 1, `seq` from 0; None where there is no such place."""

    kind: str
    text: str
    line: int | None = None
    seq: int | None = None
    event_id: str | None = None


@dataclass(slots=True)
class Findings:
    """The first `limit` findings, and how many there were."""

    limit: int
    found: list[Finding] = field(default_factory=list)
    total: int = 0

    def add(self, finding: Finding) -> None:
        """Keep a finding, or only count it."""
        self.total += 1
        if len(self.found) < self.limit:
            self.found.append(finding)
