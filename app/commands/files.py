"""What a command is given in a file, and where it writes one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from app.errors import InputError


def read_json(file: Path) -> Any:
    """Return what the file holds. Raises InputError naming it."""
    try:
        return msgspec.json.decode(file.read_bytes())
    except OSError as error:
        raise InputError(f"{file} can't be read: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{file} is not JSON: {error}") from None


def check_writable(file: Path | None) -> None:
    """Raise OSError where a file is named that can't be written; one that is not there is not made."""
    if file is not None:
        there = file.exists()
        file.open("ab").close()
        if not there:
            file.unlink()
