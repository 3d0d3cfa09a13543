"""The graph kernel: one transfer in, two feature rows out, in arrival order.

Every account has two histories, of what it paid and of what it got, in event-time order; the graph is nothing but
these: a step along a transfer is a look into the other account's history. Work and memory are bounded: searches look at
the most recent transfers first and stop at stated numbers (`layout`), sums are differences of running totals, and with
every transfer the accounts that were silent for longest are forgotten. All sums are whole numbers: any split of the
stream into batches gives the same bits.

`layout` says where things stand, `ring` keeps a history, `arrival` takes a transfer in, `account` looks at one account,
`cycles` and `patterns` search the graph, `columns` turns it all into floats, `rows` puts them together.
"""

from models.graph.kernel.rows import compute_rows

__all__ = ["compute_rows"]
