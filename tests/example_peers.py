"""A comparison's content as a command leaves it."""

from typing import Any

from harness.peers.turn import Turn


def turn(name: str, rate_per_s: float, p99_ms: float | None, **more: Any) -> dict[str, Any]:
    held = p99_ms is not None and p99_ms <= 100.0
    figures = {"p50_ms": 1.0, "p999_ms": p99_ms, "cpu_s_per_million": rate_per_s / 10.0, "memory_mb": 200.0}
    known: dict[str, Any] = {} if p99_ms is None else {"p99_ms": p99_ms, **figures}
    return Turn(name, rate_per_s, held=held, why=None if held else "slow", **known, **more).to_dict()


def contender(name: str, title: str, kind: str, capacity: float | None, not_held: float | None) -> dict[str, Any]:
    return {
        "name": name, "title": title, "kind": kind, "version": "1.2" if kind == "peer" else None,
        "capacity_per_s": capacity, "at_least": capacity is not None and not_held is None,
        "not_held_per_s": not_held, "compared": 10, "differing": 0,
    }  # fmt: skip


def content() -> dict[str, Any]:
    return {
        "complete": True,
        "setting": {
            "command": "bench peers fraud", "date": "2026-01-02", "broker": "Apache Kafka 4", "partitions": 4,
            "machine": "2 cores", "limit": "P99 ≤ 100 ms", "limit_ms": 100.0, "warmup_s": 3.0, "duration_s": 5.0,
        },
        "contenders": [
            contender("native", "Riskbench, native", "ours", 4_000.0, 8_000.0),
            contender("null", "null scorer (floor)", "floor", 8_000.0, None),
            contender("quix", "Quix Streams", "peer", 1_000.0, 2_000.0),
            contender("slow", "Slow", "peer", None, 1_000.0),
        ],
        "absent": {"bytewax": "no wheel"},
        "turns": [
            turn("native", 1_000.0, 12.0), turn("null", 1_000.0, 6.0), turn("quix", 1_000.0, 60.0),
            turn("native", 4_000.0, 200.0), turn("native", 4_000.0, 50.0), turn("null", 8_000.0, 9.0),
            turn("native", 8_000.0, 900.0, by_harness=True), turn("quix", 2_000.0, 700.0), turn("slow", 1_000.0, None),
        ],
    }  # fmt: skip
