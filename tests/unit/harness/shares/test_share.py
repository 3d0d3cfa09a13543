"""Which events a share has, and which answers are its to account for."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.accounts import ELSEWHERE, UNKNOWN, EventIndex
from harness.feed import write_feed, write_others
from harness.ours import ours_of
from harness.prepared import Prepared, Windows
from harness.scenario import load_scenario
from harness.shares.share import Share, parse_share, refuse_unsharable, take_part
from streams.codec import encode_decision
from streams.decision import Decision
from streams.errors import BadInputError
from streams.labels import NS_PER_DAY
from tests.audited_run import EVENTS, event_id, events_table

SCHEDULE = np.arange(EVENTS, dtype=np.int64) * 1_000
EXTERNAL = {"scorer.kind": "external"}


def dispositions_of(events: pa.Table, reported_ns: int) -> pa.Table:
    """Both became known at one instant."""
    names = ("event_id", "event_time_ns", "card_id", "merchant_id", "terminal_id", "device_id")
    beside = {"reported_at_ns": [reported_ns] * len(events), "is_fraud": [True] * len(events)}
    return pa.table({**{name: events[name] for name in names}, **beside})


def prepared(folder: Path, **facts: object) -> Prepared:
    folder.mkdir(parents=True)
    events = events_table()
    # over three business days, so that some end within the stream
    times = events["event_time_ns"].to_numpy()[0] + np.arange(EVENTS) * (NS_PER_DAY // 4)
    events = events.set_column(1, events.schema.field("event_time_ns"), [times])
    pq.write_table(events, folder / "events.parquet")
    pq.write_table(dispositions_of(events.slice(0, 2), times[5]), folder / "dispositions.parquet")
    return Prepared(folder, "key", False, Windows(0, 0, 0, 0), {"events": EVENTS, "source": "world", **facts})


@pytest.mark.parametrize("of", [2, 3])
def test_every_card_is_one_shares_and_every_event_in_one(tmp_path: Path, of: int) -> None:
    whole = prepared(tmp_path / "whole")
    parts = [take_part(whole, SCHEDULE, Share(n, of), tmp_path / f"part-{n}") for n in range(1, of + 1)]
    assert sorted(n for part in parts for n in part.ordinals.tolist()) == list(range(EVENTS))
    cards = [set(pq.read_table(part.prepared.file("events"))["card_id"].to_pylist()) for part in parts]
    assert sum(map(len, cards)) == len(set.union(*cards))
    for part in parts:
        rows = pq.read_table(part.prepared.file("events"))
        assert rows["event_id"].to_pylist() == [event_id(n) for n in part.ordinals]
        assert part.schedule_ns.tolist() == SCHEDULE[part.ordinals].tolist()
        assert len(part.others) == EVENTS - len(rows) == EVENTS - part.prepared.events


def test_the_first_share_sends_what_goes_beside_all_events_with_totals_of_the_whole(tmp_path: Path) -> None:
    whole = prepared(tmp_path / "whole")
    first, second = (take_part(whole, SCHEDULE, Share(n, 2), tmp_path / f"part-{n}") for n in (1, 2))
    assert second.side.values == []
    assert len(first.side.values) >= 3
    assert b'"events":%d' % EVENTS not in b"".join(first.side.values)
    assert first.side.before.max() <= len(first.ordinals)
    assert any(b'"dispositions":2' in value for value in first.side.values)


def test_answers_to_other_hosts_events_are_theirs_and_strays_are_the_firsts(tmp_path: Path) -> None:
    whole = prepared(tmp_path / "whole")
    found = []
    for number in (1, 2):
        part = take_part(whole, SCHEDULE, Share(number, 2), tmp_path / f"part-{number}")
        feed = tmp_path / f"feed-{number}"
        write_feed(feed, pq.read_table(part.prepared.file("events")), pa.table({}), part.schedule_ns, side=part.side)
        write_others(feed, part.others, strays=part.share.first)
        index = EventIndex.open(feed)
        messages = [(n, encode_decision(Decision(event_id=event_id(n), outcome="approve", score=0.0, path="rules")))
                    for n in range(EVENTS)]  # fmt: skip
        messages += [(90, messages[0][1].replace(b"evt-0000", b"phantom-")), (91, b"{broken")]
        found.append([at for at, _ in ours_of(index, messages)])
        assert (index.of([event_id(n) for n in part.ordinals]) == np.arange(len(part.ordinals))).all()
        stranger = index.of(["phantom"])[0]
        assert stranger == (UNKNOWN if number == 1 else ELSEWHERE)
    assert sorted(found[0] + found[1]) == [*range(EVENTS), 90, 91]
    assert found[0][-2:] == [90, 91]
    plain = EventIndex.open(tmp_path / "feed-2")
    assert list(ours_of(replace(plain, others=None), [(1, b"{broken")])) == [(1, b"{broken")]


@pytest.mark.parametrize("text", ["0/2", "3/2", "1/1", "1", "a/b", "1/65", "-1/2"])
def test_what_is_no_share_is_refused(text: str) -> None:
    with pytest.raises(BadInputError, match=r"--share .* I/N"):
        parse_share(text)


def test_what_cannot_be_shared_is_refused(tmp_path: Path) -> None:
    share = parse_share("2/3")
    external = load_scenario("fraud", EXTERNAL)
    refuse_unsharable(external, share, servers="h:1", prefix="p")
    with pytest.raises(BadInputError, match="--topic-prefix"):
        refuse_unsharable(external, share, servers="h:1", prefix=None)
    with pytest.raises(BadInputError, match="--scorer external"):
        refuse_unsharable(load_scenario("fraud"), share, servers="h:1", prefix="p")
    known = prepared(tmp_path / "whole", remove_known_compromised=True)
    with pytest.raises(BadInputError, match="known to be compromised"):
        take_part(known, SCHEDULE, share, tmp_path / "part")
