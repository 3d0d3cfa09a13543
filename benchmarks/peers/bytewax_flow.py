"""Peer: bytewax, a dataflow of one worker with its Kafka connectors."""

import sys
from typing import Any

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSinkMessage
from bytewax.connectors.kafka import operators as kafka
from bytewax.dataflow import Dataflow
from bytewax.run import cli_main

from benchmarks.peers.job import Asked, Job, asked, job


def flow_of(wanted: Asked, made: Job) -> Any:
    """Events in, decisions out."""
    brokers = wanted.bootstrap_servers.split(",")

    def decide(message: Any) -> Any:
        answer = made.answer(message.value)
        return None if answer is None else KafkaSinkMessage(message.key, answer)

    flow = Dataflow("riskbench")
    events = kafka.input("events", flow, brokers=brokers, topics=[wanted.events])
    kafka.output("decisions", op.filter_map("decide", events.oks, decide), brokers=brokers, topic=wanted.decisions)
    return flow


def main(wanted: Asked) -> None:
    """Decide until ended. It joins no group: it has its partitions as soon as it runs."""
    with job(wanted) as made:
        flow = flow_of(wanted, made)
        wanted.announce()
        cli_main(flow)


if __name__ == "__main__":
    main(asked(sys.argv[1:]))
