from __future__ import annotations

from pathlib import Path

from app.errors import InputError
from tests.commands.conftest import Terminal
from tests.commands.test_attribution import SHOP, a_sale
from tests.commands.test_outbound import a_shop


def test_figures_are_told_by_group_and_as_csv(terminal: Terminal, tmp_path: Path) -> None:
    terminal.prepare(a_sale)
    told = terminal.run("kpis", "--shop", SHOP, "--by", "arm")
    assert told.exit_code == 0
    assert "checkout_conversion" in told.output
    assert "not known: no known customer" in told.output
    file = tmp_path / "kpis.csv"
    assert terminal.run("kpis", "--shop", SHOP, "--csv", str(file)).exit_code == 0
    assert "arm,personalised,checkout_conversion,1,1," in file.read_text("utf-8")


def test_a_shop_without_figures_is_told_so(terminal: Terminal) -> None:
    terminal.prepare(a_shop)
    told = terminal.run("kpis", "--shop", SHOP, "--by", "arm", "--since", "2026-01-01").output
    assert told == "Nothing to tell yet: no checkout was answered since 2026-01-01.\n"


def test_what_figures_are_not_told_by_is_refused(terminal: Terminal) -> None:
    terminal.prepare(a_sale)
    told = terminal.run("kpis", "--shop", SHOP, "--by", "moon")
    assert isinstance(told.exception, InputError)
