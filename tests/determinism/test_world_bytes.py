"""The same seed gives the same bytes, whoever asks and however often; another seed gives others."""

import hashlib
import itertools
import subprocess
import sys
from typing import Any

import pyarrow as pa

from streams.worlds import FraudWorldConfig, build_world

_PROGRAM = """
import sys
sys.path.insert(0, {root!r})
from tests.determinism.test_world_bytes import digest
print(digest(7))
"""


def digest(seed: int, **config: Any) -> str:
    """Hash the IPC bytes of three weeks of events and labels."""
    world = build_world("fraud", FraudWorldConfig(cards=300, **config), seed)
    found = hashlib.blake2b()
    for tables in itertools.islice(world.blocks(), 3):
        for table in tables:
            sink = pa.BufferOutputStream()
            with pa.ipc.new_stream(sink, table.schema) as writer:
                writer.write_table(table)
            found.update(sink.getvalue())
    return found.hexdigest()


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert digest(7) == digest(7)


def test_another_process_gives_the_same_bytes(pytestconfig: Any) -> None:
    program = _PROGRAM.format(root=str(pytestconfig.rootpath))
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)
    assert ended.stdout.strip() == digest(7)


def test_seed_and_configuration_change_the_bytes() -> None:
    assert len({digest(7), digest(8), digest(7, fraud_share=0.01)}) == 3


def test_two_walks_through_one_world_do_not_meet() -> None:
    world = build_world("fraud", {"cards": 200}, seed=1)
    one, other = world.blocks(), world.blocks()
    next(one)
    second = next(one)
    first_again = next(other)
    assert next(other)[0].equals(second[0])
    assert not first_again[0].equals(second[0])
