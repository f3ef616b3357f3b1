"""Set-up and build work in a folder of any name and after an interruption; `make test` names what failed."""

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


@pytest.mark.parametrize(
    ("fails", "told"),
    [
        ((), ""),
        (("pytest",), "Failed, see above: make suite\n"),
        (("ruff",), "Failed, see above: make code\n"),
        (("ruff", "pytest", "npm"), "Failed, see above: make built code scripts-tests scripts-types suite\n"),
    ],
)
def test_make_test_runs_all_it_has_and_names_at_its_end_what_failed(
    tmp_path: Path, fails: tuple[str, ...], told: str
) -> None:
    for name in ("Makefile", "requirements.lock", "pyproject.toml", "package-lock.json"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("setup-venv", "setup-python", "setup-browser", "setup-node", "build"):
        program(tmp_path / "scripts" / name, f"echo {name} >>ran")
    for name in ("pip", "python", "pytest", "ruff", "mypy", "lint-imports", "npm"):
        asked = 'case "$*" in *--collect-only*) exit 0 ;; esac' if name == "pytest" else ""
        program(tmp_path / ".venv/bin" / name, f"{asked}\necho {name} >>ran\nexit {int(name in fails)}")
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}  # none of a make that runs this test
    run = subprocess.run(["make", "test"], cwd=tmp_path, env=environment, capture_output=True, text=True)
    ran = (tmp_path / "ran").read_text().split()
    assert (run.returncode, "Failed" in run.stdout) == ((2, True) if fails else (0, False))
    assert run.stdout.endswith(told)
    assert (ran.count("pytest"), ran.count("npm"), ran.count("build")) == (1, 3, 1)


def program(path: Path, does: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{does}\n")
    path.chmod(0o755)
