"""What is read at the end of a run: the floor beside the result, what the P99 is made of, and what cannot be."""

import io
from pathlib import Path

import msgspec
import pytest
from rich.console import Console
from rich.table import Table

from harness.latency_results import Distribution, Floor, MadeOf, WaterfallResults, WaterfallStep
from harness.results import ProcessResults, Results
from harness.summary import counts_table, print_summary, waterfall_table

STEP = WaterfallStep(count=100, negative=0, p50=1.0, p99=2.0, p999=3.0)
NULL = Distribution(count=50, p50=1.11, p90=2.0, p99=3.33, p999=4.44, max=5.0)


def made(quantile: float, **parts: float) -> MadeOf:
    return MadeOf(quantile=quantile, response=sum(parts.values()), events=21, low=1.0, high=9.0, parts=parts)


WATERFALL = WaterfallResults(
    events=100,
    steps={"sent": STEP, "broker": STEP, "taken": STEP},
    at={
        "p50": made(0.5, sent=0.5, broker=1.0, taken=3.5, table_wait=0.0),
        "p99": made(0.99, sent=0.5, broker=2.25, taken=17.25, table_wait=0.0),
        "p999": made(0.999, sent=0.5, broker=2.0, lost=27.5, table_wait=0.0),
    },
    contradicting=0,
)


def floor(**counted: int) -> Floor:
    return Floor(response=NULL, service=NULL, schedule_delay=NULL, duration_s=5.0, lost=0, **counted)


def with_latency(results: Results, **changes: object) -> Results:
    latency = msgspec.structs.replace(results.latency_ms, **changes)
    return msgspec.structs.replace(results, latency_ms=latency)


def text(table: Table | None) -> str:
    file = io.StringIO()
    Console(file=file, width=120).print(table)
    return file.getvalue()


def cells(table: Table | None, first: str) -> list[str]:
    row = next(line for line in text(table).splitlines() if first in line)
    return [cell.strip() for cell in row.strip("│ ").split("│")]


def test_the_parts_stand_under_each_other_with_the_floor_below(results: Results) -> None:
    table = waterfall_table(with_latency(results, waterfall=WATERFALL, floor=floor()))
    assert cells(table, "into the broker") == ["into the broker", "1.00", "2.25", "2.00"]
    assert cells(table, "never answered") == ["never answered", "-", "-", "27.50"]
    assert cells(table, "response")[1:] == ["5.00", "20.00", "30.00"]
    assert cells(table, "floor (null scorer)")[1:] == ["1.11", "3.33", "4.44"]
    assert "day table" not in text(table), "a step that took no time needs no line"


def test_without_a_waterfall_there_is_no_table(results: Results) -> None:
    assert waterfall_table(results) is None


@pytest.mark.parametrize(("engine", "words"), [("native", "not measured (--no-floor)"), ("inprocess", "no broker")])
def test_a_floor_that_is_not_there_is_said(results: Results, engine: str, words: str) -> None:
    without = msgspec.structs.replace(results, engine=engine)
    assert words in text(counts_table(without))
    assert words not in text(counts_table(with_latency(without, floor=floor())))


def test_what_cannot_be_is_counted_and_nothing_is_said_of_none(results: Results) -> None:
    assert "cannot be" not in text(counts_table(with_latency(results, floor=floor(), waterfall=WATERFALL)))
    odd = msgspec.structs.replace(WATERFALL, contradicting=5)
    said = text(counts_table(with_latency(results, negative=2, floor=floor(overflow=1), waterfall=odd)))
    for words in ("2 negative, 0 over a day", "0 negative, 1 over a day in the floor", "5 events whose"):
        assert words in said


def test_the_whole_is_printed(results: Results, tmp_path: Path) -> None:
    file = io.StringIO()
    print_summary(with_latency(results, waterfall=WATERFALL), tmp_path, None, Console(file=file, width=120))
    assert "Response time, what it is made of" in file.getvalue()


def test_a_long_run_is_held_against_its_second_minute(results: Results) -> None:
    second, last = (Distribution(count=9, p50=1.0, p90=1.0, p99=p99, p999=p99, max=p99) for p99 in (20.0, 22.0))
    worker = ProcessResults(
        name="scorer worker-1",
        cpu_s=1.0,
        cpu_us_per_event=1.0,
        memory_start_bytes=1,
        memory_end_bytes=206_000_000,
        memory_max_bytes=206_000_000,
        memory_settled_bytes=200_000_000,
    )
    whole = msgspec.structs.replace(with_latency(results, minutes=[second, second, last]), processes=[worker])
    shown = " ".join(text(counts_table(whole)).split())
    assert "P99 20.00 ms in the second, 22.00 in the last of 3 (1.10 times)" in shown
    assert "206 MB, +3.0% since the first minute" in shown
    assert "minutes" not in text(counts_table(results))
