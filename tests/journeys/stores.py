"""Everything that the app keeps, read byte for byte: each row of each table, each key and value of Redis."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from redis import Redis

from tests.journeys.small_stage import SmallStage

Kept = tuple[str, bytes]  # where, what


def everything_kept(stage: SmallStage) -> list[Kept]:
    """Return where something is kept and what, from both stores and the log of the app."""
    with stage.redis() as redis:
        return [*_rows(stage.database), *_keys(redis), ("log", stage.log.encode())]


def places_of(marker: str, kept: Iterable[Kept]) -> list[str]:
    """Return where the marker is found, so that a failure says it; a number also as packed values hold it."""
    sought = [marker.encode()]
    if marker.isdecimal():
        sought.append(int(marker).to_bytes(8, "big"))
    return sorted({where for where, what in kept if any(each in what for each in sought)})


def rows_of(stage: SmallStage, query: str, *values: Any) -> list[tuple[Any, ...]]:
    """Return what the app's database answers."""
    with sqlite3.connect(f"file:{stage.database}?mode=ro", uri=True) as database:
        found = database.execute(query, values).fetchall()
    database.close()
    return found


def _rows(path: Path) -> Iterator[Kept]:
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        named = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in named:
            for row in database.execute(f'SELECT * FROM "{table}"'):
                yield f"table {table}", b"\0".join(map(_bytes, row))
    finally:
        database.close()


def _keys(redis: Redis) -> Iterator[Kept]:
    for key in redis.scan_iter(count=1_000):
        kind = redis.type(key).decode()
        if read := _READ.get(kind):
            yield f"key {key.decode(errors='replace')}", key + b"\0" + _bytes(read(redis, key))


_READ: dict[str, Callable[[Redis, bytes], Any]] = {
    "string": lambda redis, key: redis.get(key),
    "hash": lambda redis, key: redis.hgetall(key),
    "list": lambda redis, key: redis.lrange(key, 0, -1),
    "set": lambda redis, key: redis.smembers(key),
    "zset": lambda redis, key: redis.zrange(key, 0, -1, withscores=True),
    "stream": lambda redis, key: redis.xrange(key),
}


def _bytes(value: Any) -> bytes:
    """Return the bytes of a value, of everything in it one after the other."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, dict):
        return b"\0".join(_bytes(key) + b"\0" + _bytes(item) for key, item in value.items())
    if isinstance(value, list | tuple | set):
        return b"\0".join(map(_bytes, value))
    return str(value).encode()
