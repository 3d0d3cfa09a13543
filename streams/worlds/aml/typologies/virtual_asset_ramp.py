"""Virtual-asset ramp: money from others is turned into virtual assets in parts, soon after it came.

Looks like: somebody who trades virtual assets.
"""

from streams.worlds.aml.drafts import NONE, VIRTUAL_ASSET
from streams.worlds.aml.plot import Plot
from streams.worlds.aml.typologies.typology import Typology


def play(plot: Plot) -> None:
    """Collect, then buy virtual assets."""
    rng = plot.rng
    account = int(plot.people(1, "layer")[0])
    payers = plot.accomplices(account, int(rng.integers(2, 6)), "source")
    usd = plot.parts(0.8 * plot.stake(account), len(payers))
    paid = plot.move(plot.begin_ns, payers, account, usd, rng.uniform(15, 70))
    out = plot.parts(0.93 * usd.sum(), int(rng.integers(2, 6)))
    country = plot.abroad(account) if rng.random() < 0.6 else plot.market
    sold = plot.move(paid.max(), account, NONE, out, rng.uniform(8, 50), channel=VIRTUAL_ASSET, country=country)
    plot.keep(account, 0.25 * usd.sum(), sold.max())


TYPOLOGY = Typology("virtual_asset_ramp", 0.027, play, ("crypto_trader",))
