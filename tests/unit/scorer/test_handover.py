"""From one thread to another and back: each is told once, and what comes too late is known to be late."""

import threading

from scorer.handover import ABANDONED, ASKED, ENDING, Handover

LONG_NS, SHORT_NS = 60_000_000_000, 5_000_000


def test_every_question_is_answered_once() -> None:
    handover = Handover()
    seen: list[int] = []

    def answer() -> None:
        go_on = handover.wait()
        while go_on:
            seen.append(len(seen))
            go_on = handover.answer() == ASKED

    thread = threading.Thread(target=answer)
    thread.start()
    for number in range(500):
        assert handover.ask(LONG_NS)
        assert len(seen) == number + 1
    handover.end()
    thread.join(60)
    assert not thread.is_alive()
    assert len(seen) == 500


def test_an_answer_after_the_limit_is_given_up_and_told_so() -> None:
    handover, go = Handover(), threading.Event()
    told: list[int] = []

    def answer() -> None:
        assert handover.wait()
        go.wait(60)
        told.append(handover.answer())
        assert handover.wait()
        told.append(handover.answer())

    thread = threading.Thread(target=answer)
    thread.start()
    assert not handover.ask(SHORT_NS)
    go.set()
    while not told:
        pass
    assert handover.ask(LONG_NS)
    handover.end()
    thread.join(60)
    assert told == [ABANDONED, ENDING]


def test_a_limit_that_is_over_already_is_no_wait() -> None:
    handover = Handover()
    assert not handover.ask(-1)
