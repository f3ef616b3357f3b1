import sys
from pathlib import Path

import pytest

from app.recommend.rivals import implicit_installed


def test_a_rival_that_cannot_be_loaded_is_left_out_and_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Its wheel needs a library of the system's that slim images lack."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "implicit"]:
        monkeypatch.delitem(sys.modules, name)
    broken = tmp_path / "implicit" / "__init__.py"
    broken.parent.mkdir()
    broken.write_text("raise ImportError('libgomp.so.1: cannot open shared object file')\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert implicit_installed() is False
    (told,) = caplog.records
    assert "libgomp.so.1" in told.__dict__["reason"]
