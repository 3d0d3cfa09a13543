"""What the rehearsal of the nightly job went through is all that its stream needs: no kernel is loaded beside it."""

import subprocess
import sys

REHEARSED = """
import sys

from models.features.ledger import RiskLedger
from models.features.state import FeatureState
from models.features.batch import Vocabulary
from models.features.table_messages import DayTableAssembler, to_messages
from scorer.day_closing import DayCloser
from scorer.nightly_role import rehearse_closing
from scorer.rehearsal import _install
from streams.codec import encode
from streams.labels import DayEnd
from tests.unit.models.features.test_ledger import FIRST_DAY, dispositions, message, random_bookings


def loaded():
    modules = [module for name, module in sys.modules.items() if name.startswith("models.features")]
    kernels = {id(one): one for module in modules for one in vars(module).values() if hasattr(one, "overloads")}
    return {one.__name__: len(one.overloads) for one in kernels.values()}


rehearse_closing(7)
state = FeatureState.empty(Vocabulary((), ()))
for day in range(2):
    _install(day, state)
before = loaded()
booked = random_bookings(1)
closer = DayCloser(RiskLedger.empty(7), FIRST_DAY)
for begin in range(0, len(booked), 50):
    part = booked[begin : begin + 50]
    plain = closer.read([message(entry, f"event{begin + number}") for number, entry in enumerate(part)])
    closer.add_read(plain)
closer.add_dispositions(dispositions(booked))
closer.add_day_end(DayEnd(day=FIRST_DAY + 40, events=0, dispositions=0))
assembler, installed = DayTableAssembler(), 0
for table in closer.close_ready():
    for part in to_messages(table, 2_000):
        whole = assembler.add(part)
        if whole is not None:
            state.install(whole)
            installed += len(whole.places["merchant"].names)
after = loaded()
print({name: count for name, count in after.items() if count != before[name]}, installed > 100, len(after) > 10)
"""


def test_the_stream_loads_no_kernel() -> None:
    done = subprocess.run([sys.executable, "-c", REHEARSED], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "{} True True"
