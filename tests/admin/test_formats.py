from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.admin.formats import Formats, format_of, most_telling_first
from scripts.phrases import phrases

FORMATS = sorted({text for _file, text in phrases()})


@given(st.sampled_from(FORMATS), st.data())
def test_values_that_are_found_make_the_sentence_again(text: str, data: st.DataObject) -> None:
    form = format_of(text)
    given_values = {name: data.draw(st.text(max_size=20)) for name in form.names}
    sentence = text % given_values
    found = form.values(sentence)
    assert found is None or text % found == sentence


@pytest.mark.parametrize(
    ("text", "sentence", "values"),
    [
        ("%(n)s of %(all)s left", "3 of 12 left", {"n": "3", "all": "12"}),
        ("100 %% of %(what)s", "100 % of it", {"what": "it"}),
        ("nothing", "nothing", {}),
        ("nothing", "nothing else", None),
        ("no %(what)s here", "no here", None),  # what stands before and behind would overlap
        ("%(one)s is empty", "a, b is empty", None),  # two sentences of a list
        ("it is %(one)s.", "it is a, b.", {"one": "a, b"}),
    ],
)
def test_a_sentence_is_taken_apart_by_its_format(
    text: str, sentence: str, values: dict[str, str] | None
) -> None:
    assert format_of(text).values(sentence) == values


def test_of_two_formats_that_fit_the_one_that_says_more_is_tried_first() -> None:
    formats = most_telling_first(["%(what)s is missing", "%(what)s is missing in %(where)s"])
    assert [each.names for each in formats] == [("what", "where"), ("what",)]


FOUND_BY = Formats(FORMATS)
ALL = most_telling_first(FORMATS)
WORDS = st.text(st.sampled_from("ab12 ,.()“”%"), max_size=12)


@given(st.sampled_from(FORMATS), st.data())
def test_what_is_looked_up_is_what_trying_every_format_finds(text: str, data: st.DataObject) -> None:
    form = format_of(text)
    sentence = text % {name: data.draw(WORDS) for name in form.names} + data.draw(st.sampled_from(["", "x"]))
    tried = ((each, each.values(sentence)) for each in ALL)
    assert FOUND_BY.find(sentence) == next((found for found in tried if found[1] is not None), None)


@given(WORDS)
def test_what_no_format_says_is_found_by_none(sentence: str) -> None:
    tried = ((each, each.values(sentence)) for each in ALL)
    assert FOUND_BY.find(sentence) == next((found for found in tried if found[1] is not None), None)
