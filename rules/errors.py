"""What a faulty rule file is refused with."""

from collections.abc import Sequence

from streams.errors import BadInputError

FAULTS_SHOWN_MAX = 20


class RuleError(BadInputError):
    """A rule file that cannot be used. Every line of the message names file, line and rule, and what is wrong there."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        shown = list(self.faults[:FAULTS_SHOWN_MAX])
        if len(self.faults) > len(shown):
            shown.append(f"… and {len(self.faults) - len(shown)} more")
        super().__init__("\n".join(shown))
