"""The signature of a message to another system: HMAC-SHA256 over the time and the body. Pure."""

from __future__ import annotations

import hmac
import re
from hashlib import sha256

HEADER = "Tillwise-Signature"
WINDOW_S = 300
_FORM = re.compile(r"t=([0-9]{1,12}),v1=([0-9a-f]{64})", re.ASCII)


def signed(secret: str, body: bytes, now: int) -> str:
    """Return the header's value, `t=<epoch seconds>,v1=<hex>`: v1 signs `<t>.<body>`."""
    digest = hmac.new(secret.encode(), f"{now}.".encode() + body, sha256).hexdigest()
    return f"t={now},v1={digest}"


def verified(secret: str, header: str, body: bytes, now: int, window_s: int = WINDOW_S) -> bool:
    """Return whether the header signs this body and is not older, or more in the future, than the window."""
    form = _FORM.fullmatch(header)
    if form is None or abs(now - int(form[1])) > window_s:
        return False
    return hmac.compare_digest(signed(secret, body, int(form[1])), header)
