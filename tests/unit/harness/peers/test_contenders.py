"""Who is measured, and how each is started."""

from pathlib import Path

import pytest

from harness.peers.contenders import OWN, REFERENCE, Serving, chosen, of_peer, own_contenders
from harness.peers.registry import read_registry
from harness.scenario import Breaker
from harness.scorers import Reach
from streams.errors import BadInputError

SERVING = Serving(Path("/b {1}"), Path("/rules.yaml"), Path("/state"), Breaker(), 5.0)


def test_a_peer_is_told_its_topics_and_what_decides() -> None:
    peer = read_registry()[0]
    contender = of_peer(peer, Path("/environment/bin/python"), SERVING)
    reach = Reach("localhost:1", None, "run", Path("/work"), Path("/logs"))
    assert contender.setup.own is not None
    assert contender.setup.own.tells_ready
    words = contender.setup.own.arguments(reach, Path("/run/own.ready"))
    told = dict(zip(words[5::2], words[6::2], strict=True))
    assert words[2:5] == ["/environment/bin/python", "-m", peer.module]
    assert told["--events"] == "run.events"
    assert told["--bundle"] == "/b {1}"
    assert told["--ready"] == "/run/own.ready"


def test_everyone_but_the_floor_has_the_nightly_job_and_explains_nothing() -> None:
    peer = of_peer(read_registry()[0], Path("/python"), SERVING)
    contenders = [*own_contenders(SERVING), peer]
    assert [each.name for each in contenders[:-1]] == list(OWN)
    assert [each.setup.nightly for each in contenders] == [each.kind != "floor" for each in contenders]
    assert {each.setup.explain for each in contenders} == {"none"}
    assert {each.setup.workers for each in contenders} == {1}


def test_the_reference_is_always_among_the_chosen() -> None:
    assert chosen(["native", "null", "quix"], []) == {"native", "null", "quix"}
    assert chosen(["native", "null", "quix"], ["quix"]) == {REFERENCE, "quix"}
    with pytest.raises(BadInputError, match=r"--only flunk: .*known are native, quix"):
        chosen(["native", "quix"], ["flunk"])
