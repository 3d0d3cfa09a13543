"""What the dispositions topic held of investigators' findings when the stream had ended."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from streams.codec import encode
from streams.laundering import Finding

SENT_FILE = "sent-findings.jsonl"


@dataclass(frozen=True, slots=True)
class SentFindings:
    """Messages by their bytes, with how often each was sent."""

    messages: Counter[bytes]

    @classmethod
    def read(cls, path: Path) -> "SentFindings | None":
        """From a file with a message a line; None without one: there was no topic."""
        return cls(Counter(path.read_bytes().splitlines())) if path.is_file() else None

    def has(self, finding: Finding) -> bool:
        """Whether exactly this was sent."""
        return self.messages[encode(finding)] > 0

    def beside(self, findings: Iterable[Finding]) -> int:
        """How many messages are none of these findings, or were sent again."""
        wanted = {encode(finding) for finding in findings}
        return sum(count - (message in wanted) for message, count in self.messages.items())
