"""Runs a compiled Shopify Function: JSON in by standard input, JSON out by standard output, fuel counted.

Shopify's own runner counts instructions of the same engine; what it adds is not on any registry.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from wasmtime import Config, Engine, Linker, Module, Store, WasiConfig

MOST_INSTRUCTIONS = 11_000_000
MOST_BYTES = 256_000
MOST_MEMORY = 10_000 * 1024


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run answered. instructions: the engine's fuel it took, the same in every run."""

    output: Any
    instructions: int


def run_function(wasm: Path, export: str, given: Mapping[str, Any] | bytes) -> Ran:
    """Return what the export answers. Raises wasmtime.Trap when it trips or takes more than Shopify gives."""
    engine, module = _compiled(wasm)
    store = Store(engine)
    store.set_fuel(MOST_INSTRUCTIONS)
    store.set_limits(memory_size=MOST_MEMORY)
    with TemporaryDirectory() as folder:
        written, told = Path(folder, "in"), Path(folder, "out")
        written.write_bytes(given if isinstance(given, bytes) else _packed(given))
        wasi = WasiConfig()
        wasi.stdin_file, wasi.stdout_file = str(written), str(told)
        store.set_wasi(wasi)
        linker = Linker(engine)
        linker.define_wasi()
        linker.instantiate(store, module).exports(store)[export](store)  # type: ignore[operator]
        left = store.get_fuel()
        store.close()  # writes what was told
        return Ran(json.loads(told.read_bytes()), MOST_INSTRUCTIONS - left)


def _packed(given: Mapping[str, Any]) -> bytes:
    return json.dumps(given, separators=(",", ":")).encode()


@lru_cache
def _compiled(wasm: Path) -> tuple[Engine, Module]:
    config = Config()
    config.consume_fuel = True
    engine = Engine(config)
    return engine, Module.from_file(engine, str(wasm))
