"""What the segments pages say, from plain values."""

from __future__ import annotations

import msgspec
import pytest

from app.admin import segments_chart as chart
from app.admin import segments_evidence as evidence
from app.admin.language import speaking
from app.admin.segments_meanings import known_names, meanings, rfm_words, score_lines, visitors_words
from app.admin.segments_settings import checked_policy, with_rule, without_rule
from app.admin.segments_view import why_words
from app.errors import InputError, NotFound
from app.profiles.clusters import LABELS
from app.profiles.rfm import NEVER, RfmThresholds, Scores, score
from app.profiles.rfm_segments import SEGMENTS, PurchaseSummary, segment
from app.profiles.rfm_segments import why as rfm_why
from app.profiles.segment_names import FORESEEN
from app.profiles.thresholds import Rules
from tests.admin.segment_factories import REGULARS, a_segmentation, a_training_report
from tests.profiles.test_visit_clusters import a_shops_clusters

NOBODY = (NEVER, NEVER, NEVER, NEVER)


def test_scores_are_told_as_they_are_given() -> None:
    cuts = RfmThresholds((-40, -20, -9, -2), (1, 3, 4, 9), (1_000, 2_500, 10_000, NEVER))
    best, *_, worst = score_lines(cuts, "USD")
    assert (best.recency, best.orders, best.spent) == ("2 days ago or since", "9 or more", "nobody")
    assert score(cuts, 2, 9, 10_000) == (5, 5, 4)
    assert (worst.recency, worst.orders, worst.spent) == ("41 days ago or before", "1", "up to $9.99")
    assert score(cuts, 41, 1, 999) == (1, 1, 1)
    lines = {line.score: line for line in score_lines(cuts, "USD")}
    assert (lines[4].recency, lines[4].orders, lines[4].spent) == (
        "3 to 9 days ago", "4 to 8", "$100.00 or more",
    )  # fmt: skip
    assert (lines[2].orders, lines[2].spent) == ("2", "$10.00 to $24.99")
    assert score(cuts, 0, 2, 0).frequency == 2


def test_score_that_nobody_has_is_told_as_such() -> None:
    tied = score_lines(RfmThresholds((-5, -5, 0, 0), (2, 2, 2, 2), NOBODY), "USD")
    assert [line.recency for line in tied] == [
        "today",
        "nobody",
        "1 to 5 days ago",
        "nobody",
        "6 days ago or before",
    ]
    assert [line.orders for line in tied] == ["2 or more", "nobody", "nobody", "nobody", "1"]
    assert [line.spent for line in tied] == ["nobody"] * 4 + ["any amount"]


def test_words_of_a_segment_follow_from_the_table_that_makes_it() -> None:
    # R 2 and FM 3.5 or 4 is at_risk, and so is R 1
    assert segment(Scores(2, 4, 4)) == segment(Scores(1, 3, 4)) == "at_risk"
    assert rfm_words("at_risk").endswith("recency 1 or 2 of 5, orders and spend on average 3.5 to 4.")
    with speaking("de"):
        assert rfm_words("at_risk").endswith("Bestellungen und Ausgaben im Mittel 3,5 bis 4.")
    assert rfm_words("prospects") == "Has not bought anything yet."
    assert all(rfm_words(name) for name in SEGMENTS)


def test_every_kind_of_segment_has_its_meaning() -> None:
    made = a_segmentation()
    found = {(each.kind, each.name): each.says for each in meanings(made.rules, made)}
    assert found["rule", "regulars"] == "Orders more than 8 in the last 30 days."
    assert found["cluster", "interested_browsers"].startswith(
        "Behaves most like 40 shoppers with visits above"
    )
    assert found["cluster", "group_2"].startswith("Behaves most like 60 shoppers with visits below")
    names = known_names(Rules("USD"), None)
    assert {"loyal", "at_risk", "hesitant_buyers"} <= set(names)
    assert len(names) == len(set(names))


def test_line_goes_from_the_first_day_to_the_last() -> None:
    days = {"2026-11-01": {"loyal": 10}, "2026-11-06": {"new": 1}, "2026-11-11": {"loyal": 5, "new": 4}}
    drawn = chart.line(days, "loyal")
    assert drawn is not None
    assert drawn.points == "3.0,3.0 80.0,29.0 157.0,16.0"  # all of 10, none, half of it
    assert drawn.says == "10 on Nov 1, 2026, 5 on Nov 11, 2026, between 0 and 10"
    assert (chart.change(days, "new", 4), chart.change(days, "loyal", 10)) == ("+4", "0")


def test_one_day_is_no_line() -> None:
    for days in ({}, {"2026-11-01": {"loyal": 10}}):
        assert chart.line(days, "loyal") is None
        assert chart.change(days, "loyal", 12) == "–"


def test_what_could_not_be_tested_is_told_without_figures() -> None:
    at_risk, loyal = evidence.classifiers(a_training_report())
    assert (at_risk.published, at_risk.lines[0].ours, at_risk.lines[0].plain) == (True, "0.850", "0.752")
    assert (loyal.published, loyal.lines) == (False, ())
    assert evidence.spend_ways({}, "USD") == []
    assert "Too few customers" in evidence.spend_words({"spend": None})


