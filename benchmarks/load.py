"""Load on one server: wrk where it is installed, else a small generator on raw sockets."""

from __future__ import annotations

import asyncio
import gc
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from random import Random
from time import perf_counter

_WRK = """
local requests = {}
for line in io.lines("%s") do
  table.insert(requests, (line:gsub("\\\\r", "\\r"):gsub("\\\\n", "\\n")))
end
local at = 0
request = function()
  at = at %% #requests + 1
  return requests[at]
end
done = function(summary, latency, requests)
  print("99.9%%  " .. latency:percentile(99.9) .. "us")
end
"""
_FIGURES = {
    "per_second": re.compile(r"Requests/sec:\s+([\d.]+)"),
    "p50_ms": re.compile(r"50%\s+([\d.]+)(us|ms|s)"),
    "p99_ms": re.compile(r"99%\s+([\d.]+)(us|ms|s)"),
    "p999_ms": re.compile(r"99\.9%\s+([\d.]+)(us|ms|s)"),
    "failed": re.compile(r"Non-2xx or 3xx responses: (\d+)"),
}
PACED_CONNECTIONS = 128
_TO_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


@dataclass(frozen=True, slots=True)
class Load:
    """What a server did under load. failed: answers that were not 2xx or never came."""

    per_second: float
    p50_ms: float
    p99_ms: float
    failed: int
    p999_ms: float = 0.0


def request(method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b"") -> bytes:
    """Return an HTTP/1.1 request as it goes over the wire."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    lines += [f"Content-Length: {len(body)}"] if body else []
    return "\r\n".join([*lines, "", ""]).encode() + body


def measure(port: int, requests: Sequence[bytes], *, connections: int, seconds: float) -> Load:
    """Return how the server on this port copes when so many connections ask without pause."""
    if shutil.which("wrk"):
        return _wrk(port, requests, connections, seconds)
    with _without_pauses():
        return asyncio.run(_sockets(port, requests, connections, seconds))


def _wrk(port: int, requests: Sequence[bytes], connections: int, seconds: float) -> Load:
    with tempfile.TemporaryDirectory(prefix="tillwise-wrk") as directory:
        lines, script = Path(directory, "requests"), Path(directory, "requests.lua")
        escaped = (each.decode().replace("\r", "\\r").replace("\n", "\\n") for each in requests)
        lines.write_text("\n".join(escaped) + "\n")
        script.write_text(_WRK % lines)
        command = [
            "wrk",
            "-t1",
            f"-c{connections}",
            f"-d{max(1, round(seconds))}s",
            "--latency",
            "-s",
            str(script),
        ]
        done = subprocess.run(
            [*command, f"http://127.0.0.1:{port}"], capture_output=True, text=True, check=True
        )
    return Load(
        per_second=float(_found(done.stdout, "per_second")[1]),
        p50_ms=_milliseconds(_found(done.stdout, "p50_ms")),
        p99_ms=_milliseconds(_found(done.stdout, "p99_ms")),
        failed=int(match[1]) if (match := _FIGURES["failed"].search(done.stdout)) else 0,
        p999_ms=_milliseconds(_found(done.stdout, "p999_ms")),
    )


def _found(output: str, figure: str) -> re.Match[str]:
    match = _FIGURES[figure].search(output)
    if match is None:
        raise RuntimeError(f"wrk did not say {figure}:\n{output}")
    return match


def _milliseconds(match: re.Match[str]) -> float:
    return float(match[1]) * _TO_MS[match[2]]


async def _sockets(port: int, requests: Sequence[bytes], connections: int, seconds: float) -> Load:
    turn, asked = cycle(requests), Asked()
    end = perf_counter() + seconds

    async def ask() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (started := perf_counter()) < end:
            await asked.one(reader, writer, next(turn), started)
        writer.close()

    await asyncio.gather(*(ask() for _ in range(connections)))
    return asked.load(seconds)


def paced(port: int, requests: Sequence[bytes], *, per_second: float, seconds: float) -> Load:
    """Return how the server copes when so many ask each second, at random, whether or not it keeps up.

    Each waits from the moment it comes: also for one of the connections, where all are busy.
    """
    with _without_pauses():
        return asyncio.run(_paced(port, requests, per_second, seconds))


@contextmanager
def _without_pauses() -> Iterator[None]:
    """Let no collection of garbage hold up who asks: its pauses of 150 ms would be told of the server."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


async def _paced(port: int, requests: Sequence[bytes], per_second: float, seconds: float) -> Load:
    asked, free = Asked(), asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]]()
    for _ in range(PACED_CONNECTIONS):
        free.put_nowait(await asyncio.open_connection("127.0.0.1", port))

    async def ask(request: bytes, due: float) -> None:
        connection = await free.get()
        await asked.one(*connection, request, due)
        free.put_nowait(connection)

    random, turn, due = Random(3), cycle(requests), perf_counter()
    end, tasks = due + seconds, []
    while due < end:
        await asyncio.sleep(max(0.0, due - perf_counter()))
        tasks.append(asyncio.create_task(ask(next(turn), due)))
        due += random.expovariate(per_second)
    await asyncio.gather(*tasks)
    while not free.empty():
        free.get_nowait()[1].close()
    return asked.load(seconds)


class Asked:
    """Answers as they came: how long each took, and how many were none."""

    def __init__(self) -> None:
        self._took: list[float] = []
        self._failed = 0

    async def one(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes, since: float
    ) -> None:
        """Ask once and note how long it took since then."""
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        await reader.readexactly(int(length[1]) if length else 0)
        self._took.append(perf_counter() - since)
        self._failed += not head.startswith(b"HTTP/1.1 2")

    def load(self, seconds: float) -> Load:
        """Return what it came to in so many seconds."""
        took = sorted(self._took)
        p50, p99, p999 = (took[int(len(took) * share)] * 1000 for share in (0.5, 0.99, 0.999))
        return Load(len(took) / seconds, p50, p99, self._failed, p999)
