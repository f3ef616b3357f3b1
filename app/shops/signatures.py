"""Shopify's signatures: what is signed, with which secret, and whether it matches. Pure."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable, Sequence


def hmac_hex(secret: str, message: bytes) -> str:
    """Return HMAC-SHA256 in lower-case hex, as queries carry it."""
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def hmac_base64(secret: str, message: bytes) -> str:
    """Return HMAC-SHA256 in base64, as webhooks carry it."""
    return base64.b64encode(hmac.digest(secret.encode(), message, "sha256")).decode()


def same(given: str, expected: str) -> bool:
    """Return whether both are equal, in a time that says nothing about where they differ."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())


def signs_body(signature: str, body: bytes, secrets: Iterable[str]) -> bool:
    """Return whether the base64 signature is of these raw bytes by any of the secrets."""
    return any(same(signature, hmac_base64(secret, body)) for secret in secrets)


def signs_proxy(signature: str, pairs: Sequence[tuple[str, str]], secrets: Sequence[str]) -> bool:
    """Return whether the hex signature is of the app proxy's query by any of the secrets.

    pairs: the query without `signature`, decoded, in any order.
    """
    # The same secret signs the addresses of the app's pages, to which a merchant may add parameters. Parted
    # anew they would be the query of another shop, but for the time behind an `&`, which each of them has.
    messages = [each for each in proxy_messages(pairs) if "&timestamp=" not in each]
    return any(same(signature, hmac_hex(s, m.encode())) for s in secrets for m in messages)


def proxy_messages(pairs: Sequence[tuple[str, str]]) -> set[str]:
    """Return what an app proxy may have signed: joined repeats, sorted, nothing in between.

    Shopify's docs sort whole `key=value` strings and its libraries sort by key; the two differ
    when one key begins with another (`a`, `a1`), so both are right.
    """
    values: dict[str, list[str]] = {}
    for key, value in pairs:
        values.setdefault(key, []).append(value)
    joined = {key: f"{key}={','.join(several)}" for key, several in values.items()}
    return {"".join(sorted(joined.values())), "".join(joined[key] for key in sorted(joined))}
