"""A nightly job that starts again closes what it closed, and publishes only what is not out yet."""

from models.features.day_table import DayTable
from models.features.table_messages import to_messages
from scorer.nightly import Nightly, published_days
from tests.unit.scorer.test_nightly import TOPICS, closer, days, end


def test_a_table_that_is_out_is_not_published_again() -> None:
    first: list[DayTable] = []
    again: list[DayTable] = []
    job = Nightly(closer(delay=0), TOPICS, first.append)
    trailer = end(job.summary("ready")["next_day"], events=0)
    job._closer.add_day_end(trailer)
    job.close_days()
    assert len(first) == 1
    messages = [message for table in first for message in to_messages(table)]
    assert published_days([*messages, b"no table"]) == set(days(first))
    assert published_days(messages[:-1]) == set()
    restarted = Nightly(closer(delay=0), TOPICS, again.append, published_days(messages))
    restarted._closer.add_day_end(trailer)
    restarted.close_days()
    assert again == []
    assert restarted.summary("ready")["last_day"] == trailer.day
