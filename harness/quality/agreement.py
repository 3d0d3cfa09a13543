"""Is the "why" right? How often the top reason of a caught fraud names what its scenario really did.

Scenarios say by which families of evidence they can be seen, reasons say which family they are of; both are sets of
`streams.causes.CAUSES`, held here as bits of an integer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.quality.flags import share
from harness.quality.intervals import wilson
from harness.quality.reasons import GivenReasons
from harness.quality.scored import Bools, Scored
from streams.causes import CAUSES
from streams.decision import PATHS

Bits = npt.NDArray[np.int64]
TOP = 3
ANOMALY = 1 << CAUSES.index("anomaly")
"""Named by no scenario: that an event is unlike genuine ones does not say what is."""


@dataclass(frozen=True, slots=True)
class TopCauses:
    """One entry an event that has reasons: `event` its row; the causes of its first reason, of its first three, of its
    largest contribution of the model, and of the first that says more than "unlike genuine events" (0: no such reason,
    or it names no cause). `named`: any reason names one."""

    event: npt.NDArray[np.int64]
    first: Bits
    of_three: Bits
    model: Bits
    specific: Bits
    named: Bools


def scenario_bits(causes: Sequence[str]) -> int:
    """A set of causes as bits."""
    return sum(1 << CAUSES.index(cause) for cause in set(causes))


def top_causes(scored: Scored, given: GivenReasons) -> TopCauses:
    """The causes that come first. Where the model decided, its largest contribution counts before rules that fired
    beside it; elsewhere the deciding rule comes first."""
    by_model = scored.path[given.event] == PATHS.index("model")
    second = given.is_rule == by_model
    size = np.where(given.is_rule | np.isnan(given.contribution), 0.0, -given.contribution)
    order = np.lexsort((np.arange(len(given)), size, second, given.event))
    event, is_rule = given.event[order], given.is_rule[order]
    cause = given.cause[order].astype(np.int64)
    bits = np.where(cause >= 0, np.left_shift(1, np.maximum(cause, 0)), 0)
    starts = np.flatnonzero(np.diff(event, prepend=-1))
    if len(starts) == 0:
        nothing = np.empty(0, np.int64)
        return TopCauses(nothing, nothing, nothing, nothing, nothing, np.empty(0, bool))
    within = np.arange(len(event)) - np.repeat(starts, np.diff(np.append(starts, len(event))))
    place = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(event))))
    return TopCauses(
        event=event[starts],
        first=bits[starts],
        of_three=np.bitwise_or.reduceat(np.where(within < TOP, bits, 0), starts),
        model=_first_of(bits, place, ~is_rule),
        specific=_first_of(bits, place, (bits != 0) & (bits != ANOMALY)),
        named=np.bitwise_or.reduceat(bits, starts) != 0,
    )


def _first_of(bits: Bits, place: npt.NDArray[np.int64], among: Bools) -> Bits:
    """Of each event (`place`, ascending), the bits of its first reason that is among those."""
    found = np.zeros(int(place[-1]) + 1, np.int64)
    rows = np.flatnonzero(among)
    events, first = np.unique(place[rows], return_index=True)
    found[events] = bits[rows[first]]
    return found


def reason_agreement(scored: Scored, given: GivenReasons, causes: Mapping[str, Sequence[str]]) -> dict[str, Any] | None:
    """Agreement of reasons with the causes of each flagged fraud's scenario; None where no scenario has causes, or no
    flagged fraud has a reason that names one.

    `chance` is the agreement expected when the reasons are dealt out to these frauds at random (the exact mean over all
    permutations of scenarios); `chance_genuine` when the first reasons were drawn from those of flagged genuine events.
    Intervals are Wilson's, with as many observations as distinct cards: the frauds of one card are one story.
    """
    tops = top_causes(scored, given)
    flagged = scored.flagged[tops.event]
    wanted = np.array([scenario_bits(causes.get(name, ())) for name in scored.scenario_names], np.int64)
    fraud = scored.is_fraud[tops.event] & (scored.scenario[tops.event] >= 0)
    has_causes = np.zeros(len(fraud), bool)
    if len(wanted):
        has_causes[fraud] = wanted[scored.scenario[tops.event][fraud]] != 0
    chosen = np.flatnonzero(flagged & has_causes & tops.named)
    if len(chosen) == 0:
        return None
    rows = _Explained(scored, tops, chosen, wanted)
    genuine = tops.first[flagged & ~scored.is_fraud[tops.event] & tops.named]
    with_model = tops.model[chosen] != 0
    first = rows.agreement(tops.first[chosen], np.ones(len(chosen), bool))
    return {
        "explained": len(chosen),
        "frauds_flagged": int((scored.is_fraud & scored.flagged).sum()),
        "top_agrees": first["agrees"],
        "top_agrees_low": first["low"],
        "top_agrees_high": first["high"],
        "chance": first["chance"],
        "chance_genuine": rows.expected(genuine, np.ones(len(chosen), bool)),
        "model_top": rows.agreement(tops.model[chosen], with_model),
        "first_specific": rows.agreement(tops.specific[chosen], tops.specific[chosen] != 0),
        "any_of_three": rows.agreement(tops.of_three[chosen], np.ones(len(chosen), bool)),
        "by_scenario": rows.by_scenario(causes),
    }


@dataclass(frozen=True, slots=True)
class _Explained:
    """The flagged frauds whose reasons are judged: rows `chosen` of `tops`."""

    scored: Scored
    tops: TopCauses
    chosen: npt.NDArray[np.intp]
    wanted: Bits

    @property
    def scenario(self) -> npt.NDArray[np.int32]:
        return self.scored.scenario[self.tops.event[self.chosen]]

    def agreement(self, said: Bits, among: Bools) -> dict[str, Any]:
        """Of the rows `among`, the share whose causes `said` are among their scenario's, beside chance."""
        agrees = (said & self.wanted[self.scenario]) != 0
        part, whole = int((agrees & among).sum()), int(among.sum())
        cards = len(np.unique(self.scored.card[self.tops.event[self.chosen][among]]))
        interval = wilson(part / whole * cards, cards) if whole else wilson(0, 0)
        chance = self.expected(said[among], among)
        return {"events": whole, "agrees": share(part, whole), **interval, "chance": chance}

    def expected(self, said: Bits, among: Bools) -> float | None:
        """Mean agreement when each of `said` met each scenario of the rows `among` equally often."""
        if len(said) == 0:
            return None
        codes, counts = np.unique(self.scenario[among], return_counts=True)
        values, times = np.unique(said, return_counts=True)
        agrees = (values[:, None] & self.wanted[codes][None, :]) != 0
        return share(float(times @ agrees @ counts), int(times.sum() * counts.sum()))

    def by_scenario(self, causes: Mapping[str, Sequence[str]]) -> dict[str, Any]:
        """One entry a scenario, the most frequent first; its chance is that of all judged frauds' first reasons."""
        found = {}
        first, three = self.tops.first[self.chosen], self.tops.of_three[self.chosen]
        codes, counts = np.unique(self.scenario, return_counts=True)
        for code in codes[np.argsort(-counts, kind="stable")]:
            among = self.scenario == code
            row = self.agreement(first, among)
            name = self.scored.scenario_names[code]
            found[name] = {
                "explained": row["events"],
                "causes": list(causes[name]),
                "top_agrees": row["agrees"],
                "top_agrees_low": row["low"],
                "top_agrees_high": row["high"],
                "chance": share(int(((first & self.wanted[code]) != 0).sum()), len(first)),
                "any_of_three": self.agreement(three, among)["agrees"],
                "top_causes": _causes_counted(first[among]),
            }
        return found


def _causes_counted(bits: Bits) -> dict[str, int]:
    """How often each cause came first, the most frequent first."""
    counts = {cause: int((bits == 1 << place).sum()) for place, cause in enumerate(CAUSES)}
    return dict(sorted(((cause, n) for cause, n in counts.items() if n), key=lambda pair: -pair[1]))
