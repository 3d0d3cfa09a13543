"""Deciding transfers without a broker: from memory, alerts to a file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from scorer.aml.pipeline import TransferPipeline
from scorer.clock import ClockNs
from scorer.explaining import Explaining
from streams.alert import RawAlert
from streams.codec import encode
from streams.decision import Decision
from streams.errors import BadInputError
from streams.transfer import Transfer


class AlertsFile:
    """Raw alerts as JSON lines; without a path they are only counted. A context."""

    def __init__(self, path: Path | None) -> None:
        try:
            self._file = None if path is None else path.open("wb")
        except OSError as error:
            raise BadInputError(f"--alerts-out {path} cannot be written: {error.strerror}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def write(self, alerts: Sequence[RawAlert]) -> None:
        """Write them."""
        if self._file is not None:
            self._file.writelines(encode(alert) + b"\n" for alert in alerts)


@dataclass(frozen=True, slots=True)
class InlineTransfers:
    """The pipeline in the one thread that decides."""

    pipeline: TransferPipeline
    alerts: AlertsFile
    clock_ns: ClockNs
    explaining: Explaining | None = None

    def decide(self, events: Sequence[Transfer]) -> Iterator[Decision]:
        """Take a micro-batch now; its decisions, each emitted as the caller asks for it. All must be used up."""
        if self.explaining is not None:
            self.explaining.wait_for_room()
        answers = self.pipeline.answer(events, self.clock_ns())
        self.alerts.write(answers.alerts)
        return answers.decisions
