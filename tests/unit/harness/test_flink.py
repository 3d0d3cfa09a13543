"""What engine flink runs in: its locks."""

from benchmarks.peers.relock import COMPUTES, FLINK, FLINK_VERSION, locked_versions
from harness.cache import ROOT
from harness.flink import ENGINES, connector_lock

LOCKED = locked_versions(ENGINES / "flink.lock")


def test_the_connector_is_of_the_locked_flink() -> None:
    (jar,) = connector_lock().jars
    assert LOCKED[FLINK] == {FLINK_VERSION}
    assert jar.version.partition("-")[2] == FLINK_VERSION.rpartition(".")[0]


def test_what_computes_decisions_has_our_own_versions() -> None:
    ours = locked_versions(ROOT / "requirements.lock")
    assert {name: LOCKED[name] for name in COMPUTES} == {name: ours[name] for name in COMPUTES}
