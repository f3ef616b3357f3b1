"""A network behind a router that can be made to drop every packet, and tells neither side. Linux, root.

Servers stay where they are: what is reached there are ways (`tests.way`) that begin in that network.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

_NETWORKS = Path("/run/netns")
_CLONE_NEWNET = 0x40000000


@dataclass(frozen=True)
class FarNetwork:
    """The network of servers. router, far: the namespaces. address: of the servers."""

    router: str
    far: str
    address: str

    def drop(self) -> None:
        """Lose what goes to and fro from now on."""
        self._carry(0)

    def carry(self) -> None:
        self._carry(1)

    def _carry(self, carries: int) -> None:
        _ip("netns", "exec", self.router, "sh", "-c", f"echo {carries} > /proc/sys/net/ipv4/ip_forward")

    def listener(self) -> socket.socket:
        """Return a socket that listens there, at a port of its own."""
        with ThreadPoolExecutor(1) as thread:  # it alone goes there, and ends
            return thread.submit(self._listener).result()

    def _listener(self) -> socket.socket:
        with (_NETWORKS / self.far).open() as network:
            if ctypes.CDLL(None, use_errno=True).setns(network.fileno(), _CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "the network can't be entered")
        return socket.create_server((self.address, 0))


@contextmanager
def far_network() -> Iterator[FarNetwork]:
    """Yield such a network, which this machine has a route to. Skips where none can be made."""
    if sys.platform != "linux" or shutil.which("ip") is None or os.geteuid():
        pytest.skip("networks can only be made by root, with iproute2 (Debian: apt-get install iproute2)")
    number = os.getpid() % 250
    near, beyond = f"10.213.{number}", f"10.214.{number}"
    made = FarNetwork(f"tw-router-{os.getpid()}", f"tw-far-{os.getpid()}", f"{beyond}.2")
    link = f"tw{os.getpid()}"
    try:
        try:
            _build(made, link, near, beyond)
        except subprocess.CalledProcessError as error:
            pytest.skip(f"no network can be made here: {error.stderr.decode().strip()}")
        yield made
    finally:
        for network in (made.router, made.far):  # and with them their links and this machine's route
            with suppress(subprocess.CalledProcessError):
                _ip("netns", "delete", network)


def _build(made: FarNetwork, link: str, near: str, beyond: str) -> None:
    for network in (made.router, made.far):
        _ip("netns", "add", network)
    _ip("link", "add", link, "type", "veth", "peer", "name", "near", "netns", made.router)
    _ip("-n", made.router, "link", "add", "beyond", "type", "veth", "peer", "name", "eth", "netns", made.far)
    for network, name, address in (
        (made.router, "near", f"{near}.1"),
        (made.router, "beyond", f"{beyond}.1"),
        (made.far, "eth", made.address),
    ):
        _ip("-n", network, "address", "add", f"{address}/24", "dev", name)
        _ip("-n", network, "link", "set", name, "up")
    _ip("address", "add", f"{near}.2/24", "dev", link)
    _ip("link", "set", link, "up")
    _ip("route", "add", f"{beyond}.0/24", "via", f"{near}.1")
    _ip("-n", made.far, "route", "add", "default", "via", f"{beyond}.1")
    made.carry()


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
