"""So many calls at a time: an overdue one holds its own place and no other."""

import threading
import time
from typing import Any

from scorer.bulkhead import Bulkhead, Callee, Full, Limits
from scorer.time_limit import Late, Overdue, Result

LONG_S, SHORT_S = 60.0, 0.02


class Hanging:
    """Calls that hang until they are let go, when their argument says so."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.made = 0

    def make(self) -> Callee[bool, int]:
        self.made += 1
        number = self.made
        return Callee(lambda hangs: number if not hangs or self.go.wait(LONG_S) else 0)


def bulkhead(model: Hanging, places: int, *, max_wait_s: float = 0.0, lates: list[Any] | None = None) -> Any:
    kept: list[Late[bool, int]] = [] if lates is None else lates
    return Bulkhead(model.make, Limits(SHORT_S, places, max_wait_s), time.monotonic_ns, kept.append)


def test_calls_one_after_the_other_need_one_place() -> None:
    model = Hanging()
    made = bulkhead(model, 3)
    assert {made.call(False).value for _ in range(20)} == {1}
    assert (model.made, made.available, made.overdue, made.rejected) == (1, 3, 0, 0)
    assert made.close()


def test_overdue_calls_fill_it_place_by_place_and_give_them_back() -> None:
    model = Hanging()
    lates: list[Any] = []
    made = bulkhead(model, 2, lates=lates)
    assert isinstance(made.call(True), Overdue)
    assert isinstance(made.call(False), Result)
    assert isinstance(made.call(True), Overdue)
    assert [made.call(False) for _ in range(3)] == [Full(2, 2)] * 3
    assert (model.made, made.available, made.overdue, made.rejected) == (2, 0, 2, 3)
    model.go.set()
    while made.available < 2:
        time.sleep(0.001)
    assert isinstance(made.call(False), Result)
    assert made.overdue == 0
    assert made.close()
    assert len(lates) == 2


def test_a_call_may_wait_for_a_place() -> None:
    model = Hanging()
    made = Bulkhead(model.make, Limits(1.0, 1, 0.9), time.monotonic_ns, lambda _: None)
    held = made._free.get_nowait()
    threading.Timer(0.05, made._free.put, (held,)).start()
    assert isinstance(made.call(False), Result)
    assert made.close()


def test_a_wait_for_a_place_ends() -> None:
    model = Hanging()
    made = bulkhead(model, 1, max_wait_s=SHORT_S / 2)
    assert isinstance(made.call(True), Overdue)
    begin = time.monotonic()
    assert made.call(False) == Full(1, 1)
    assert time.monotonic() - begin >= SHORT_S / 2
    model.go.set()
    assert made.close()
