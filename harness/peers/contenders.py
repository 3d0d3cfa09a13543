"""Who is measured: the null scorer, our engines, and the peers, each as a setup of the same scorer system."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.peers.registry import Peer
from harness.processes import command_apart
from harness.scenario import Breaker
from harness.scorers import OwnScorer, ScorerSetup
from streams.errors import BadInputError

Kind = Literal["floor", "ours", "peer"]
NULL, REFERENCE, OUR_FAUST = "null", "native", "our-faust"
"""The reference is the engine whose decisions all others must give."""
OWN = (REFERENCE, NULL, OUR_FAUST)


@dataclass(frozen=True, slots=True)
class Serving:
    """What decides, the same for everyone: model bundle, rule file, warm state."""

    bundle: Path
    rules: Path
    state: Path
    breaker: Breaker
    checkpoint_every_s: float


@dataclass(frozen=True, slots=True)
class Contender:
    """One of those measured, in one process and with the same nightly job beside it (the floor has none)."""

    name: str
    title: str
    kind: Kind
    version: str | None
    setup: ScorerSetup


def own_contenders(serving: Serving) -> list[Contender]:
    """The reference, the floor and our Faust engine. Ours keep checkpoints, which no peer does."""
    return [
        Contender(REFERENCE, "Riskbench, native", "ours", None, _engine("native", serving)),
        Contender(NULL, "null scorer (floor)", "floor", None, _null()),
        Contender(OUR_FAUST, "Riskbench, Faust", "ours", None, _engine("faust", serving)),
    ]


def chosen(known: Sequence[str], only: Sequence[str]) -> set[str]:
    """The contenders named, or all where none is; the reference always. Raises BadInputError for a name nobody has."""
    unknown = sorted(set(only) - set(known))
    if unknown:
        raise BadInputError(f"--only {unknown[0]}: there is nobody of that name; known are {', '.join(known)}")
    return {REFERENCE, *(only or known)}


def _null() -> ScorerSetup:
    nowhere = Path()
    return ScorerSetup("null", 1, nowhere, None, nowhere, "none", Breaker(), nightly=False)


def _engine(engine: str, serving: Serving) -> ScorerSetup:
    return ScorerSetup(
        engine, 1, serving.bundle, serving.rules, serving.state, "none", serving.breaker, nightly=True,
        checkpoint_every_s=serving.checkpoint_every_s,
    )  # fmt: skip


def of_peer(peer: Peer, python: Path, serving: Serving) -> Contender:
    """A peer, started by the Python of its own environment with this checkout's code."""
    files = {"--bundle": serving.bundle, "--rules": serving.rules, "--state": serving.state}
    told = ["--bootstrap-servers", "{bootstrap_servers}", "--events", "{events}", "--decisions", "{decisions}"]
    told += ["--group", "{group}", "--ready", "{ready}"]
    told += [_literal(part) for option, path in files.items() for part in (option, str(path))]
    command = [*map(_literal, command_apart(python, peer.module)), *told]
    setup = ScorerSetup(
        "native", 1, serving.bundle, serving.rules, serving.state, "none", serving.breaker, nightly=True,
        own=OwnScorer(shlex.join(command), settle_s=0.0),
    )  # fmt: skip
    return Contender(peer.name, peer.title, "peer", peer.version, setup)


def _literal(word: str) -> str:
    """A word of the command in which braces are no placeholders."""
    return word.replace("{", "{{").replace("}", "}}")
