"""The discount Function as it is built, run on carts with and without a grant of ours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.coupons.promise import MOST_BYTES as MOST_METAFIELD
from app.coupons.signed import NUMBER_DIGITS, grant_key, number_in, sign_grant, unusable, whose_cart
from devstore.function_host import MOST_BYTES, MOST_INSTRUCTIONS, run_function

EXTENSION = Path(__file__).parents[2] / "extensions" / "offer-discount"
WASM = EXTENSION / "dist" / "function.wasm"
FIXTURES = sorted((EXTENSION / "tests" / "fixtures").glob("*.json"))
pytestmark = pytest.mark.skipif(not WASM.exists(), reason="the extensions are not built: make build")
SECRET, SHOP = b"a secret for tests, 32 bytes long", "fixture.myshopify.com"


def payload(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text())["payload"]


def named(name: str) -> dict[str, Any]:
    return payload(EXTENSION / "tests" / "fixtures" / f"{name}.json")


@pytest.mark.parametrize("path", FIXTURES, ids=[path.stem for path in FIXTURES])
def test_each_cart_is_answered_as_its_fixture_says(path: Path) -> None:
    asked = payload(path)
    assert run_function(WASM, asked["export"], asked["input"]).output == asked["output"]


@pytest.mark.parametrize("name", ["two-hundred-lines", "two-hundred-lines-shipping"])
def test_two_hundred_lines_take_at_most_a_twentieth_of_what_shopify_gives(name: str) -> None:
    asked = named(name)
    assert len(asked["input"]["cart"]["lines"]) == 200
    # As many used grants as the metafield holds, none of them this one.
    told = asked["input"]["discount"]["metafield"]["jsonValue"]
    told["used"] = "".join(f"{n:012x}" for n in range(MOST_METAFIELD // NUMBER_DIGITS))
    assert run_function(WASM, asked["export"], asked["input"]).instructions <= MOST_INSTRUCTIONS // 20


def test_the_module_is_as_small_as_shopify_wants_it() -> None:
    assert WASM.stat().st_size <= MOST_BYTES


def test_the_server_signs_what_the_function_takes() -> None:
    asked = named("order-percentage")
    terms = asked["input"]["discount"]["metafield"]["jsonValue"]["terms"]
    key = grant_key(SECRET, SHOP, terms["id"])
    carried = asked["input"]["cart"]["grant"]["value"]
    terms_id, number = number_in(carried) or ("", "")
    grant = sign_grant(key, terms_id, "2026112507", whose_cart(None, [101, 102]) or "", number)
    assert key.hex() == terms["key"]
    assert (terms_id, grant) == (terms["id"], carried)


def test_what_is_kept_of_a_used_grant_takes_nothing_off() -> None:
    asked = named("order-percentage")
    grant = asked["input"]["cart"]["grant"]["value"]
    asked["input"]["cart"]["grant"] = {"value": unusable(grant)}
    assert number_in(unusable(grant)) == number_in(grant)
    assert run_function(WASM, "lines", asked["input"]).output == {"operations": []}


def test_no_letter_of_a_grant_can_be_another_one() -> None:
    asked = named("order-percentage")
    grant = asked["input"]["cart"]["grant"]["value"]
    for at, letter in enumerate(grant):
        changed = grant[:at] + ("1" if letter != "1" else "2") + grant[at + 1 :]
        asked["input"]["cart"]["grant"] = {"value": changed}
        assert run_function(WASM, "lines", asked["input"]).output == {"operations": []}, changed


def test_words_with_quotes_and_other_scripts_come_out_as_they_went_in() -> None:
    asked = named("order-percentage")
    title = 'Zehn "weg" \\ für Sie, عشرة'
    asked["input"]["discount"]["metafield"]["jsonValue"]["terms"]["title"] = title
    operation = run_function(WASM, "lines", asked["input"]).output["operations"][0]
    assert operation["orderDiscountsAdd"]["candidates"][0]["message"] == title


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300))
def test_no_text_but_a_grant_takes_anything_off(text: str) -> None:
    asked = named("order-percentage")
    asked["input"]["cart"]["grant"] = {"value": text}
    assert run_function(WASM, "lines", asked["input"]).output == {"operations": []}


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2000))
def test_an_input_that_is_cut_short_takes_nothing_off_and_ends(length: int) -> None:
    asked = named("order-percentage")
    cut = json.dumps(asked["input"]).encode()
    cut = cut[: min(length, cut.index(b'"lines"'))]
    assert run_function(WASM, "lines", cut).output == {"operations": []}
