"""Peer: Faust as its documentation writes an app, an agent that takes one event after the other."""

import asyncio
import sys
import tempfile
from typing import Any

import faust

from benchmarks.peers.job import Asked, Job, asked, job


def app_of(wanted: Asked, made: Job, folder: str) -> Any:
    """The app. Its topics are there already, and nobody needs its web server."""
    app = faust.App(
        wanted.group,
        broker=f"kafka://{wanted.bootstrap_servers}",
        datadir=folder,
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
    )
    events = app.topic(wanted.events, key_serializer="raw", value_serializer="raw")
    decisions = app.topic(wanted.decisions, key_serializer="raw", value_serializer="raw")

    async def decide(stream: Any) -> None:
        async for event in stream.events():
            answer = made.answer(event.value)
            if answer is not None:
                await decisions.send(key=event.key, value=answer)

    async def announce() -> None:
        while not (app.consumer.assignment() and app.flow_control.is_active() and not app.rebalancing):
            await asyncio.sleep(0.05)
        wanted.announce()

    app.agent(events)(decide)
    app.task(announce)
    return app


def main(wanted: Asked) -> None:
    """Decide until ended."""
    with tempfile.TemporaryDirectory() as folder, job(wanted) as made:
        faust.Worker(app_of(wanted, made, folder), loglevel="WARNING").execute_from_commandline()


if __name__ == "__main__":
    main(asked(sys.argv[1:]))
