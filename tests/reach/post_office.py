"""A mail server of a few lines that takes letters, or fails just where a test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import cast

from app.config import Smtp


@dataclass
class PostOffice:
    """says: what is answered to a command instead of the usual; None hangs up. letters: what was taken."""

    port: int = 0
    says: dict[str, str | None] = field(default_factory=dict)
    letters: list[EmailMessage] = field(default_factory=list)
    envelopes: list[str] = field(default_factory=list)
    asked: int = 0

    @property
    def smtp(self) -> Smtp:
        return Smtp("127.0.0.1", self.port, "none", "", "", "shop@example.com")

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked += 1
        try:
            writer.write(b"220 post office\r\n")
            while line := (await reader.readline()).decode().strip():
                command = line.split(":")[0].split(" ")[0].upper()
                answer = self.says.get(command, "354 go on" if command == "DATA" else "250 fine")
                if command == "RCPT":
                    self.envelopes.append(line.partition("<")[2].rstrip(">"))
                if answer is None:
                    return
                writer.write(f"{answer}\r\n".encode())
                if command == "QUIT":
                    return
                if command == "DATA" and answer.startswith("354") and not await self._take(reader, writer):
                    return
        finally:
            writer.close()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        body = (await reader.readuntil(b"\r\n.\r\n")).removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n.")
        answer = self.says.get("END", "250 taken")
        if answer is None or answer.startswith("250"):
            self.letters.append(cast(EmailMessage, message_from_bytes(body, policy=policy.default)))
        if answer is None:
            return False
        writer.write(f"{answer}\r\n".encode())
        return True


@asynccontextmanager
async def post_office() -> AsyncIterator[PostOffice]:
    office = PostOffice()
    server = await asyncio.start_server(office.serve, "127.0.0.1", 0)
    office.port = server.sockets[0].getsockname()[1]
    async with server:
        yield office
