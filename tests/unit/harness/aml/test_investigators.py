"""Investigators look at K a day, are late and sometimes wrong, explore, and are the same for the same seed."""

from collections import Counter
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.aml.desk import BY_EXPLORATION, BY_RANK, ID_MAX, Desk, Investigation, ScoredRows, alert_of, in_order
from harness.aml.investigators import FINDINGS_SCHEMA, investigate, investigation_results, write_findings
from harness.aml.ranking import customer_scores, day_end_ns
from harness.aml.section import Investigators
from harness.aml.sent_findings import SENT_FILE, SentFindings
from harness.aml.truth import Truth
from harness.aml.worklists import work
from streams.codec import encode
from streams.errors import BadInputError
from streams.labels import NS_PER_DAY
from tests.unit.harness.aml.made import DAY, scored, small_truth
from tests.unit.harness.aml.test_measures import crowd

EXACT = Investigators(exploration_per_day=0, delay_days_min=2.0, delay_days_max=2.0, missed_share=0.0,
                      wrongly_accused_share=0.0)  # fmt: skip


def looked(truth: Truth, table: pa.Table, k: int, settings: Investigators, seed: int = 1) -> list[Investigation]:
    return investigate(rows_of(table, truth), truth, k, settings, seed)


def rows_of(table: pa.Table, truth: Truth) -> ScoredRows:
    """In order of event time, as transfers are decided; row n of the table is of transfer tn."""
    named = table.append_column("event_id", pa.array([f"t{row}" for row in range(len(table))]))
    return ScoredRows.of(named.sort_by("event_time_ns"), truth)


def test_without_mistakes_and_exploration_they_find_what_the_worklists_hold() -> None:
    truth, table = crowd()
    done = looked(truth, table, 10, EXACT)
    lists = work(customer_scores(table, truth), truth, 10).lists
    assert len(done) == sum(day.listed for day in lists)
    assert sum(one.finding.is_suspicious for one in done) == sum(day.found for day in lists)
    assert {one.finding.found_at_ns - one.listed_at_ns for one in done} == {2 * NS_PER_DAY}
    assert max(Counter(one.finding.customer_id for one in done).values()) == 1


def test_a_finding_names_the_alert_the_customer_was_ranked_by() -> None:
    truth = small_truth()
    table = scored(("c", 1, 5, 0.4), ("a", 0, 5, 0.7), ("c", 1, 6, 0.9), ("c", 3, 7, 1.0))
    done = looked(truth, table, 1, EXACT)
    assert [(one.finding.alert_id, one.finding.customer_id) for one in done] == [("t1/a", "a"), ("t2/c", "c")]
    assert [one.finding.is_suspicious for one in done] == [True, True]
    assert [one.finding.market for one in done] == ["BE", "NL"]
    assert done[0].listed_at_ns == day_end_ns(DAY)


def test_exploration_takes_its_places_outside_the_top() -> None:
    truth, table = crowd()
    settings = EXACT.model_copy(update={"exploration_per_day": 3})
    done = looked(truth, table, 10, settings)
    by_day = Counter((one.listed_at_ns, one.chosen_by) for one in done)
    for day in range(6):
        assert by_day[day_end_ns(DAY + day), BY_RANK] == 7
        assert by_day[day_end_ns(DAY + day), BY_EXPLORATION] == 3
    explored = [one for one in done if one.chosen_by == BY_EXPLORATION]
    first = [one for one in explored if one.listed_at_ns == day_end_ns(DAY)]
    assert {one.propensity for one in first} == {3 / (600 - 7)}
    assert {one.propensity for one in done if one.chosen_by == BY_RANK} == {1.0}
    # on the first day most have fewer scores than stand for them
    later = [one for one in done if one.listed_at_ns > day_end_ns(DAY)]
    ranked, drawn = ([one.score or 0 for one in later if one.chosen_by == by] for by in (BY_RANK, BY_EXPLORATION))
    assert sum(drawn) / len(drawn) < sum(ranked) / len(ranked) - 0.1


def test_who_was_never_scored_can_be_explored() -> None:
    truth = small_truth()
    settings = EXACT.model_copy(update={"exploration_per_day": 1})
    done = looked(truth, scored(("a", 0, 5, 0.7)), 2, settings)
    unscored = [one for one in done if one.score is None]
    assert unscored
    assert all(one.finding.alert_id.startswith("exploration-") for one in unscored)
    assert len({one.finding.customer_id for one in done}) == len(done)


def test_mistakes_go_both_ways_at_about_their_shares() -> None:
    truth, table = crowd(customers=1_500, patterns=150)
    settings = EXACT.model_copy(update={"missed_share": 0.3, "wrongly_accused_share": 0.2})
    done = looked(truth, table, 200, settings)
    wrong = [one for one in done if one.is_wrong]
    accused = sum(one.finding.is_suspicious for one in wrong)
    missed = len(wrong) - accused
    innocent = sum(one.finding.is_suspicious == one.is_wrong for one in done)
    assert accused / innocent == pytest.approx(0.2, abs=0.05)
    assert missed / (len(done) - innocent) == pytest.approx(0.3, abs=0.08)


