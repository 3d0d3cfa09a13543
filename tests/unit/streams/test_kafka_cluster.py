"""Nodes of one cluster: one identity together, places of their own, every record on more than half of them."""

from pathlib import Path

import pytest

from streams.brokers.kafka_cluster import KafkaCluster, NodePlace, cluster_settings
from streams.brokers.kafka_server import meta_properties_text
from streams.errors import BrokerError

NODES = [NodePlace(number, 9000 + number, 9100 + number, Path(f"/run/node-{number}")) for number in (1, 2, 3)]


def test_nodes_know_each_other_and_share_nothing_else() -> None:
    found = [cluster_settings(node, NODES) for node in NODES]
    voters = {settings["controller.quorum.voters"] for settings in found}
    assert voters == {"1@127.0.0.1:9101,2@127.0.0.1:9102,3@127.0.0.1:9103"}
    for own in ("node.id", "listeners", "advertised.listeners", "log.dirs"):
        assert len({settings[own] for settings in found}) == 3, own


def test_every_topic_has_three_copies_and_needs_two() -> None:
    settings = cluster_settings(NODES[0], NODES)
    for name in ("offsets.topic", "transaction.state.log", "share.coordinator.state.topic"):
        assert settings[f"{name}.replication.factor"] == "3"
    assert (settings["default.replication.factor"], settings["min.insync.replicas"]) == ("3", "2")
    assert settings["transaction.state.log.min.isr"] == "2"


def test_the_cluster_is_one_and_its_storages_are_three() -> None:
    texts = [meta_properties_text(node.data, node_id=node.number, cluster="run") for node in NODES]
    entries = [dict(line.split("=", 1) for line in text.splitlines()) for text in texts]
    assert len({entry["cluster.id"] for entry in entries}) == 1
    assert [entry["node.id"] for entry in entries] == ["1", "2", "3"]
    assert len({entry["directory.id"] for entry in entries}) == 3


def test_it_has_no_address_before_it_is_started(tmp_path: Path) -> None:
    with pytest.raises(BrokerError, match="not started"):
        _ = KafkaCluster(tmp_path, tmp_path).connection
