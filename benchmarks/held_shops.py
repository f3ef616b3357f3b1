"""What a process holds that was asked about every one of 10,000 shops of ten products, each with a model.

All of them fit: a process lets go only beyond `MOST_PRODUCTS`. From the hundredth shop on the model is one on
disk that each has under its own name. What is mapped from files is told beside what is held in memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import process_time

from app.config import Settings
from app.connections import connect
from app.live import LiveShops
from benchmarks.decide_shops import MODELS, fill, shop_named
from benchmarks.server import own_stores

COUNTS = (1_000, 10_000)


@dataclass(frozen=True, slots=True)
class Held:
    """What the shops take, together and each, and what loading one took of the processor.

    maps: files that are mapped, of which the system allows a process 65,530 unless told otherwise.
    """

    shops: int
    own_mb: float
    mapped_mb: float
    maps: int
    load_ms: float


def main(counts: Sequence[int] = COUNTS) -> list[Held]:
    """Return what was measured for each count of shops, printed as well."""
    found = []
    for count in counts:
        with own_stores() as stores:
            found.append(asyncio.run(_measured(stores.settings, stores.redis_url, count)))
        each = found[-1]
        kb = each.own_mb / count * 1024
        print(
            f"{count:6d} shops held: {each.own_mb:.0f} MB of its own, {kb:.0f} KB a shop; "
            f"{each.mapped_mb:.0f} MB mapped from {each.maps} files; {each.load_ms:.1f} ms a load"
        )
    return found


async def _measured(settings: Settings, redis_url: str, count: int) -> Held:
    await fill(settings, redis_url, count)
    models = settings.data_dir / "models"
    for number in range(MODELS, count):
        (models / shop_named(number)).symlink_to(models / shop_named(0))
    async with connect(settings, redis_url) as connections:
        live = LiveShops(connections)
        before, maps, began = _memory_mb(), _maps(), process_time()
        for number in range(count):
            snapshot = await live.get(shop_named(number))
            assert snapshot is not None
            assert snapshot.model is not None
        took_s, after = process_time() - began, _memory_mb()
        return Held(
            shops=count,
            own_mb=after["RssAnon"] - before["RssAnon"],
            mapped_mb=after["RssFile"] - before["RssFile"],
            maps=_maps() - maps,
            load_ms=took_s / count * 1_000,
        )


def _memory_mb() -> dict[str, float]:
    lines = Path("/proc/self/status").read_text().splitlines()
    return {line.split(":")[0]: int(line.split()[1]) / 1024 for line in lines if line.startswith("Rss")}


def _maps() -> int:
    return sum(1 for line in Path("/proc/self/maps").read_text().splitlines() if ".npy" in line)


if __name__ == "__main__":
    main()
