"""The registry of peers, and what their locks hold."""

import importlib.util
from pathlib import Path

import pytest

from benchmarks.peers.relock import COMPUTES, locked_versions, wanted
from harness.cache import ROOT
from harness.peers.registry import Peer, read_registry
from streams.errors import BadInputError

PEERS = read_registry()


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_a_peer_has_a_program_and_a_lock_with_its_package(peer: Peer) -> None:
    assert importlib.util.find_spec(peer.module) is not None
    assert peer.version[0].isdigit()


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_what_computes_decisions_has_our_own_versions(peer: Peer) -> None:
    ours, theirs = locked_versions(ROOT / "requirements.lock"), locked_versions(peer.lock)
    assert {name: theirs[name] for name in COMPUTES} == {name: ours[name] for name in COMPUTES}


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_every_package_of_a_lock_has_its_hash(peer: Peer) -> None:
    blocks = peer.lock.read_text(encoding="utf-8").split("\n\n")[-1]
    assert blocks.count("==") <= blocks.count("--hash=sha256:")


def test_no_peer_is_among_our_own_packages() -> None:
    ours = locked_versions(ROOT / "requirements.lock")
    assert {"quixstreams", "bytewax"}.isdisjoint(ours)


def test_a_version_can_be_asked_for() -> None:
    versions = {name: {"1.0"} for name in COMPUTES}
    asked = wanted("mine", versions, {"mine": "2.0"})
    assert {"mine==2.0", "numpy==1.0"} <= set(asked)
    assert "mine" in wanted("mine", versions, {})


def test_says_what_is_wrong_with_a_registry(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"registry\.yaml cannot be read: .*checkout"):
        read_registry(tmp_path)
    (tmp_path / "registry.yaml").write_text("mine: {title: Mine, module: mine, lock: mine.lock}\n", encoding="utf-8")
    with pytest.raises(BadInputError, match=r"registry\.yaml: .*`package`"):
        read_registry(tmp_path)


def test_says_that_a_lock_lacks_the_peer(tmp_path: Path) -> None:
    lock = tmp_path / "mine.lock"
    lock.write_text("numpy==1.0 \\\n", encoding="utf-8")
    with pytest.raises(BadInputError, match="mine is not in it"):
        Peer("mine", "Mine", "mine", lock, "mine").version  # noqa: B018
