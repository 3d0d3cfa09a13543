"""What engine flink runs in: an environment apart with PyFlink, which wants older packages than ours, and Flink's Kafka
connector."""

from harness.apart import environment_apart
from harness.cache import ROOT
from harness.scorers import FlinkHome
from harness.training import Workshop
from streams.brokers.jars import KafkaLock, read_lock, resolve_jars

ENGINES = ROOT / "scorer" / "engines"


def connector_lock() -> KafkaLock:
    """The one jar of Flink's Kafka connector, with its checksum."""
    path = ENGINES / "flink-connector.lock"
    return read_lock(path, leading="flink-sql-connector", name="flink-connector", title="Flink's Kafka connector")


def flink_home(shop: Workshop) -> FlinkHome:
    """Environment and connector, from the cache where they are there.

    Raises RunInvalidError or BrokerError when they cannot be had.
    """
    python = environment_apart("flink", ENGINES / "flink.lock", shop, wheels_only=False)
    home = resolve_jars(
        shop.cache, lock=connector_lock(), progress=lambda what, done, of: shop.say(f"{what} {done}/{of}")
    )
    return FlinkHome(python, home.jars[0])
