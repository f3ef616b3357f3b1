import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import redis

from app.embedded_redis import embedded_redis

START = """
import sys, time
from pathlib import Path
from app.embedded_redis import embedded_redis
with embedded_redis(Path(sys.argv[1])) as address:
    print(address, flush=True)
    time.sleep(60)
"""


def test_what_was_written_is_there_after_a_restart(tmp_path: Path) -> None:
    with embedded_redis(tmp_path) as address, redis.Redis.from_url(address) as client:
        client.set("kept", "yes")
    with embedded_redis(tmp_path) as address, redis.Redis.from_url(address) as client:
        assert client.get("kept") == b"yes"


def test_a_second_process_uses_the_server_of_the_first(tmp_path: Path) -> None:
    with embedded_redis(tmp_path) as first, embedded_redis(tmp_path) as second:
        assert first == second


def test_a_second_process_goes_on_when_the_first_ends(tmp_path: Path) -> None:
    command = [sys.executable, "-c", START, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        address = first.stdout.readline().strip()
        with embedded_redis(tmp_path), redis.Redis.from_url(address) as client:
            client.set("kept", "yes")
            before = int(client.info("server")["process_id"])
            first.terminate()
            assert _gone(before)
            assert _server_at(client) != before
            assert client.get("kept") == b"yes"


def test_a_long_path_still_gets_a_socket(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    with embedded_redis(deep) as address, redis.Redis.from_url(address) as client:
        assert client.ping()


def test_the_server_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    command = [sys.executable, "-c", START, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        address = owner.stdout.readline().strip()
        with redis.Redis.from_url(address) as client:
            server = int(client.info("server")["process_id"])
        owner.send_signal(signal.SIGKILL)
    assert _gone(server)


def test_a_server_that_dies_is_started_again_with_what_it_held(tmp_path: Path) -> None:
    with embedded_redis(tmp_path) as address, redis.Redis.from_url(address) as client:
        client.set("kept", "yes")
        first = int(client.info("server")["process_id"])
        os.kill(first, signal.SIGKILL)
        assert _gone(first)
        second = _server_at(client)
        assert second != first
        assert client.get("kept") == b"yes"
    assert _gone(second)


def _server_at(client: redis.Redis) -> int:
    for _ in range(500):
        with suppress(redis.RedisError):
            client.ping()  # while it loads what it held it tells of itself, and of nothing else
            return int(client.info("server")["process_id"])
        time.sleep(0.02)
    raise AssertionError("the server did not come back")


def _gone(pid: int) -> bool:
    for _ in range(500):
        try:
            os.kill(pid, 0)
            if Path(f"/proc/{pid}/stat").exists() and " Z " in Path(f"/proc/{pid}/stat").read_text():
                return True
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False
