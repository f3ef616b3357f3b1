"""Guards against SSRF: messages are sent to public addresses only. Pure."""

from __future__ import annotations

import re
from ipaddress import IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from app.errors import InputError

_MOST = 2_000
_HOST = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]", re.ASCII)
_UNICAST = IPv6Network("2000::/3")
# Teredo and 6to4 hold an IPv4 address, which may be of a network of our own.
_TRANSLATED = (IPv6Network("2001::/32"), IPv6Network("2002::/16"))


def check_url(text: str) -> str:
    """Return the address of a webhook. Raises InputError saying what is wrong with it.

    https on its usual port, a host by name, no user or password, no fragment.
    """
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        raise InputError("the address of the webhook can't be read", "url") from None
    if len(text) > _MOST or not text.isascii() or any(character <= " " for character in text):
        raise InputError(f"the address is up to {_MOST} plain characters without spaces", "url")
    if url.scheme != "https" or port not in (None, 443):
        raise InputError("the address begins with https:// and names no other port than 443", "url")
    if url.username is not None or url.password is not None or url.fragment:
        raise InputError("the address has no user, no password and no fragment", "url")
    if not _HOST.fullmatch((url.hostname or "").lower()):
        raise InputError("the address names its host, such as hooks.example.com", "url")
    return text


def is_public(address: str) -> bool:
    """Return whether an IP address is one of the public internet: no network of our own, no loopback."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_public(str(ip.ipv4_mapped))
        if ip not in _UNICAST or any(ip in network for network in _TRANSLATED):
            return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved
