"""Communities and centrality of a graph of accounts: Leiden (graspologic), PageRank and cores (rustworkx)."""

from typing import Any

import graspologic_native
import numpy as np
import numpy.typing as npt
import rustworkx
from scipy.sparse import coo_matrix, csr_matrix, triu
from scipy.sparse.csgraph import connected_components

from models.features.batch import Float32s, Int32s, Int64s
from models.graph.kernel.layout import COMMUNITY_COLUMNS

Float64s = npt.NDArray[np.float64]

SEED = 1
"""Of Leiden's random moves: the same graph gives the same communities."""
PAGERANK_TOLERANCE = 1e-8
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
    values[:, 3] = _pagerank(senders, receivers, transfers, accounts) * accounts
    values[:, 4] = _core_numbers(both, accounts)
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


def _pagerank(senders: Int64s, receivers: Int64s, transfers: Int64s, accounts: int) -> Float64s:
    graph = rustworkx.PyDiGraph()
    graph.add_nodes_from(range(accounts))
    graph.add_edges_from(list(zip(senders.tolist(), receivers.tolist(), transfers.tolist(), strict=True)))
    found = rustworkx.pagerank(graph, weight_fn=float, tol=PAGERANK_TOLERANCE, max_iter=PAGERANK_ROUNDS_MAX)
    return np.array([found[account] for account in range(accounts)])


def _core_numbers(both: csr_matrix, accounts: int) -> Int64s:
    upper = triu(both, 1).tocoo()
    graph = rustworkx.PyGraph(multigraph=False)
    graph.add_nodes_from(range(accounts))
    graph.add_edges_from_no_data(list(zip(upper.row.tolist(), upper.col.tolist(), strict=True)))
    found: Any = rustworkx.core_number(graph)  # a mapping; its stub says otherwise
    return np.array([found[account] for account in range(accounts)], np.int64)
