"""Files that a merchant takes away with a click."""

from __future__ import annotations

from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from typing import IO

from starlette.background import BackgroundTask
from starlette.responses import Response, StreamingResponse

_IN_MEMORY = 8 * 1024 * 1024
_CHUNK = 64 * 1024


def bounded_file() -> IO[bytes]:
    """Return an empty file, on disk from 8 MiB on: memory stays bounded. Who is sent it closes it."""
    return SpooledTemporaryFile(_IN_MEMORY)


def sent(file: IO[bytes], name: str, media_type: str) -> Response:
    """Return the answer that hands the file over from where it stands, and closes it."""
    closing = BackgroundTask(file.close)
    return StreamingResponse(_chunks(file), 200, attached(name), media_type, background=closing)


def attached(name: str) -> dict[str, str]:
    """Return the headers of a file that is kept under the name."""
    return {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK):
        yield chunk
