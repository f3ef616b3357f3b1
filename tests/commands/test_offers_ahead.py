from __future__ import annotations

from tests.commands.conftest import Terminal
from tests.commands.test_outbound import SHOP, a_shop


def test_offers_ahead_are_on_until_they_are_switched_off(terminal: Terminal) -> None:
    terminal.prepare(a_shop)
    shown = terminal.run("offers-ahead", "--shop", SHOP).output
    assert "offers ahead on" in shown
    assert "product: 0 held by Shopify; nothing can be written without write_products" in shown
    assert "offers ahead off" in terminal.run("offers-ahead", "--shop", SHOP, "--off").output
    assert "offers ahead off" in terminal.run("offers-ahead", "--shop", SHOP).output
    assert "offers ahead on" in terminal.run("offers-ahead", "--shop", SHOP, "--on").output


def test_a_shop_without_the_app_has_no_offers_ahead(terminal: Terminal) -> None:
    assert terminal.run("offers-ahead", "--shop", "nobody.myshopify.com").exit_code == 1


def test_a_shop_is_paused_and_shown_again_and_it_is_told_who_did_so(terminal: Terminal) -> None:
    terminal.prepare(a_shop)
    assert terminal.run("pause", "--shop", SHOP).output == "not paused\n"
    assert terminal.run("pause", "--shop", SHOP, "--on").stdout.startswith("paused\n")
    told = terminal.run("pause", "--shop", SHOP, "--off").output
    assert told.startswith("not paused\n")
    assert told.count("by command line") == 2
