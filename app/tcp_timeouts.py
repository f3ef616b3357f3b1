"""TCP keepalive and user timeout: how soon a connection whose other end vanished is given up.

The kernel alone would wait for a quarter of an hour, or for ever where nothing is on its way.
"""

from __future__ import annotations

import socket

SILENT_S = 15
_WANTED = {"TCP_KEEPIDLE": 5, "TCP_KEEPINTVL": 5, "TCP_USER_TIMEOUT": SILENT_S * 1_000}  # Linux has all

TCP_OPTIONS = {getattr(socket, name): value for name, value in _WANTED.items() if hasattr(socket, name)}
OPTIONS = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    *((socket.IPPROTO_TCP, name, value) for name, value in TCP_OPTIONS.items()),
)


def set_timeouts(connection: socket.socket) -> None:
    """Have the kernel give the connection up when nothing on it was acknowledged for SILENT_S."""
    if connection.family != socket.AF_UNIX:
        for option in OPTIONS:
            connection.setsockopt(*option)
