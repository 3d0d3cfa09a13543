"""Peer: a plain poll loop in kafka-python."""

import sys
from itertools import chain

from kafka import KafkaConsumer, KafkaProducer

from benchmarks.peers.job import Asked, asked, end_on_sigterm, job


def main(wanted: Asked) -> None:
    """Decide until ended."""
    end_on_sigterm()
    with job(wanted) as made:
        consumer = KafkaConsumer(
            wanted.events,
            bootstrap_servers=wanted.bootstrap_servers,
            group_id=wanted.group,
            auto_offset_reset="earliest",
        )
        producer = KafkaProducer(bootstrap_servers=wanted.bootstrap_servers)
        announced = False
        try:
            while True:
                polled = consumer.poll(timeout_ms=100)
                if not announced and consumer.assignment():
                    announced = True
                    wanted.announce()
                for message in chain.from_iterable(polled.values()):
                    answer = made.answer(message.value)
                    if answer is not None:
                        producer.send(wanted.decisions, key=message.key, value=answer)
        finally:
            producer.close(5)
            consumer.close()


if __name__ == "__main__":
    main(asked(sys.argv[1:]))
