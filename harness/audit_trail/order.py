"""From a chain that is not whole to what was done to it: which records were altered, removed, inserted or moved."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from harness.audit_trail.chain import NO_SEQ, SEQ_MAX, Chain, first_64
from harness.audit_trail.findings import Finding, Findings

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Columns:
    """A chain as arrays; line n is at index n - 1."""

    seq: Int64s
    own: npt.NDArray[np.uint64]
    prev: npt.NDArray[np.uint64]
    intact: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, chain: Chain) -> "_Columns":
        own, prev = (np.frombuffer(each, dtype=np.uint64) for each in (chain.own, chain.prev))
        intact = np.frombuffer(chain.intact, dtype=np.uint8) == 1
        return cls(np.frombuffer(chain.seq, dtype=np.int64), own, prev, intact)


def diagnose(chain: Chain, findings: Findings, records: int | None, head: str | None) -> None:
    """Add what is wrong with the chain; `records` is how many there should be, `head` the hash of the last one, where
    that is known.

    A line whose contents give its hash, and that is chained to another line or stands in its place, is taken at its
    word: its `seq` says where it belongs. Every other line is a suspect: where a record is missing at its place it was
    altered, else inserted.
    """
    before = findings.total
    columns = _Columns.of(chain)
    trusted, suspects = _split(columns, SEQ_MAX if records is None else records)
    kept, extra = _without_copies(columns, trusted, None if head is None else first_64(head))
    for finding in extra:
        findings.add(finding)
    ordered = _in_order(columns, kept, findings)
    _gaps(_Places(columns, ordered, kept, suspects), findings, records)
    _broken_links(columns, kept, findings)
    if findings.total == before and not chain.links:
        findings.add(Finding("altered", "the chain is broken, in a place that could not be told"))


def _split(columns: _Columns, records: int) -> tuple[Int64s, Int64s]:
    """Indices of the lines that are taken at their word, and of the suspects; a `seq` from `records` on is none."""
    seq = columns.seq
    possible = columns.intact & (seq != NO_SEQ) & (seq < records)
    linked = np.isin(columns.prev, columns.own) | np.isin(columns.own, columns.prev)
    sure = possible & (linked | (columns.prev == 0))  # the first line names nothing
    trusted = np.flatnonzero(sure)
    for line in np.flatnonzero(possible & ~sure).tolist():
        at = int(np.searchsorted(trusted, line))
        low = seq[trusted[at - 1]] if at else -1
        high = seq[trusted[at]] if at < len(trusted) else SEQ_MAX
        sure[line] = low < seq[line] < high
    return np.flatnonzero(sure), np.flatnonzero(~sure)


def _without_copies(columns: _Columns, trusted: Int64s, head: int | None) -> tuple[Int64s, list[Finding]]:
    """One line a seq: the head, or the one its neighbours are chained to, then the one that stands in its place."""
    by_seq = trusted[np.argsort(columns.seq[trusted], kind="stable")]
    ordered = columns.seq[by_seq]
    repeated = np.unique(ordered[1:][ordered[1:] == ordered[:-1]]).tolist()
    dropped, findings = [], []
    for at in repeated:
        before, lines, after = (by_seq[slice(*np.searchsorted(ordered, [n, n + 1]))] for n in (at - 1, at, at + 1))
        standing = {
            line: (columns.own[line] == head, *_standing(columns, before, after, line)) for line in lines.tolist()
        }
        true = max(sorted(standing), key=lambda line: (*standing[line], -line))
        for line in sorted(set(standing) - {true}):
            dropped.append(line)
            same = columns.own[line] == columns.own[true]
            what = f"it is a copy of line {true + 1}" if same else f"the record of seq {at} is line {true + 1}"
            findings.append(Finding("inserted", f"line {line + 1}: inserted: {what}", line + 1, at))
    return np.setdiff1d(trusted, np.array(dropped, dtype=np.int64)), findings


def _standing(columns: _Columns, before: Int64s, after: Int64s, line: int) -> tuple[bool, bool, int]:
    """How sure it is that `line` is the record of its seq: what is chained to it, what it is chained to, its place."""
    followed = bool((columns.prev[after] == columns.own[line]).any())
    follows = bool((columns.own[before] == columns.prev[line]).any())
    return followed, follows, int(line - 1 in before) + int(line + 1 in after)


def _in_order(columns: _Columns, kept: Int64s, findings: Findings) -> Int64s:
    """The kept lines that stand in their order; adds a finding for each pair that was swapped and each line moved."""
    seq = columns.seq[kept]
    if len(seq) < 2 or bool((seq[1:] > seq[:-1]).all()):
        return kept
    rank = np.empty(len(seq), dtype=np.int64)
    rank[np.argsort(seq)] = np.arange(len(seq))
    wrong = np.flatnonzero(rank != np.arange(len(seq)))
    if bool((rank[rank[wrong]] == wrong).all()):
        for one in wrong[rank[wrong] > wrong].tolist():
            first, second = int(kept[one]), int(kept[rank[one]])
            text = f"lines {first + 1} and {second + 1} are swapped: they hold seq {columns.seq[first]} and "
            findings.add(Finding("swapped", f"{text}{columns.seq[second]}", first + 1, int(columns.seq[first])))
        return np.delete(kept, wrong)
    stays = _longest_ascending(seq.tolist())
    for one in sorted(set(range(len(seq))) - stays):
        line, at = int(kept[one]), int(seq[one])
        findings.add(Finding("moved", f"line {line + 1}: moved: seq {at} does not belong here", line + 1, at))
    return kept[sorted(stays)]


def _longest_ascending(values: list[int]) -> set[int]:
    """Indices of a longest ascending subsequence (patience sorting)."""
    ends: list[int] = []
    at: list[int] = []
    back = [-1] * len(values)
    for index, value in enumerate(values):
        pile = bisect_left(ends, value)
        back[index] = at[pile - 1] if pile else -1
        if pile == len(ends):
            ends.append(value)
            at.append(index)
        else:
            ends[pile], at[pile] = value, index
    chosen: set[int] = set()
    index = at[-1] if at else -1
    while index >= 0:
        chosen.add(index)
        index = back[index]
    return chosen


@dataclass(frozen=True, slots=True)
class _Places:
    """Lines (indices) that stand in order, all that are taken at their word, and the suspects."""

    columns: _Columns
    ordered: Int64s
    kept: Int64s
    suspects: Int64s

    def gaps(self, records: int | None) -> Iterator[tuple[int, int, list[tuple[int, int]], list[int]]]:
        """Of each stretch between two lines in order: the two lines' indices, the runs of seqs that are missing between
        them, and the suspects that stand there. After the last line the stretch ends at `records`."""
        seq, ordered = self.columns.seq, self.ordered
        bounds = [-1, *ordered.tolist(), len(seq)]
        elsewhere = np.sort(seq[np.setdiff1d(self.kept, ordered)])
        end = SEQ_MAX if records is None else records
        seqs = [-1, *seq[ordered].tolist(), max(end, int(seq[ordered].max(initial=-1)) + 1)]
        wide = np.flatnonzero((np.diff(seqs) > 1) | (np.diff(bounds) > 1))
        for one in wide.tolist():
            left, right = bounds[one], bounds[one + 1]
            here = self.suspects[slice(*np.searchsorted(self.suspects, [left + 1, right]))]
            moved = elsewhere[slice(*np.searchsorted(elsewhere, [seqs[one] + 1, seqs[one + 1]]))]
            yield left, right, _runs(seqs[one], seqs[one + 1], moved.tolist()), here.tolist()


def _runs(low: int, high: int, without: list[int]) -> list[tuple[int, int]]:
    """The whole numbers between `low` and `high`, both excluded, less those in `without`, as (first, last)."""
    edges = [low, *without, high]
    return [(a + 1, b - 1) for a, b in pairwise(edges) if b - a > 1]


def _gaps(places: _Places, findings: Findings, records: int | None) -> None:
    """Name every suspect, and every record that is missing."""
    lines = len(places.columns.seq)
    for left, right, missing, suspects in places.gaps(records):
        end = right == lines
        runs, torn = _name_suspects(places.columns, missing, suspects, findings)
        for first, last in runs:
            if torn or last == SEQ_MAX - 1:
                continue  # an unreadable line may stand for several records; without an end none is known to be missing
            what = f"seq {first} is" if first == last else f"seq {first} to {last} are"
            if end:
                text = f"the trail ends at line {lines}: {what} missing after it"
                findings.add(Finding("truncated", text, lines, first))
            else:
                text = f"{what} missing between lines {left + 1} and {right + 1}"
                findings.add(Finding("removed", text if left >= 0 else f"{what} missing before line 1", None, first))


def _name_suspects(
    columns: _Columns, missing: list[tuple[int, int]], suspects: list[int], findings: Findings
) -> tuple[list[tuple[int, int]], bool]:
    """Say of each suspect whether it was altered or inserted. Returns the runs of seqs that none stands for, and
    whether a line that is no record was taken for one of them."""
    torn = False
    stands: dict[int, int] = {}
    for line in suspects:
        at = int(columns.seq[line])
        if at != NO_SEQ and any(first <= at <= last for first, last in missing):
            stands[line], missing = at, _less(missing, at)
    for line in suspects:
        if line not in stands and missing:
            at = missing[0][0]
            stands[line], missing = at, _less(missing, at)
            torn |= columns.seq[line] == NO_SEQ
    for line in suspects:
        at = stands.get(line, NO_SEQ)
        why = _suspicion(columns, line)
        if at == NO_SEQ:
            findings.add(Finding("inserted", f"line {line + 1}: inserted: {why}, and none is missing here", line + 1))
        else:
            findings.add(Finding("altered", f"line {line + 1}: altered: {why} (seq {at})", line + 1, at))
    return missing, torn


def _suspicion(columns: _Columns, line: int) -> str:
    if columns.seq[line] == NO_SEQ:
        return "it is no record"
    return "the trail has no such record" if columns.intact[line] else "its contents give another hash"


def _less(runs: Iterable[tuple[int, int]], at: int) -> list[tuple[int, int]]:
    return [run for first, last in runs for run in _runs(first - 1, last + 1, [at] if first <= at <= last else [])]


def _broken_links(columns: _Columns, kept: Int64s, findings: Findings) -> None:
    """Records whose neighbours are chained to another one: altered, and hashed anew."""
    by_seq = kept[np.argsort(columns.seq[kept])]
    seq, own, prev = columns.seq[by_seq], columns.own[by_seq], columns.prev[by_seq]
    next_to = seq[1:] == seq[:-1] + 1
    broken = next_to & (prev[1:] != own[:-1])
    if len(seq) and seq[0] == 0 and prev[0] != 0:
        _say_rehashed(int(by_seq[0]), 0, "it does not begin the chain", findings)
    at = 0
    links = np.flatnonzero(broken).tolist()
    while at < len(links):
        run = at
        while run + 1 < len(links) and links[run + 1] == links[run] + 1:
            run += 1
        # one broken link: the record before it is another than it was; several in a row: those in between
        blamed = [links[at]] if run == at else list(range(links[at] + 1, links[run] + 1))
        for one in blamed:
            why = f"line {int(by_seq[one + 1]) + 1} is chained to another record"
            _say_rehashed(int(by_seq[one]), int(seq[one]), why, findings)
        at = run + 1


def _say_rehashed(line: int, seq: int, why: str, findings: Findings) -> None:
    findings.add(Finding("altered", f"line {line + 1}: altered and hashed anew: {why} (seq {seq})", line + 1, seq))
