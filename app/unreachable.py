"""Why a store could not be reached, worded for the operator who configured it. Pure.

Nothing of an error's own text is told: it may hold an address with its password.
"""

from __future__ import annotations

import socket
import sqlite3
import ssl
from collections.abc import Iterator

import asyncpg
from redis.exceptions import AuthenticationError
from redis.exceptions import ConnectionError as RedisLost
from redis.exceptions import TimeoutError as RedisSlow

_ANOTHER_NAME = frozenset({62, 64})  # X509_V_ERR_HOSTNAME_MISMATCH, …_IP_ADDRESS_MISMATCH
_NO_TLS, _HANGS_UP = "no TLS is spoken there", "it hangs up: perhaps it wants TLS"
POOLED = (
    "a pooler in front gives a connection another server for each transaction, which does not know what was "
    "prepared: let PgBouncer's pool_mode be session, or name PostgreSQL itself"
)


def why(error: BaseException) -> str | None:
    """Return what is wrong, None where that can't be said."""
    return next(filter(None, map(_why, _chain(error))), None)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield what led to the error, the first cause first: it says most."""
    if error is not None:
        yield from _chain(error.__cause__ or error.__context__)
        yield error


def _why(error: BaseException) -> str | None:
    match error:
        case ssl.SSLCertVerificationError() if error.verify_code in _ANOTHER_NAME:
            return "its certificate is for another name than the address has"
        case ssl.SSLCertVerificationError():
            return f"its certificate is not trusted ({error.verify_message}): set SSL_CERT_FILE to its own"
        case ssl.SSLError():
            return _NO_TLS if error.reason == "WRONG_VERSION_NUMBER" else f"TLS fails: {error.reason}"
        case socket.gaierror():
            return "there is no host of that name"
        case ConnectionRefusedError():
            return "nothing listens there"
        case FileNotFoundError():
            return "there is no file or socket of that name"
        case sqlite3.OperationalError() if "unable to open" in str(error):
            return "its file can't be opened: is its folder there, and may this user write to it?"
        case sqlite3.DatabaseError() if "not a database" in str(error):
            return "its file is not a database of SQLite's"
        case AuthenticationError() | asyncpg.InvalidAuthorizationSpecificationError():
            return "the user or the password is refused"
        case asyncpg.InvalidCatalogNameError():
            return "there is no database of that name"
        case asyncpg.DuplicatePreparedStatementError() | asyncpg.InvalidSQLStatementNameError():
            return POOLED
        case EOFError():
            return _HANGS_UP
        case RedisLost() if "closed by server" in str(error):
            return _HANGS_UP
        case RedisLost() if "Cluster mode is not enabled" in str(error):
            return "it is a single server: its address starts with redis:// or rediss://"
        case ConnectionError() if "rejected SSL" in str(error):
            return _NO_TLS
        case TimeoutError() | RedisSlow():
            return "it does not answer in time"
    return None
