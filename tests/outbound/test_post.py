"""A message reaches the very host that was named and looked at, over TLS, and nobody else."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.outbound import post as post_module
from app.outbound.post import Post, resolve

URL = "https://hooks.example.com/in?shop=1"
NO_CONNECTION = "no connection, or a certificate that is not good for the host"
Handler = Callable[[httpx.Request], httpx.Response]


def to(*addresses: str) -> Callable[[str], Awaitable[list[str]]]:
    async def found(_host: str) -> list[str]:
        return list(addresses)

    return found


async def sent(handler: Handler, *addresses: str, url: str = URL) -> str | None:
    async with httpx.AsyncClient(transport=httpx.MockTransport(handler)) as client:
        return await Post(client, to(*addresses)).send(url, b"{}", {"X": "y"})


def refuse(request: httpx.Request) -> httpx.Response:
    raise AssertionError(f"nothing was to be sent, and {request.url} was")


async def test_the_connection_goes_to_the_address_that_was_looked_at() -> None:
    seen: list[httpx.Request] = []

    def take(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(204)

    assert await sent(take, "8.8.8.8", "8.8.4.4") is None
    (request,) = seen
    assert str(request.url) == "https://8.8.8.8/in?shop=1"
    assert request.headers["Host"] == "hooks.example.com"
    assert request.extensions["sni_hostname"] == "hooks.example.com"
    assert (request.content, request.headers["X"]) == (b"{}", "y")


@pytest.mark.parametrize(
    "addresses", [(), ("127.0.0.1",), ("10.0.0.1",), ("169.254.169.254",), ("::1",), ("8.8.8.8", "127.0.0.1")]
)
async def test_nothing_is_sent_to_a_host_with_an_address_of_our_own(addresses: tuple[str, ...]) -> None:
    assert await sent(refuse, *addresses) == "the host has no address, or one that is not public"


async def test_nothing_is_sent_to_an_address_that_can_be_no_webhook() -> None:
    assert "https://" in (await sent(refuse, "8.8.8.8", url="http://hooks.example.com/") or "")


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 401, 404, 410, 429, 500, 503])
async def test_anything_but_a_2xx_is_not_taken_and_a_redirect_is_not_followed(status: int) -> None:
    def redirect(request: httpx.Request) -> httpx.Response:
        assert request.url.host == "8.8.8.8"
        return httpx.Response(status, headers={"Location": "https://127.0.0.1/"})

    assert await sent(redirect, "8.8.8.8") == f"HTTP {status}"


async def test_a_receiver_that_can_not_be_reached_is_a_reason_and_no_error() -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("somewhere in our network")

    assert await sent(fail, "8.8.8.8") == NO_CONNECTION


async def test_a_host_that_does_not_exist_is_a_reason_and_no_error() -> None:
    async def unknown(_host: str) -> list[str]:
        raise OSError("Name or service not known")

    async with httpx.AsyncClient(transport=httpx.MockTransport(refuse)) as client:
        assert await Post(client, unknown).send(URL, b"", {}) == "OSError"


async def test_this_machines_own_name_leads_to_addresses_that_are_refused() -> None:
    async with httpx.AsyncClient(transport=httpx.MockTransport(refuse)) as client:
        post = Post(client, lambda _host: resolve("localhost"))
        assert await post.send(URL, b"", {}) == "the host has no address, or one that is not public"


async def test_a_receiver_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(post_module, "_IN_ALL_S", 0.05)

    async def never(_host: str) -> list[str]:
        await asyncio.Event().wait()
        return []

    async with httpx.AsyncClient(transport=httpx.MockTransport(refuse)) as client:
        assert await Post(client, never).send(URL, b"", {}) == "no answer within 0 seconds"


async def test_the_named_hosts_certificate_is_asked_for_and_checked(tmp_path: Path) -> None:
    async with receiver(tmp_path, "localhost.example.com") as (asked, trusted, port):
        posts = {
            host: await over_tls(trusted, port, host)
            for host in ("localhost.example.com", "other.example.com")
        }
    assert posts == {"localhost.example.com": None, "other.example.com": NO_CONNECTION}
    assert asked == ["localhost.example.com", "other.example.com"]


async def over_tls(trusted: ssl.SSLContext, port: int, host: str) -> str | None:
    class AnyPort(httpx.AsyncHTTPTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            request.url = request.url.copy_with(port=port)
            return await super().handle_async_request(request)

    async with httpx.AsyncClient(transport=AnyPort(verify=trusted), trust_env=False) as client:
        reachable = Post(client, to("127.0.0.1"), may_reach=lambda _address: True)
        return await reachable.send(f"https://{host}/in", b"{}", {})


@asynccontextmanager
async def receiver(folder: Path, host: str) -> AsyncIterator[tuple[list[str], ssl.SSLContext, int]]:
    """Yield the names it is asked for, a context that trusts it, and the port of a receiver of this name."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    make_certificate(host, certificate, key)
    asked: list[str] = []
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(certificate, key)
    serving.sni_callback = lambda _socket, name, _context: asked.append(name)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=serving)
    async with server:
        yield asked, ssl.create_default_context(cafile=str(certificate)), server.sockets[0].getsockname()[1]


def make_certificate(host: str, certificate: Path, key: Path) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(private, hashes.SHA256())
    )
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    key.write_bytes(private.private_bytes(*form))


async def test_a_name_server_that_does_not_answer_holds_up_no_other_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = threading.Event()

    def look_up(*_asked: object, **_more: object) -> list[object]:
        answers.wait(5)
        return [(socket.AF_INET, 0, 0, "", ("8.8.8.8", 443))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with ThreadPoolExecutor(1) as everybodys:
        asyncio.get_running_loop().set_default_executor(everybodys)
        asked = asyncio.create_task(resolve("slow.example.com"))
        await asyncio.sleep(0)
        assert await asyncio.to_thread(int, "7") == 7
        assert not asked.done()
        answers.set()
        assert await asked == ["8.8.8.8"]
