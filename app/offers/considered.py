"""What a ranking considered for a decision, and what became of each product. Pure.

Made again from what was logged, step by step, by the very functions that chose.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.offers.choose import MOST_OFFERS, around_of
from app.offers.ranked import ranking
from app.offers.rerank import OF_CART, OF_PRODUCT, SAME_TYPE, rerank
from app.offers.situation import Situation
from app.offers.snapshot import ShopSnapshot


@dataclass(frozen=True, slots=True)
class Considered:
    """A product that was ranked. score: the model's, in log odds, less that of the last considered.

    steps: what each step of the re-ranking added, those that had no opinion left out; -inf takes it out.
    alike: products of its kind that were taken before it and hold it back. place: where it was chosen, from
    1, None if not.
    """

    product_id: int
    score: float
    steps: tuple[tuple[str, float], ...]
    alike: int
    place: int | None

    @property
    def total(self) -> float:
        """Return the score after every step."""
        return self.score + sum(added for _, added in self.steps) - SAME_TYPE * self.alike


def considered(shop: ShopSnapshot, situation: Situation) -> list[Considered]:
    """Return the products that the model ranked best, as it ranked them; none without a model or place."""
    if shop.model is None or not situation.takes_products:
        return []
    found: list[Considered] = []

    def look(product_ids: list[int], scores: list[float]) -> list[int]:
        found.extend(_looked_at(shop, situation, product_ids, scores))
        return []

    ranking(shop, situation, look)
    return found


def _looked_at(
    shop: ShopSnapshot, situation: Situation, product_ids: list[int], scores: list[float]
) -> list[Considered]:
    candidates, around = [shop.offerable[each].ranked for each in product_ids], around_of(shop, situation)
    chosen = rerank(candidates, scores, around, MOST_OFFERS)
    lowest = min(scores, default=0.0)
    found = []
    for at, (candidate, score) in enumerate(zip(candidates, scores, strict=True)):
        steps = ((step.__name__, step(candidate, around)) for step in (*OF_PRODUCT, *OF_CART))
        before = chosen[: chosen.index(at)] if at in chosen else chosen
        found.append(
            Considered(
                candidate.product_id,
                score - lowest,
                tuple((name, added) for name, added in steps if added),
                sum(candidates[other].kind == candidate.kind for other in before if around.terms.same_type),
                chosen.index(at) + 1 if at in chosen else None,
            )
        )
    return found
