"""TLS in front of servers that have none: what comes encrypted is handed on as it is.

`python -m tests.tls CERTIFICATE PORT:BEHIND …` serves until it is ended.
"""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from app.embedded_redis import end_with_parent

_SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
_Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def make_certificate(path: Path) -> None:
    """Write a key and a certificate for 127.0.0.1 that vouches for itself."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    path.write_bytes(secret + made.public_bytes(pem))


@contextmanager
def tls_in_front(certificate: Path, port: int, behind: int) -> Iterator[None]:
    """Answer TLS at the port for the one behind it, from a process of its own."""
    command = [sys.executable, "-m", "tests.tls", str(certificate), f"{port}:{behind}"]
    ending = end_with_parent if sys.platform == "linux" else None
    with subprocess.Popen(command, preexec_fn=ending) as process:
        try:
            yield
        finally:
            process.terminate()


@asynccontextmanager
async def tls_in_front_of_postgresql(certificate: Path, path: str) -> AsyncIterator[int]:
    """Yield the port at which a PostgreSQL's unix socket is reached over TLS, once that was asked for."""
    context = _context(certificate)

    async def hand_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            assert await reader.readexactly(8) == _SSL_REQUEST
            writer.write(b"S")
            await writer.start_tls(context)
            from_server, to_server = await asyncio.open_unix_connection(path)
            await asyncio.gather(_copy(reader, to_server), _copy(from_server, writer))
        writer.transport.abort()

    async with await asyncio.start_server(hand_on, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


def _context(certificate: Path | str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return context


async def _serve(certificate: str, *ports: str) -> None:
    context = _context(certificate)
    for each in ports:
        port, behind = map(int, each.split(":"))
        await asyncio.start_server(_handing_on(behind), "127.0.0.1", port, ssl=context)
    await asyncio.Event().wait()


def _handing_on(behind: int) -> _Handler:
    async def hand_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_connection("127.0.0.1", behind)
        await asyncio.gather(_copy(reader, to_server), _copy(from_server, writer))

    return hand_on


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while part := await reader.read(65_536):
            writer.write(part)
            await writer.drain()
    writer.close()


if __name__ == "__main__":
    asyncio.run(_serve(*sys.argv[1:]))
