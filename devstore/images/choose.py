"""Which drawing suits a product: the first rule with a word of its title, else of its type."""

import re

# Kinds in order of precedence, each with its words; plurals in s or es are understood, _ is a space.
RULES: tuple[tuple[str, str], ...] = (
    ("sausage", "sausage hot_dog hotdog frankfurter frank bacon smoked_meat brat"),
    ("pet", "dog cat pet puppy kitten bird_seed litter aquarium"),
    ("baby", "baby infant diaper formula toddler"),
    ("ice_cream", "ice_cream sherbet gelato novelties popsicle frozen_dessert"),
    ("pizza", "pizza"),
    ("spread", "peanut_butter jelly jellies jam preserve honey"),
    ("frozen", "frozen frzn froz fz frozen_ice bag_ice waffle entree frozen_dinner"),
    ("deli", "deli sandwich lunch_meat lunchmeat luncheon party_tray prepared heat/serve"),
    ("coffee", "coffee cappuccino espresso"),
    ("tea", "tea"),
    ("soda", "soda soft_drink cola sft_drnk energy carbonated ginger_ale root_beer tonic"),
    ("beer", "beer ale malt cider lager"),
    ("wine", "wine liquor spirit champagne vodka whiskey"),
    ("juice", "juice drink lemonade punch nectar smoothie isotonic"),
    ("water", "water"),
    ("yogurt", "yogurt yoghurt pudding gelatin sour_cream cottage dip"),
    ("cheese", "cheese"),
    ("butter", "butter margarine"),
    ("eggs", "egg"),
    ("milk", "milk dairy creamer cream half_&_half"),
    ("cookies", "cookie cracker biscuit graham wafer"),
    ("bakery", "cake muffin donut doughnut pastry pastries sweet_good pie cupcake croissant bakery brownie"),
    ("bread", "bread roll bun bagel loaf tortilla pita baked"),
    ("popcorn", "popcorn"),
    ("chips", "chip snack pretzel salty nacho snk"),
    ("chocolate", "chocolate cocoa fudge"),
    ("candy", "candy candies gum mint gummies confection"),
    ("salad", "salad lettuce greens spinach kale cabbage herb"),
    ("banana", "banana"),
    ("berries", "berry berries strawberry strawberries blueberry blueberries raspberries cherry cherries"),
    ("grapes", "grape raisin"),
    ("lemon", "lemon"),
    ("lime", "lime"),
    ("citrus", "citrus orange grapefruit clementine tangerine"),
    ("melon", "melon watermelon cantaloupe"),
    ("soup", "soup broth stew chili ramen"),
    ("pasta", "pasta spaghetti macaroni noodle lasagna"),
    ("sauce", "sauce salsa ketchup marinara tomato_paste gravy"),
    ("condiment", "condiment dressing mustard mayo mayonnaise vinegar relish pickle olive marinade"),
    ("tomato", "tomato"),
    ("potato", "potato"),
    ("onion", "onion garlic shallot"),
    ("mushroom", "mushroom"),
    ("chicken", "chicken poultry turkey wing"),
    ("fish", "fish seafood salmon tuna shrimp crab"),
    ("meat", "meat beef pork steak ham lamb veal ground"),
    ("avocado", "avocado guacamole"),
    ("pineapple", "pineapple"),
    ("pepper", "peppers bell_pepper green_pepper red_pepper jalapeno"),
    ("cucumber", "cucumber zucchini squash"),
    ("apple", "apple pear peach fruit nectarine plum"),
    ("beans", "bean chickpea lentil"),
    ("vegetables", "vegetable veg carrot broccoli celery corn asparagus produce"),
    ("cereal", "cereal oatmeal granola breakfast bar"),
    ("spread", "spread"),
    ("syrup", "syrup molasses topping"),
    ("nuts", "nut almond peanut cashew trail_mix seed"),
    ("rice", "rice grain quinoa"),
    ("spices", "spice seasoning extract salt pepper"),
    ("oil", "oil shortening cooking_spray"),
    ("sugar", "sugar sweetener"),
    ("baking", "baking flour mix frosting yeast stuffing cornmeal"),
    ("international", "hispanic mexican taco asian oriental international ethnic kosher"),
    ("canned", "canned can shelf_stable convenient"),
    ("laundry", "laundry detergent fabric bleach softener"),
    ("paper", "paper tissue towel napkin plate cup"),
    ("bags", "bag trash garbage foil wrap storage"),
    ("dental", "oral dental toothpaste toothbrush mouthwash"),
    ("soap", "soap hand_wash body_wash bath shampoo conditioner hair"),
    ("makeup", "makeup make_up cosmetic fragrance nail lipstick"),
    ("beauty", "beauty lotion skin deodorant shaving sun razor feminine hygiene"),
    (
        "cleaning",
        "cleaner cleaning household dish disinfectant air_care air_freshener sponge broom insecticide",
    ),
    ("health", "health vitamin medicine cold pain antacid first_aid laxative diet drug remedies nutrition"),
    ("light", "light bulb battery batteries candle electrical"),
    ("kitchen", "kitchen cookware pan bakeware utensil gadget houseware domestic charcoal grill"),
    ("cards", "card gift party seasonal christmas halloween valentine easter holiday"),
    ("magazine", "magazine book newspaper news publication"),
    ("stationery", "stationery school office pen pencil supplies"),
    ("flowers", "flower floral bouquet rose plant"),
    ("garden", "garden lawn soil mulch fertilizer"),
    ("toys", "toy game sport ball"),
    ("clothes", "clothes clothing apparel hosiery sock shirt glove"),
)
OTHERWISE = "parcel"


def _pattern(words: str) -> re.Pattern[str]:
    alternatives = "|".join(re.escape(word.replace("_", " ")) for word in words.split())
    return re.compile(rf"\b(?:{alternatives})(?:s|es)?\b")


COMPILED = tuple((kind, _pattern(words)) for kind, words in RULES)


def kind_of(title: str, product_type: str) -> str:
    """Return the name of a drawing; the title says more than the type, so it is asked first."""
    for text in (title.lower(), product_type.lower()):
        kind = next((kind for kind, words in COMPILED if words.search(text)), None)
        if kind is not None:
            return kind
    return OTHERWISE
