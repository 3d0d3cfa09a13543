"""The engine that MLPerf LoadGen drives: its Server scenario asks on a schedule of its own and keeps its own time, in
the process that decides. So two instruments time the same answers; `bench selftest` holds one against the other.

A query of LoadGen names a sample of a library, at random and again and again. A stream has an order and no event comes
twice, so the k-th sample asked for is the k-th event, whatever sample it names.
"""

from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

from scorer.engines import Ready, StopSignal
from scorer.engines.inline import InlineDecider, open_decisions
from scorer.engines.inprocess import Input
from scorer.options import LoadgenLoad, required
from streams.codec import encode_decision, table_to_transactions
from streams.decision import Decision
from streams.errors import BadInputError
from streams.transaction import CardTransaction

MODULE = "mlperf_loadgen"
LATENCY_BOUND_NS = 1_000_000_000
"""LoadGen's own verdict judges by it; nobody here reads that verdict."""
Decide = Callable[[Sequence[CardTransaction]], Iterator[Decision]]
Complete = Callable[[int], None]


class Queries:
    """Answers LoadGen's queries with the decisions of a stream, in its order, and writes the decisions to `out`.

    LoadGen waits for every sample: one without a decision (a repeated event; anything after a failure, or once asked
    to end) is completed all the same, and whoever reads `out` finds no line for it.
    """

    def __init__(
        self,
        events: Sequence[CardTransaction],
        decide: Decide,
        complete: Complete,
        out: BinaryIO,
        stop: StopSignal,
        batch_max: int,
    ) -> None:
        self._events, self._decide, self._complete = events, decide, complete
        self._out, self._stop, self._batch_max = out, stop, batch_max
        self._asked = 0
        self.failure: Exception | None = None

    def answer(self, queries: Sequence[int]) -> None:
        """Decide the samples that fell due together (LoadGen's handles), in micro-batches. Never raises: LoadGen's own
        frames lie between here and who could catch it, so the first error is kept as `failure`."""
        events = self._events[self._asked : self._asked + len(queries)]
        self._asked += len(queries)
        waiting = dict.fromkeys(queries)
        try:
            for first in range(0, len(events), self._batch_max):
                if self.failure is None and not self._stop.is_set():
                    part = slice(first, first + self._batch_max)
                    self._answer(events[part], queries[part], waiting)
        except Exception as error:
            self.failure = error
        for query in waiting:
            self._complete(query)

    def _answer(self, events: Sequence[CardTransaction], queries: Sequence[int], waiting: dict[int, None]) -> None:
        asked_for = {event.event_id: query for event, query in zip(events, queries, strict=True)}
        for decision in self._decide(events):
            query = asked_for[decision.event_id]
            del waiting[query]
            self._complete(query)
            self._out.write(encode_decision(decision) + b"\n")


class LoadgenEngine:
    """Decides a file of events as LoadGen asks for them; its logs (summary, detail, trace) go to `load.out`."""

    def __init__(self, source: Input, decider: InlineDecider, load: LoadgenLoad, *, batch_max: int) -> None:
        if len(source.events) == 0:
            raise BadInputError("--events holds no event: LoadGen needs at least one sample to ask for")
        self._source, self._decider, self._load, self._batch_max = source, decider, load, batch_max

    def run(self, stop: StopSignal, ready: Ready) -> None:
        """See `Engine.run`; ends by itself after the last event. Raises `BadInputError` without LoadGen."""
        loadgen = load_loadgen()
        folder = _log_folder(Path(required(self._load.out, "--loadgen-out", "engine loadgen")))
        events = table_to_transactions(self._source.events)

        def complete(query: int) -> None:
            loadgen.QuerySamplesComplete([loadgen.QuerySampleResponse(query, 0, 0)])

        with open_decisions(self._source.decisions_out) as out:
            queries = Queries(events, self._decider.decide, complete, out, stop, self._batch_max)
            ready()
            drive(loadgen, self._load, len(events), folder, queries.answer)
            if self._decider.explaining is not None:
                self._decider.explaining.drain()
        if queries.failure is not None:
            raise queries.failure


def load_loadgen() -> Any:
    """LoadGen's Python module. Raises `BadInputError` where it is not installed."""
    try:
        return import_module(MODULE)
    except ImportError as error:
        raise BadInputError(
            f"engine loadgen needs MLPerf LoadGen, which is not installed ({error}): install the extra `loadgen` "
            "(mlcommons-loadgen)"
        ) from error


def _log_folder(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInputError(f"--loadgen-out {folder} cannot be made: {error.strerror}") from error
    return folder


def drive(loadgen: Any, load: LoadgenLoad, samples: int, folder: Path, answer: Callable[[Sequence[int]], None]) -> None:
    """Run LoadGen's Server scenario (Poisson arrivals, seeded) over so many samples, one a query, to its end.

    `answer` gets the handles of what is due, several when it is behind (`server_coalesce_queries`), in this very
    thread, and must complete each of them. The trace has each sample's scheduled, issued and completed instant in ns.
    """
    settings, log, files = loadgen.TestSettings(), loadgen.LogSettings(), loadgen.LogOutputSettings()
    settings.scenario, settings.mode = loadgen.TestScenario.Server, loadgen.TestMode.PerformanceOnly
    settings.server_target_qps, settings.server_coalesce_queries = load.rate_per_s, True
    settings.server_target_latency_ns = LATENCY_BOUND_NS
    settings.min_query_count, settings.min_duration_ms = samples, 0
    settings.schedule_rng_seed = settings.sample_index_rng_seed = settings.qsl_rng_seed = load.seed
    files.outdir, files.copy_summary_to_stdout = str(folder), False
    log.log_output, log.enable_trace = files, True
    system = loadgen.ConstructFastSUT(lambda queries, _samples: answer(queries), lambda: None)
    library = loadgen.ConstructQSL(samples, samples, lambda _samples: None, lambda _samples: None)
    try:
        loadgen.StartTestWithLogSettings(system, library, settings, log, "")
    finally:
        loadgen.DestroyQSL(library)
        loadgen.DestroyFastSUT(system)


ENGINE = LoadgenEngine
