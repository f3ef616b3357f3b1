"""The result of a bulk operation: lines of JSON, put together again to objects. No I/O of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from app.errors import ShopifyUnavailable


@dataclass(slots=True)
class Tree:
    """An object with everything of its connections, in order. ends_at: the byte after its last line."""

    root: dict[str, Any]
    ends_at: int
    children: list[dict[str, Any]] = field(default_factory=list)

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        """Return the children whose GID is of this kind."""
        start = f"gid://shopify/{kind}/"
        return [child for child in self.children if str(child.get("id", "")).startswith(start)]


async def trees(parts: AsyncIterator[bytes], start: int = 0) -> AsyncIterator[Tree]:
    """Yield each object once its last line was read; children name their parent and follow it.

    start: the byte that the parts begin at, the end of an object. Raises ShopifyUnavailable for
    a file that was cut off.
    """
    tree: Tree | None = None
    async for line, ends_at in _lines(parts, start):
        node = _decode(line)
        if tree is not None and "__parentId" in node:
            tree.children.append(node)
            tree.ends_at = ends_at
            continue
        if tree is not None:
            yield tree
        tree = Tree(node, ends_at)
    if tree is not None:
        yield tree


async def _lines(parts: AsyncIterator[bytes], start: int) -> AsyncIterator[tuple[bytes, int]]:
    """Yield each line that is not empty, with the byte after it."""
    rest, position = b"", start
    async for part in parts:
        *whole, rest = (rest + part).split(b"\n")
        for line in whole:
            position += len(line) + 1
            if line.strip():
                yield line, position
    if rest.strip():
        yield rest, position + len(rest)


def _decode(line: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(line, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ShopifyUnavailable(f"the bulk result was cut off: {error}") from None
