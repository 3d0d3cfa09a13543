"""What the processes of a stream did, put together."""

from harness.instruments import added_up


def test_what_several_load_processes_did_adds_up() -> None:
    first = {"sent": 5, "side_sent": 2, "fed_sent": 4, "undelivered": 0, "queue_full": 1, "first_error": None}
    second = {"sent": 7, "side_sent": 0, "fed_sent": 1, "undelivered": 3, "queue_full": 0, "first_error": "timed out"}
    found = added_up([first, second])
    assert (found["sent"], found["side_sent"], found["undelivered"], found["queue_full"]) == (12, 2, 3, 1)
    assert found["fed_sent"] == 5
    assert found["first_error"] == "timed out"