def test_the_same_seed_finds_the_same_and_another_does_not() -> None:
    truth, table = crowd()
    settings = Investigators(exploration_per_day=3)
    assert looked(truth, table, 10, settings) == looked(truth, table, 10, settings)
    assert looked(truth, table, 10, settings) != looked(truth, table, 10, settings, seed=2)
    delays = {one.finding.found_at_ns - one.listed_at_ns for one in looked(truth, table, 10, settings)}
    assert min(delays) >= NS_PER_DAY
    assert max(delays) < 5 * NS_PER_DAY
    assert len(delays) > 30


def test_findings_are_written_in_order_of_time(tmp_path: Path) -> None:
    truth, table = crowd()
    settings = Investigators(exploration_per_day=3)
    done = looked(truth, table, 10, settings)
    found = pq.read_table(write_findings(done, tmp_path))
    assert found.schema == FINDINGS_SCHEMA
    times = found["found_at_ns"].to_pylist()
    assert times == sorted(times)
    results = investigation_results(done, 10, settings)
    assert (results.findings, results.explored) == (60, 18)
    assert results.suspicious == sum(found["is_suspicious"].to_pylist())


def test_more_exploration_than_places_is_refused() -> None:
    with pytest.raises(BadInputError, match=r"exploration_per_day = 3 is above measure\.k = 2"):
        looked(small_truth(), scored(("a", 0, 5, 0.7)), 2, EXACT.model_copy(update={"exploration_per_day": 3}))


def test_portions_make_no_difference() -> None:
    truth, table = crowd()
    rows, settings = rows_of(table, truth), Investigators(exploration_per_day=3)
    whole = investigate(rows, truth, 10, settings, 1)
    desk, done = Desk(truth, 10, settings, 1), list[Investigation]()
    for first in range(0, len(table), 37):
        part = slice(first, first + 37)
        done += desk.take(ScoredRows(rows.customer[part], rows.time_ns[part], rows.score[part], rows.event_id[part]))
        assert all(one.listed_at_ns < desk.now_ns for one in done), "a day is worked when it has ended"
    assert desk.now_ns == int(rows.time_ns[-1])
    assert in_order([*done, *desk.close()]) == whole
    assert desk.close() == []


def test_what_comes_late_counts_from_when_it_comes() -> None:
    truth = small_truth()
    table = scored(("a", 0, 5, 0.7), ("c", 1, 6, 0.9), ("b", 0, 7, 1.0))
    rows = ScoredRows.of(table.append_column("event_id", pa.array(["t0", "t1", "t2"])), truth)
    done = investigate(rows, truth, 1, EXACT, 1)
    assert [(one.finding.customer_id, one.listed_at_ns) for one in done] == [
        ("a", day_end_ns(DAY)), ("b", day_end_ns(DAY + 1)), ("c", day_end_ns(DAY + 2)),
    ]  # fmt: skip


def test_days_without_a_transfer_are_worked_as_well() -> None:
    truth = small_truth()
    done = looked(truth, scored(("a", 0, 5, 0.7), ("c", 0, 6, 0.9), ("b", 3, 7, 0.1)), 1, EXACT)
    assert [one.listed_at_ns for one in done] == [day_end_ns(DAY + day) for day in (0, 1, 3)]


def test_ids_are_never_longer_than_a_message_allows() -> None:
    assert alert_of("t1", "c1") == "t1/c1"
    long = alert_of("t" * 100, "c" * 100)
    assert len(long) <= ID_MAX
    assert long != alert_of("t" * 100, "d" * 100)


def test_what_the_topic_held_is_told_finding_by_finding(tmp_path: Path) -> None:
    truth, table = crowd()
    settings = Investigators(exploration_per_day=3)
    done = looked(truth, table, 10, settings)
    held = tmp_path / SENT_FILE
    stranger = msgspec.structs.replace(done[1].finding, is_suspicious=not done[1].finding.is_suspicious)
    messages = [encode(one.finding) for one in (done[0], done[2])] + [encode(done[0].finding), encode(stranger)]
    held.write_bytes(b"\n".join(messages) + b"\n")
    sent = SentFindings.read(held)
    assert sent is not None
    assert pq.read_table(write_findings(done, tmp_path, sent))["sent"].to_pylist()[:4] == [True, False, True, False]
    results = investigation_results(done, 10, settings, sent)
    assert (results.sent, results.sent_otherwise) == (2, 2)
    assert SentFindings.read(tmp_path / "nowhere") is None
    assert investigation_results(done, 10, settings).sent is None
