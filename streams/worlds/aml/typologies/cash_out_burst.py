"""Cash-out burst: money comes in and is drawn in cash within days.

Looks like: a renovation paid in cash, a journey.
"""

from streams.worlds.aml.drafts import CASH_OUT, NONE
from streams.worlds.aml.plot import Plot
from streams.worlds.aml.typologies.typology import Typology


def play(plot: Plot) -> None:
    """Receive, then draw cash many times."""
    rng = plot.rng
    account = int(plot.people(1, "mule")[0])
    total = plot.stake(account)
    if rng.random() < 0.6:
        payers = plot.accomplices(account, int(rng.integers(1, 4)), "source")
        paid = plot.move(plot.begin_ns, payers, account, plot.parts(total, len(payers)), 40.0)
    else:
        count = int(rng.integers(1, 3))
        paid = plot.move(plot.begin_ns, NONE, account, plot.parts(total, count), 40.0, country=plot.abroad(account))
    count = int(rng.integers(4, 11))
    out = plot.parts(total * rng.uniform(0.8, 0.97), count, 0.4)
    plot.move(paid.max(), account, NONE, out, rng.uniform(20, 80), channel=CASH_OUT, round_share=0.9)
    plot.keep(account, 0.1 * total, paid.max())


TYPOLOGY = Typology("cash_out_burst", 0.032, play, ("cash_withdrawals",))
