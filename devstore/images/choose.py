"""Which drawing suits a product: the first rule with a word of its type, else of its title."""

import re

RULES: tuple[tuple[str, str], ...] = (
    ("pet", r"\b(dog|cat|pet|puppy|kitten|bird seed|litter|aquarium)\b"),
    ("baby", r"\b(baby|infant|diapers?|formula|toddler)\b"),
    ("ice_cream", r"\b(ice cream|sherbets?|gelato|novelties|popsicles?|frozen dessert)\b"),
    ("pizza", r"\bpizzas?\b"),
    ("frozen", r"\b(frozen|frzn|froz|fz|ice|waffles?|entrees?|dinners?)\b"),
    ("deli", r"\b(deli|sandwich(es)?|lunch ?meat|lunchmeat|luncheon|party tray|prepared|heat/serve)\b"),
    ("coffee", r"\b(coffees?|cappuccino|espresso)\b"),
    ("tea", r"\bteas?\b"),
    ("soda", r"\b(sodas?|soft drinks?|cola|sft drnk|energy|carbonated|ginger ale|root beer|tonic)\b"),
    ("beer", r"\b(beers?|ales?|malt|cider|lager)\b"),
    ("wine", r"\b(wines?|liquor|spirits|champagne|vodka|whiskey)\b"),
    ("juice", r"\b(juices?|drinks?|lemonade|punch|nectar|smoothies?|isotonic)\b"),
    ("water", r"\bwaters?\b"),
    ("yogurt", r"\b(yogurts?|yoghurt|pudding|gelatin|sour cream|cottage|dips?)\b"),
    ("cheese", r"\bcheeses?\b"),
    ("butter", r"\b(butters?(?! spread)|margarines?)\b(?<!peanut butter)"),
    ("eggs", r"\beggs?\b"),
    ("milk", r"\b(milks?|dairy|creamers?|cream|half & half)\b"),
    ("cookies", r"\b(cookies?|crackers?|biscuits?|graham|wafers?)\b"),
    (
        "bakery",
        r"\b(cakes?|muffins?|donuts?|doughnuts?|pastr(y|ies)|sweet goods|pies?|cupcakes?|croissants?|bakery|brownies?)\b",
    ),
    ("bread", r"\b(breads?|rolls?|buns?|bagels?|loaf|tortillas?|pitas?|baked)\b"),
    ("popcorn", r"\bpopcorn\b"),
    ("chips", r"\b(chips?|snacks?|pretzels?|salty|nachos?|bag snack|snk)\b"),
    ("chocolate", r"\b(chocolates?|cocoa|fudge)\b"),
    ("candy", r"\b(cand(y|ies)|gums?|mints?|gummies|confection(s|ery)?)\b"),
    ("salad", r"\b(salads?|lettuce|greens?|spinach|kale|cabbage|herbs?)\b"),
    ("banana", r"\bbananas?\b"),
    ("berries", r"\b(berr(y|ies)|strawberr(y|ies)|blueberr(y|ies)|raspberr(y|ies)|cherr(y|ies))\b"),
    ("grapes", r"\b(grapes?|raisins?)\b"),
    ("citrus", r"\b(citrus|oranges?|lemons?|limes?|grapefruits?|clementines?|tangerines?)\b"),
    ("melon", r"\b(melons?|watermelons?|cantaloupes?)\b"),
    ("soup", r"\b(soups?|broths?|stew|chili|ramen|noodles? soup)\b"),
    ("pasta", r"\b(pastas?|spaghetti|macaroni|noodles?|lasagna)\b"),
    ("sauce", r"\b(sauces?|salsas?|ketchup|marinara|tomato paste|gravy)\b"),
    (
        "condiment",
        r"\b(condiments?|dressings?|mustard|mayo(nnaise)?|vinegars?|relish|pickles?|olives?|marinades?)\b",
    ),
    ("tomato", r"\btomato(es)?\b"),
    ("potato", r"\bpotato(es)?\b"),
    ("onion", r"\b(onions?|garlic|shallots?)\b"),
    ("mushroom", r"\bmushrooms?\b"),
    ("chicken", r"\b(chickens?|poultry|turkeys?|wings?)\b"),
    ("sausage", r"\b(sausages?|hot ?dogs?|frankfurters?|franks|bacon|dinner sausage|smoked meats?|brats?)\b"),
    ("fish", r"\b(fish|seafood|salmon|tuna|shrimp|crab)\b"),
    ("meat", r"\b(meats?|beef|pork|steaks?|ham|hams|lamb|veal|ground)\b"),
    ("apple", r"\b(apples?|pears?|peach(es)?|fruits?|nectarines?|plums?|stone fruit)\b"),
    ("beans", r"\b(beans?|chickpeas?|lentils?)\b"),
    (
        "vegetables",
        r"\b(vegetables?|veg|carrots?|broccoli|peppers?|celery|corn|squash|cucumbers?|asparagus|produce)\b",
    ),
    ("cereal", r"\b(cereals?|oatmeal|granola|breakfast|bars?)\b"),
    ("spread", r"\b(peanut butter|jell(y|ies)|jams?|spreads?|preserves?|honey)\b"),
    ("syrup", r"\b(syrups?|molasses|toppings?)\b"),
    ("nuts", r"\b(nuts?|almonds?|peanuts?|cashews?|trail mix|seeds?)\b"),
    ("rice", r"\b(rice|grains?|quinoa)\b"),
    ("spices", r"\b(spices?|seasonings?|extracts?|salt|pepper)\b"),
    ("oil", r"\b(oils?|shortening|cooking spray)\b"),
    ("sugar", r"\b(sugars?|sweeteners?)\b"),
    ("baking", r"\b(baking|flours?|mix(es)?|frostings?|yeast|stuffing|cornmeal)\b"),
    ("international", r"\b(hispanic|mexican|taco|asian|oriental|international|ethnic|kosher)\b"),
    ("canned", r"\b(canned|cans?|shelf stable|convenient)\b"),
    ("laundry", r"\b(laundry|detergents?|fabric|bleach|softeners?)\b"),
    ("paper", r"\b(paper|bath tissues?|towels?|tissues?|napkins?|facial tissue|plates?|cups)\b"),
    ("bags", r"\b(bags?|trash|garbage|foil|wraps?|storage)\b"),
    ("dental", r"\b(oral|dental|tooth(paste|brush(es)?)|mouthwash)\b"),
    ("soap", r"\b(soaps?|hand wash|body wash|bath|shampoos?|conditioners?|hair)\b"),
    ("makeup", r"\b(make ?up|cosmetics?|fragrances?|nail|lipstick)\b"),
    ("beauty", r"\b(beauty|lotions?|skin|deodorants?|shav(e|ing)|sun|razors?|feminine|hygiene)\b"),
    (
        "cleaning",
        r"\b(clean(ers?|ing)|household|dish(washing)?|disinfect\w*|air (care|fresheners?)|sponges?|brooms?|insecticides?)\b",
    ),
    (
        "health",
        r"\b(health|vitamins?|medicines?|cold|pain|antacids?|first aid|laxatives?|diet|drugs?|remed(y|ies)|nutrition)\b",
    ),
    ("light", r"\b(lights?|bulbs?|batter(y|ies)|candles?|electrical)\b"),
    (
        "kitchen",
        r"\b(kitchen|cookware|pans?|bakeware|utensils?|gadgets?|housewares?|domestic|charcoal|grill(ing)?)\b",
    ),
    ("cards", r"\b(cards?|gifts?|party|seasonal|christmas|halloween|valentine|easter|holiday)\b"),
    ("magazine", r"\b(magazines?|books?|newspapers?|news|publications?)\b"),
    ("stationery", r"\b(stationery|school|office|pens?|pencils?|supplies)\b"),
    ("flowers", r"\b(flowers?|floral|bouquets?|roses?|plants?)\b"),
    ("garden", r"\b(garden|lawn|soil|mulch|fertilizers?)\b"),
    ("toys", r"\b(toys?|games?|sports?|balls?)\b"),
    ("clothes", r"\b(clothes|clothing|apparel|hosiery|socks?|shirts?|gloves?)\b"),
)

COMPILED = tuple((kind, re.compile(words)) for kind, words in RULES)
OTHERWISE = "parcel"


def kind_of(title: str, product_type: str) -> str:
    """Return the name of a drawing; the type says more than the title, so it is asked first."""
    for text in (product_type.lower(), title.lower()):
        kind = next((kind for kind, words in COMPILED if words.search(text)), None)
        if kind is not None:
            return kind
    return OTHERWISE
