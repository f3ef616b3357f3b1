"""What `npm run check:app` refuses: what Shopify's own loader refuses, and what the loader leaves out."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(
    not (ROOT / "node_modules/@shopify/cli").exists(), reason="npm packages are not installed: make setup"
)


APP, PIXEL = "shopify.app.toml", "extensions/web-pixel/shopify.extension.toml"


def checked(folder: Path, file: str, old: str, new: str) -> subprocess.CompletedProcess[str]:
    """Return what the check says of the app with its pixel alone and one change to a file."""
    shutil.copytree(ROOT / "extensions/web-pixel", folder / "extensions/web-pixel", ignore=_not_ours)
    shutil.copy(ROOT / "shopify.app.toml", folder)
    (folder / "package.json").write_text("{}")
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new))
    tools = str(Path(sys.executable).parent)  # holds a Node when the machine's is too old
    environment = os.environ | {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    command = ["node", str(ROOT / "scripts/check-app.mjs"), str(folder)]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def _not_ours(_folder: str, names: list[str]) -> set[str]:
    return {"node_modules", "dist"}.intersection(names)


def test_our_configuration_passes(tmp_path: Path) -> None:
    done = checked(tmp_path, PIXEL, "web_pixel_extension", "web_pixel_extension")
    assert done.returncode == 0, done.stderr
    assert '"handle": "web-pixel"' in done.stdout


def test_a_type_that_the_loader_silently_passes_over_fails(tmp_path: Path) -> None:
    done = checked(tmp_path, PIXEL, "web_pixel_extension", "web_pixel_extensionn")
    assert done.returncode == 1
    assert "extensions/web-pixel: the loader knows no extension of its type" in done.stderr


def test_what_the_loader_refuses_fails_with_its_words(tmp_path: Path) -> None:
    done = checked(tmp_path, APP, 'api_version = "2026-07"', "api_version = 7")
    assert done.returncode == 1
    assert "[webhooks.api_version]: Expected string" in done.stderr
