"""What each number of the admin is, in the merchant's words: one click away from wherever it stands. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.admin.language import Lazy, lazy


@dataclass(frozen=True, slots=True)
class Definition:
    """A number's name and what it says."""

    name: Lazy
    says: Lazy


DEFINITIONS: Mapping[str, Definition] = {
    "incremental_revenue": Definition(
        lazy("Incremental revenue"),
        lazy(
            "What Tillwise added to your sales. A few shoppers, chosen at random, see nothing of "
            "Tillwise. This is how much more the others spent per shopper, times the number of shoppers "
            "who saw it. Everyone Tillwise may remember is followed for 14 days. The true figure is "
            "almost always within the range shown. While the range includes zero, there may be no effect."
        ),
    ),
    "attributed_revenue": Definition(
        lazy("Attributed revenue"),
        lazy(
            "What shoppers paid for items they added from a Tillwise offer, after discounts and refunds. "
            "Cancelled orders and items added in any other way don't count. It shows what offers sold; "
            "some of it might have sold without them."
        ),
    ),
    "conversion": Definition(
        lazy("Checkout conversion"),
        lazy(
            "The share of checkouts that became an order. Counts checkouts that asked Tillwise for an "
            "offer and whose shopper consent allows to be remembered."
        ),
    ),
    "aov": Definition(
        lazy("Average order value"),
        lazy(
            "What an order from those checkouts brought in on average, after discounts and refunds. "
            "Cancelled orders and orders of only gift cards don't count."
        ),
    ),
    "lifetime_value": Definition(
        lazy("Customer lifetime value"),
        lazy(
            "What the customers Tillwise met in this period have spent in your shop so far, on average. "
            "Below it is what they are expected to spend in the next 90 days."
        ),
    ),
    "offers_shown": Definition(
        lazy("Offers shown"),
        lazy(
            "How many of Tillwise's answers had an offer on a shopper's screen, as reported by the "
            "browser. The share is of all answers outside the holdout."
        ),
    ),
    "offers_accepted": Definition(
        lazy("Offers accepted"),
        lazy(
            "How many answers had an offer that the shopper added to the cart or redeemed. The share is of "
            "the answers shown."
        ),
    ),
    "latency": Definition(
        lazy("Answer time"),
        lazy(
            "How long Tillwise takes to choose, not counting the network. Half of all answers took no "
            "longer than the first figure, and 99 of 100 no longer than the second."
        ),
    ),
    "holdout": Definition(
        lazy("Holdout"),
        lazy(
            "A small share of visitors, chosen at random, who see no offers. What they buy shows what "
            "would have sold anyway. Without them, no one could say what Tillwise earns."
        ),
    ),
    "arm": Definition(
        lazy("Group"),
        lazy(
            "The experiment group a visitor was placed in at random. In the experiment that always runs, "
            "the personalised group gets offers chosen for each visitor, the static group gets your "
            "defaults, and the holdout gets none."
        ),
    ),
    "rung": Definition(
        lazy("What consent allowed"),
        lazy(
            "Which of a visitor's data an answer was allowed to use: history and profile, this visit only, "
            "or the cart alone. Unknown consent counts as none."
        ),
    ),
    "fallback": Definition(
        lazy("Fallback"),
        lazy(
            "Why an answer was simpler than it could have been, for example because no model was trained "
            "yet. The sale goes on either way."
        ),
    ),
    "hit_at_4": Definition(
        lazy("Hit among the top 4"),
        lazy(
            "The share of later orders, which the model had not seen, in which the shopper bought one of "
            "its top 4 products."
        ),
    ),
    "recall_at_10": Definition(
        lazy("Recall among the top 10"),
        lazy("The share of everything bought in those later orders that was among the model's top 10."),
    ),
    "ndcg_at_10": Definition(
        lazy("Ranking quality (NDCG) of the top 10"),
        lazy(
            "How close to the top the model ranked what was bought: 1 if everything bought came first, 0 "
            "if none of it was in the top 10."
        ),
    ),
    "coverage": Definition(
        lazy("Coverage"),
        lazy("The share of your catalogue that was recommended for at least one of those carts."),
    ),
    "experiment_conversion": Definition(
        lazy("Shoppers who ordered"),
        lazy("The share of an experiment's shoppers with an order that stands, while they were followed."),
    ),
    "experiment_revenue": Definition(
        lazy("Revenue per shopper"),
        lazy(
            "What shoppers paid for goods while they were followed, after discounts, less what was given "
            "back, over all shoppers of the group. Single very large orders count as the one in a hundred."
        ),
    ),
    "experiment_aov": Definition(
        lazy("Revenue per order"),
        lazy("What the orders that stand brought on average, after discounts, less what was given back."),
    ),
    "experiment_profit": Definition(
        lazy("Profit per shopper"),
        lazy(
            "Revenue a shopper less what the goods they kept cost you, by “Cost per item” in Shopify as it "
            "is today, with tax where your prices include it. Shipping does not count. Told where Tillwise "
            "knows the cost of nearly all."
        ),
    ),
    "experiment_acceptance": Definition(
        lazy("Shoppers who took an offer"),
        lazy("The share of an experiment's shoppers who added an offer to the cart or used its discount."),
    ),
    "experiment_refunds": Definition(
        lazy("Orders refunded or cancelled"),
        lazy("Of the orders placed, the share that was refunded in any part, or cancelled."),
    ),
    "experiment_limits": Definition(
        lazy("Likely range"),
        lazy(
            "Where the true difference most likely is, with the probability set before the start, "
            "however often you look. While this range includes zero, there may be no difference; the verdict "
            "decides."
        ),
    ),
    "experiment_difference": Definition(
        lazy("Difference"),
        lazy(
            "The group's result less the one it is compared with. What shoppers had spent before they came "
            "is allowed for where it is known, which makes the difference more exact: then it is not quite "
            "that of the two results beside it."
        ),
    ),
    "experiment_verdict": Definition(
        lazy("Verdict"),
        lazy(
            "Better or worse only once chance is ruled out, taking into account all groups and figures "
            "that are compared at the same time. Until then there is no winner."
        ),
    ),
    "experiment_followed": Definition(
        lazy("Followed to the end"),
        lazy(
            "Shoppers count in the figures once their days of being followed are over, so that everyone "
            "was followed for the same time. What they do later is in no figure: the appeal of something new "
            "may wear off."
        ),
    ),
    "experiment_unserved": Definition(
        lazy("Not served as planned"),
        lazy(
            "What their group changes could not be served, so they saw your shop as it is. They count in "
            "their group all the same, which makes differences look smaller than they are."
        ),
    ),
    "experiment_cut_short": Definition(
        lazy("Followed beyond the end"),
        lazy(
            "The experiment ended while they were followed: for the rest of their days they saw your shop as "
            "everybody does, which makes differences look smaller than they are."
        ),
    ),
    "experiment_recognised": Definition(
        lazy("Recognised shoppers"),
        lazy(
            "Shoppers who came under a second name before they ordered, such as on another device, or as a "
            "customer after having signed in. Each counts once."
        ),
    ),
    "experiment_vouched": Definition(
        lazy("Vouched for by Shopify"),
        lazy(
            "When they first came they were signed in or in a checkout, which Shopify confirms. Who the "
            "others are only their browsers say: robots may be among them, which make differences look "
            "smaller than they are."
        ),
    ),
    "experiment_cut": Definition(
        lazy("Too large to count in full"),
        lazy(
            "So that a single order does not decide, what a shopper spent beyond the limit that one buyer "
            "in a hundred reaches is left out, in all groups alike."
        ),
    ),
    "credited": Definition(
        lazy("Credited to offers"),
        lazy(
            "What was sold of offered products, or with the discounts of offers, to shoppers who had been "
            "made the offer in the days before. It does not say that they would not have bought otherwise."
        ),
    ),
    "caused": Definition(
        lazy("Caused by offers"),
        lazy(
            "What shoppers served personally spent beyond those of the holdout, each followed for 14 days, "
            "times all of them. Only shoppers who first came in this time count."
        ),
    ),
}
_ABOUT = (
    (lazy("What Tillwise earns"), ("incremental_revenue", "attributed_revenue", "credited", "caused")),
    (lazy("Your shoppers"), ("conversion", "aov", "lifetime_value")),
    (lazy("Offers"), ("offers_shown", "offers_accepted", "latency", "holdout", "arm", "rung", "fallback")),
    (lazy("The model"), ("hit_at_4", "recall_at_10", "ndcg_at_10", "coverage")),
)
# The definitions as a page tells them: by what they are about, each once.
PARTS: tuple[tuple[Lazy, tuple[str, ...]], ...] = (
    *_ABOUT,
    (lazy("Experiments"), tuple(name for name in DEFINITIONS if name.startswith("experiment_"))),
)
