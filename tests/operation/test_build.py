"""What builds works in a folder of any name."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
_FOLDERS = (".", "scripts", "storefront", "extensions/*", "devstore/browser")


def test_no_script_takes_a_folder_from_an_address_which_spells_a_space_as_20() -> None:
    scripts = [path for folder in _FOLDERS for path in ROOT.glob(f"{folder}/*.mjs")]
    assert ROOT / "storefront/build.mjs" in scripts
    assert [path.name for path in scripts if "import.meta.url).pathname" in path.read_text()] == []
