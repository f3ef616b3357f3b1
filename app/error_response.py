"""Turns one of our errors into the JSON response to a request."""

from __future__ import annotations

from starlette.responses import JSONResponse

from app.errors import InputError, TillwiseError, TooOften


def error_response(error: TillwiseError) -> JSONResponse:
    """Return the error as JSON with its status: what was wrong, and with which field."""
    body = {"error": str(error)}
    if isinstance(error, InputError) and error.field:
        body["field"] = error.field
    headers = {"Retry-After": str(error.wait_s)} if isinstance(error, TooOften) else None
    return JSONResponse(body, error.status, headers)
