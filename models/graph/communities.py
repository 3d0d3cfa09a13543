"""Communities and centrality of a graph of accounts: Leiden (graspologic), PageRank and cores. It runs beside a thread
that decides: what takes long leaves Python's lock to that."""

from typing import Any

import graspologic_native
import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix, csr_matrix, diags
from scipy.sparse.csgraph import connected_components

from models.features.batch import Float32s, Int32s, Int64s
from models.graph.kernel.cores import core_numbers
from models.graph.kernel.layout import COMMUNITY_COLUMNS

Float64s = npt.NDArray[np.float64]

SEED = 1
"""Of Leiden's random moves: the same graph gives the same communities."""
DAMPING = 0.85
PAGERANK_TOLERANCE = 1e-10
PAGERANK_ROUNDS_MAX = 200


def describe_accounts(senders: Int64s, receivers: Int64s, transfers: Int64s, accounts: int) -> Float32s:
    """The columns of `catalog.COMMUNITY_FEATURES`, float32 [accounts, 6], of a graph of accounts 0, 1, 2, …

    `senders`, `receivers` and `transfers` are of one length: an entry a pair, with the number of its transfers; no pair
    is there twice and none is an account with itself. Every account has a link. Communities are Leiden's (Traag,
    Waltman and van Eck, From Louvain to Leiden, 2019) of the undirected graph weighted by transfers, at resolution 1.
    """
    weight = coo_matrix((transfers.astype(np.float64), (senders, receivers)), shape=(accounts, accounts)).tocsr()
    both = (weight + weight.T).tocsr()
    both.sort_indices()
    community = _communities(both, accounts)
    _, component = connected_components(both, directed=False)
    values = np.empty((accounts, COMMUNITY_COLUMNS), np.float32)
    size = np.bincount(community)
    values[:, 0] = size[community]
    values[:, 1], values[:, 2] = (column[community] for column in _cohesion(both, community, size))
    values[:, 3] = _pagerank(weight) * accounts
    values[:, 4] = core_numbers(both.indptr, both.indices)
    values[:, 5] = np.bincount(component)[component]
    return values


def _communities(both: csr_matrix, accounts: int) -> Int32s:
    _, found = graspologic_native.leiden_csr(
        both.indptr.astype(np.int64), both.indices.astype(np.int32), both.data, accounts, seed=SEED
    )
    return np.array([found[account] for account in range(accounts)], np.int32)


def _cohesion(both: csr_matrix, community: Int32s, size: npt.NDArray[Any]) -> tuple[Float64s, Float64s]:
    """For each community: the share of its members' links, by transfers, that stay inside, and the share of its
    possible pairs that are linked (NaN for an account by itself)."""
    links = both.tocoo()
    inside = community[links.row] == community[links.col]
    own = community[links.row]
    kept = np.bincount(own[inside], links.data[inside], len(size))
    pairs = np.bincount(own[inside], minlength=len(size))
    possible = size * (size - 1.0)
    density = np.full(len(size), np.nan)
    np.divide(pairs, possible, out=density, where=possible > 0)
    return kept / np.bincount(own, links.data, len(size)), density


def _pagerank(weight: csr_matrix) -> Float64s:
    """Page and others, The PageRank Citation Ranking (1998), by power iteration as in networkx: who sends nothing on
    gives to all alike; the end is where a round changes less than the tolerance an account."""
    accounts = weight.shape[0]
    sent = np.asarray(weight.sum(axis=1)).ravel()
    sends = sent > 0
    flow = (diags(np.divide(1.0, sent, out=np.zeros(accounts), where=sends)) @ weight).T.tocsr()
    keeps = ~sends
    rank = np.full(accounts, 1.0 / accounts)
    for _ in range(PAGERANK_ROUNDS_MAX):
        before = rank
        rank = DAMPING * (flow @ before + before[keeps].sum() / accounts) + (1.0 - DAMPING) / accounts
        if np.abs(rank - before).sum() < accounts * PAGERANK_TOLERANCE:
            break
    return rank
