"""A process that holds many shops is not stopped by the number of files that a shell would let it have."""

import sys
from collections.abc import Iterator

import pytest

from app.processes import allow_open_files

if sys.platform == "win32":
    pytest.skip("there is no such limit", allow_module_level=True)
import resource


@pytest.fixture
def few() -> Iterator[int]:
    """Let this process have few, and what it had again."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))
    yield hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_process_allows_itself_as_many_files_as_it_may(few: int) -> None:
    allow_open_files()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert hard == few
    assert soft == min(hard, 65_536) or hard == resource.RLIM_INFINITY
