"""Core numbers of an undirected graph, by taking away the accounts with the fewest links left, one after the other."""

import numpy as np

from models.features.batch import Int32s, Int64s
from streams.kernels.compiled import compiled


@compiled
def core_numbers(starts: Int32s, neighbours: Int32s) -> Int64s:
    """The core number of each account, int64 [accounts]: the largest k such that it is in a part of the graph where
    everybody has k links. `neighbours[starts[a]:starts[a + 1]]` are those of account a, each both ways and none twice.

    Accounts lie sorted by the links they have left; who loses one changes place with the first of his like (Batagelj
    and Zaversnik, An O(m) Algorithm for Cores Decomposition of Networks, 2003).
    """
    accounts = len(starts) - 1
    left = np.empty(accounts, np.int64)
    for account in range(accounts):
        left[account] = starts[account + 1] - starts[account]
    order, place, first = _sorted_by(left)
    for turn in range(accounts):
        account = order[turn]
        for link in range(starts[account], starts[account + 1]):
            other = neighbours[link]
            if left[other] > left[account]:
                _one_less(other, left, order, place, first)
    return left


@compiled
def _sorted_by(left: Int64s) -> tuple[Int64s, Int64s, Int64s]:
    """The accounts in the order of their links, the place of each in it, and where those with so many links begin."""
    accounts = len(left)
    first = np.zeros(left.max() + 2 if accounts else 2, np.int64)
    for account in range(accounts):
        first[left[account] + 1] += 1
    for links in range(1, len(first)):
        first[links] += first[links - 1]
    free = first.copy()
    order, place = np.empty(accounts, np.int64), np.empty(accounts, np.int64)
    for account in range(accounts):
        place[account] = free[left[account]]
        order[place[account]] = account
        free[left[account]] += 1
    return order, place, first


@compiled
def _one_less(account: int, left: Int64s, order: Int64s, place: Int64s, first: Int64s) -> None:
    """Take a link from an account: it becomes the last of those with one less."""
    links = left[account]
    leader = order[first[links]]
    if leader != account:
        order[place[account]], order[first[links]] = leader, account
        place[leader], place[account] = place[account], first[links]
    first[links] += 1
    left[account] = links - 1
