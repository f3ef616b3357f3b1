"""What sets up and builds works in a folder of any name, and after a set-up that was interrupted."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_FOLDERS = (".", "scripts", "storefront", "extensions/*", "devstore/browser")
_REAL = f'exec "{sys.executable}" "$@"'


def test_no_script_takes_a_folder_from_an_address_which_spells_a_space_as_20() -> None:
    scripts = [path for folder in _FOLDERS for path in ROOT.glob(f"{folder}/*.mjs")]
    assert ROOT / "storefront/build.mjs" in scripts
    assert [path.name for path in scripts if "import.meta.url).pathname" in path.read_text()] == []


@pytest.mark.parametrize(("pip", "made"), [(None, ["venv"]), ("exit 1", ["venv"]), ("exit 0", [])])
def test_an_environment_that_was_left_without_pip_is_made_anew(
    tmp_path: Path, pip: str | None, made: list[str]
) -> None:
    home, tools = tmp_path / "a shop's app", tmp_path / "tools"
    (home / "scripts").mkdir(parents=True)
    shutil.copy(ROOT / "scripts/setup-venv", home / "scripts")
    python = f'if [ "$1" = -m ]; then echo "$2" >>made; else {_REAL}; fi'
    for name, does in {"node": "exit 0", "npm": "exit 0", "any-python": python}.items():
        program(tools / name, does)
    program(home / ".venv/bin/python", _REAL)
    if pip is not None:
        program(home / ".venv/bin/pip", pip)
    environment = {"PATH": f"{tools}:/usr/bin:/bin", "PYTHON": "any-python"}
    subprocess.run(["scripts/setup-venv"], cwd=home, env=environment, check=True, capture_output=True)
    noted = home / "made"
    assert (noted.read_text().split() if noted.exists() else []) == made


def program(path: Path, does: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{does}\n")
    path.chmod(0o755)
