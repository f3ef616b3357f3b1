"""The admin's scripts and styles."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response
from starlette.staticfiles import StaticFiles


class OwnFiles(StaticFiles):
    """Files that a browser asks about each time, and is sent only where they changed.

    Left to itself it keeps a file for a tenth of its age: pages of a new version would run scripts of the
    one before, for days.
    """

    def file_response(self, *told: Any, **options: Any) -> Response:
        """Return the file, or that it is as the browser has it."""
        response = super().file_response(*told, **options)
        response.headers["Cache-Control"] = "no-cache"
        return response