def test_way_that_foresees_spend_best_is_marked_and_what_it_was_compared_with_is_told() -> None:
    model, plain = evidence.spend_ways(a_training_report(), "USD")
    assert (model.serves, model.gain) == (False, "–")
    assert (plain.serves, plain.name, plain.gain) == (True, "The same spend again", "-14.0% to +1.1%")


def test_segment_takes_the_place_of_the_one_it_replaces() -> None:
    other = REGULARS | {"name": "other"}
    kept = with_rule([REGULARS, other], REGULARS | {"match": "any"}, "regulars", "USD")
    assert [(each["name"], each["match"]) for each in kept[:1]] == [("regulars", "any")]
    assert kept[1] == other
    with pytest.raises(InputError, match="already"):
        with_rule([REGULARS, other], other, "regulars", "USD")
    with pytest.raises(NotFound):
        without_rule(kept, "gone")


def test_no_own_segment_takes_a_thousand_with_a_mark_for_one() -> None:
    spent = {"measure": "spent", "compare": "at_least", "value": "1.000", "within_days": None}
    rich = {"name": "rich", "conditions": [spent], "match": "all"}
    with pytest.raises(InputError, match="without a mark") as refused:
        with_rule([], rich, None, "EUR")
    assert refused.value.field == "segments[0].conditions[0].value"
    assert with_rule([], rich, None, "KWD")[0]["conditions"][0]["value"] == "1.000"


@pytest.mark.parametrize("taken", ["champions", "foreseen_loyal", "hesitant_buyers", "group_12", "returning"])
def test_no_own_segment_takes_the_name_of_one_that_is_worked_out(taken: str) -> None:
    with pytest.raises(
        InputError, match=f"{taken} is the name .* choose another, such as my_{taken}"
    ) as refused:
        with_rule([REGULARS], REGULARS | {"name": taken}, None, "USD")
    assert refused.value.field == "segments[0].name"
    # One that was kept under such a name before can still be changed.
    kept = [REGULARS | {"name": taken}]
    assert with_rule(kept, kept[0] | {"match": "any"}, taken, "USD")[0]["match"] == "any"


def test_no_two_kinds_of_segment_have_a_name_in_common() -> None:
    assert len({*SEGMENTS, *LABELS, *FORESEEN}) == len(SEGMENTS) + len(LABELS) + len(FORESEEN)


def test_it_is_said_by_what_a_visitor_who_is_not_known_is_called() -> None:
    clusters = msgspec.structs.replace(a_segmentation(), clusters=a_shops_clusters())
    assert sorted(visitors_words(clusters).split(" and ")) == ["Hesitant buyers", "Interested browsers"]
    assert visitors_words(None) == ""


def test_way_with_shoppers_names_segments_there_are() -> None:
    written = {"warm": [{"approach": "loyalty", "segments": ["loyal"]}]}
    assert checked_policy(written, ["loyal"]).warm[0].segments == ("loyal",)
    with pytest.raises(InputError) as refused:
        checked_policy(written, ["champions"])
    assert refused.value.field == "warm[0].segments"


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        (
            rfm_why(Scores(4, 5, 3), PurchaseSummary(1, 12, 40_000), "EUR"),
            "Treu: zuletzt gekauft: gestern (kürzlich, 4 von 5), bestellt: 12-mal (oberstes Fünftel), "
            "ausgegeben: 400,00\N{NO-BREAK SPACE}€ (mittleres Fünftel), verglichen mit den anderen Kunden "
            "dieses Shops.",
        ),
        (
            "Regulars: orders more than 3 in the last 30 days (5) and spent at least 10.00 EUR (12.00).",
            "Regulars: Bestellungen über 3 in den letzten 30 Tagen (5) und ausgegeben mindestens "
            "10,00\N{NO-BREAK SPACE}€ (12.00).",
        ),
        (
            "Group 1: behaves most like 90 shoppers with visits above average, time on pages below average.",
            "Group 1: verhält sich am ehesten wie 90 Käufer mit diesen Merkmalen: Besuche über dem "
            "Durchschnitt, Zeit auf Seiten unter dem Durchschnitt.",
        ),
        (
            "Foreseen at risk: of customers like this one 80% buy nothing in the next 28 days; last bought "
            "today, never in the last 28 days and once in as many days before.",
            "Gefährdet (Prognose): von Kunden wie diesem kaufen 80\N{NO-BREAK SPACE}% in den nächsten "
            "28 Tagen nichts; zuletzt gekauft: heute, nie in den letzten 28 Tagen und einmal in ebenso "
            "vielen Tagen davor.",
        ),
        ("Regulars: as an older version wrote it.", "Regulars: as an older version wrote it."),
    ],
)
def test_reason_that_was_kept_is_said_in_the_merchants_language(kept: str, said: str) -> None:
    with speaking("de"):
        assert why_words(kept) == said
    in_english = kept.replace("400.00 EUR", "€400.00").replace("10.00 EUR", "€10.00")
    in_english = in_english.replace("Foreseen", "Predicted")
    assert why_words(kept) == in_english
