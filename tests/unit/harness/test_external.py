"""An external scorer is waited for, not guessed at."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from harness.external import EXPLANATIONS_S, ExternalScorer, Pace
from harness.other_scorer import SETTLE_S, other_scorer
from harness.scenario import Scorer
from streams.brokers.groups import Holding
from streams.errors import RunInvalidError
from streams.topics import Topics


def held(group: str, *partitions: int) -> Holding:
    return Holding(group, frozenset(partitions), 1)


@dataclass
class Acted:
    """What happens while time goes by only in sleep; the last answer stays."""

    answers: list[list[Holding]] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    now_s: float = 0.0
    checked: int = 0

    def holding(self, topic: str) -> list[Holding]:
        assert topic == "p.events"
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds

    def check(self) -> None:
        self.checked += 1

    @property
    def pace(self) -> Pace:
        return Pace(lambda: self.now_s, self.sleep, self.check)

    def scorer(self, settle_s: float | None = None) -> ExternalScorer:
        return ExternalScorer(settle_s, 60.0, self.told.append)


def test_the_person_is_told_where_to_read_and_write() -> None:
    acted = Acted()
    acted.scorer().introduce(Topics("p"), "h:9092", 4)
    text = "\n".join(acted.told)
    assert all(words in text for words in ("h:9092", "reads   p.events", "writes  p.decisions", "4 partitions"))


def test_whoever_scores_transfers_is_told_where_alerts_go_and_whose_accounts_there_are() -> None:
    told: list[str] = []
    ExternalScorer(None, 60.0, told.append, Path("a.parquet")).introduce(Topics("p", "aml"), "h:9092", 1)
    text = "\n".join(told)
    assert all(
        words in text for words in ("reads   p.transfers", "p.alerts", "Accounts, with whose they are: a.parquet")
    )


def test_the_stream_begins_when_one_group_holds_every_partition() -> None:
    half = [held("mine", 0, 1), held("other", 2)]
    acted = Acted([[], half, half, [held("mine", 0, 1, 2, 3)]])
    assert acted.scorer().await_joined(acted, "p.events", 4, acted.pace) == "mine"
    assert acted.told[1:] == [
        "So far: group mine holds 2 of 4, group other holds 1 of 4",
        "Group mine has joined (1 member(s)): the stream begins",
    ]
    assert acted.checked == 4


def test_who_never_joins_makes_the_run_invalid() -> None:
    acted = Acted([[held("mine", 3)]])
    with pytest.raises(RunInvalidError) as caught:
        acted.scorer().await_joined(acted, "p.events", 4, acted.pace)
    assert acted.now_s == pytest.approx(60.0)
    for words in ("within 60 s", "scorer.join_within_s", "group mine holds 1 of 4", "--settle"):
        assert words in str(caught.value)


def test_a_scorer_without_a_group_is_given_time() -> None:
    acted = Acted()
    assert acted.scorer(settle_s=7.25).await_joined(acted, "p.events", 4, acted.pace) is None
    assert acted.now_s == pytest.approx(7.25)
    assert acted.checked > 1


@pytest.mark.parametrize(
    ("counts", "waited_s"), [([0], 0.0), ([5, 5], 2.0), ([5, 9, 9], 4.0), (list(range(1, 99)), EXPLANATIONS_S)]
)
def test_explanations_are_waited_for_while_they_come(counts: list[int], waited_s: float) -> None:
    acted, written = Acted(), iter(counts)
    acted.scorer().await_explained(lambda: next(written), acted.pace)
    assert acted.now_s == pytest.approx(waited_s, abs=2.0 if waited_s == EXPLANATIONS_S else 0.01)
    assert bool(acted.told) == (waited_s == EXPLANATIONS_S)


def test_a_scenario_names_whose_scorer_it_is() -> None:
    assert other_scorer(Scorer(), print) is None
    external = other_scorer(Scorer(kind="external", settle_s=3.0), print)
    assert external is not None
    assert external.external is not None
    assert (external.engine, external.workers, external.ours, external.external.settle_s) == ("external", 0, False, 3.0)
    own = other_scorer(Scorer(command="x"), print)
    assert own is not None
    assert own.own is not None
    assert (own.engine, own.ours, own.own.settle_s) == ("own", False, SETTLE_S)
