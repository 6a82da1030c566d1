"""Products: real codes and names; simulated categories (by keyword), brands, cost and stock."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shopkeeper.collect.samples.columns import days, money, pick
from shopkeeper.collect.samples.names import STORE_CITIES
from shopkeeper.collect.samples.pack import usual_descriptions
from shopkeeper.collect.samples.places import PLACE_IDS
from shopkeeper.collect.samples.source import (
    ADJUSTMENTS,
    DAY,
    LAST_DAY,
    SERVICES,
    Flags,
    Floats,
    Ints,
    Purchases,
)
from shopkeeper.collect.samples.world import CATEGORY_MARGIN, generator

CATEGORIES: tuple[tuple[str, str], ...] = (
    # category: words of the description; the first row that matches wins
    ("Christmas", r"CHRISTMAS|XMAS|ADVENT|SANTA|REINDEER|SNOWM|NATIVITY|BAUBLE|TREE DECORATION|STOCKING|NOEL"),
    ("Candles", r"CANDLE|T-?LIGHT|TEALIGHT|INCENSE|VOTIVE|HURRICANE"),
    ("Lighting", r"LIGHT|LAMP|LANTERN|CHANDELIER|TORCH"),
    ("Bags", r"\bBAGS?\b|SHOPPER|HANDBAG|TOTE|RUCKSACK|BACKPACK|SUITCASE|HOLDALL"),
    ("Purses & Accessories", r"PURSE|WALLET|UMBRELLA|SCARF|GLOVES?\b|KEY.?RING|PASSPORT|LUGGAGE TAG|SUNGLASS|PARASOL"),
    ("Jewellery", r"NECKLACE|EARRING|BRACELET|BANGLE|BROOCH|\bRINGS?\b|PENDANT|JEWEL|HAIR|TIARA|ANKLET"),
    ("Baking & Cake", r"CAKE|BAKING|CUPCAKE|MUFFIN|COOKIE|DOILEY|DOILY|JELLY MOULD|ROLLING PIN|PASTRY|BISCUIT"),
    ("Tea & Coffee", r"\bTEA\b|TEAPOT|TEACUP|COFFEE|\bMUGS?\b|\bCUPS?\b|SAUCER|COASTER|SUGAR"),
    ("Kitchen & Dining", r"PLATE|BOWL|DISH|KITCHEN|CUTLERY|SPOON|FORK|KNIFE|GLASS|JUG|BOTTLE|APRON|TRAY|LUNCH|RECIPE"
     r"|NAPKIN|OVEN|EGG|SALT|PEPPER|PANTRY|JAM|STORAGE JAR|COLANDER|TIFFIN|PICNIC|SNACK|POPCORN|WASHING UP"),
    ("Party", r"PARTY|BUNTING|BALLOON|BIRTHDAY|PAPER CHAIN|GARLAND|CONFETTI|STRAWS?\b|INVIT|COCKTAIL|SPARKL"),
    ("Stationery", r"\bPENS?\b|PENCIL|NOTEBOOK|JOURNAL|\bCARDS?\b|ENVELOPE|STICKER|STAMP|ERASER|RUBBER|CALENDAR"
     r"|MEMO|CHALK|CRAYON|PAPER|SCISSORS|TAPE|DIARY|ORGANISER|CLIP"),
    ("Gift Wrap", r"WRAP|GIFT|RIBBON|TAGS?\b|TISSUE|BOW\b"),
    ("Toys & Games", r"TOY|GAME|PUZZLE|DOLL|SKITTLES|DOMINO|PLAY|CHILD|KIDS|BABY|SOLDIER|SPACEBOY|CIRCUS|JIGSAW"
     r"|DINOSAUR|TEDDY|SOFT|SKIPPING|YO-?YO|MARBLES|FELTCRAFT|BINGO|TRAIN|RABBIT|SNAP"),
    ("Garden", r"GARDEN|PLANT|FLOWER|BIRD|WATERING|PARASOL|SEED|HERB|GROW YOUR|WINDMILL|FEEDER|TROWEL|LEAF|GNOME|TREE"),
    ("Clocks & Signs", r"CLOCK|\bSIGNS?\b|DOORMAT|PLAQUE|NOTICE|HOOK|HANGER|LETTER|WORD\b|BLOCK|NUMBER|DOOR|MAGNET"),
    ("Soft Furnishing", r"CUSHION|QUILT|BLANKET|THROW|CURTAIN|FABRIC|RUG|TOWEL|BEANBAG|DRAPE|TEA COSY|PADS?\b|CLOTH"),
    ("Bathroom & Beauty", r"BATH|SOAP|SHOWER|TOILET|COSMETIC|MIRROR|MANICURE|WASH|BEAUTY|PLASTERS|HOT WATER|NAIL"),
    ("Storage", r"BOX|BASKET|DRAWER|CABINET|STORAGE|\bTINS?\b|CRATE|BUCKET|SHELF|CONTAINER|RACK|CHEST|JAR|TRINKET"),
    ("Home Decoration", r"FRAME|HEART|DECORATION|WREATH|VASE|ORNAMENT|HANGING|WALL|PICTURE|ANGEL|STAR|CREAM|IVORY|ZINC"
     r"|WICKER|METAL|CERAMIC|VINTAGE|WOODEN|ENAMEL|ANTIQUE|RETRO|SET OF|ART|COVER"),
)  # fmt: skip
OTHER = "Other"
BRANDS = (
    "Hollyfield", "Maison Lune", "Redspot & Co", "Oakhaven", "Penny Lark", "Nordlys", "Copper Kettle", "Bluebell Row",
    "Tinker & Thread", "Old Mill", "Saltmarsh", "Juniper Lane", "Fox & Fern", "Quillwork", "Lantern House", "Sample",
)  # fmt: skip
"""Invented brands; each category draws most of its products from three of them."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """One entry per product code; `category` and `brand` index `category_names` and `BRANDS`."""

    name: pa.StringArray
    kind: pa.StringArray
    category: Ints
    brand: Ints
    list_milli: Ints
    cost: Floats
    launched_day: Ints
    popularity: Ints
    sellable: Flags

    @property
    def category_names(self) -> pa.StringArray:
        """Readable categories, the last one for everything no rule knows."""
        return pa.array([name for name, _ in CATEGORIES] + [OTHER], pa.string())

    def properties(self, index: Ints, product_ids: pa.StringArray) -> dict[str, pa.Array]:
        """The product properties of an event, with Segment's names, for products by index."""
        return {
            "product_id": pick(product_ids, index),
            "name": pick(self.name, index),
            "category": pick(self.category_names.take(pa.array(self.category)), index),
            "brand": pick(pa.array(BRANDS), self.brand[index]),
            "price": pa.array(self.list_milli[index] / 1000),
        }


def _kinds(product_ids: pa.StringArray) -> pa.StringArray:
    kind = pa.array(["product"] * len(product_ids))
    rules = (
        (pc.is_in(product_ids, pa.array(SERVICES)), "service"),
        (pc.match_substring_regex(product_ids, "^(?i)gift"), "voucher"),
        (pc.is_in(product_ids, pa.array(ADJUSTMENTS)), "adjustment"),
    )
    for mask, value in rules:
        kind = pc.if_else(mask, value, kind)
    return kind


def _list_prices(bought: Purchases, products: int) -> Ints:
    """The price paid most often for each product (the higher one on a tie), thousandths of a pound."""
    paid = (bought.price_milli > 0) & (bought.quantity > 0)
    key = bought.product[paid] * 100_000_000 + np.minimum(bought.price_milli[paid], 99_999_999)
    keys, counts = np.unique(key, return_counts=True)
    order = np.lexsort((keys, counts, keys // 100_000_000))
    price = np.zeros(products, np.int64)
    price[keys[order] // 100_000_000] = keys[order] % 100_000_000  # the last one written is the most frequent
    return price


def make_catalogue(bought: Purchases, seed: int) -> Catalogue:
    """All products that occur in the purchases."""
    draw = generator(seed, "catalogue")
    n = len(bought.product_ids)
    told = (bought.price_milli > 0) & pc.fill_null(pc.not_equal(bought.description, "nan"), False).to_numpy(
        zero_copy_only=False
    )
    usual = usual_descriptions(
        bought.product_ids.take(pa.array(bought.product[told])), bought.description.filter(pa.array(told))
    )
    at = pc.index_in(bought.product_ids, usual["product_id"].combine_chunks())
    name = pc.utf8_trim_whitespace(usual["description"].combine_chunks().take(at))
    name = pc.coalesce(name, bought.product_ids)
    category = np.full(n, len(CATEGORIES), np.int64)
    upper = pc.utf8_upper(name)
    for code in range(len(CATEGORIES) - 1, -1, -1):
        category[pc.match_substring_regex(upper, CATEGORIES[code][1]).to_numpy(zero_copy_only=False)] = code
    kind = _kinds(bought.product_ids)
    sellable = pc.equal(kind, "product").to_numpy(zero_copy_only=False)

    usual_brands = draw.integers(0, len(BRANDS), (len(CATEGORIES) + 1, 3))
    brand = usual_brands[category, draw.choice(3, n, p=[0.5, 0.3, 0.2])]
    low, high = CATEGORY_MARGIN
    margin = draw.permutation(np.linspace(low, high, len(CATEGORIES) + 1))[category] + draw.normal(0, 0.03, n)
    list_milli = _list_prices(bought, n)
    # From what a unit brought, not from the list: real bulk orders were sold far below it, and would lose money.
    cost = bought.mean_milli / 1000 * (1 - np.clip(margin, low, high))
    first = np.full(n, LAST_DAY, np.int64)
    np.minimum.at(first, bought.product, bought.minute // DAY)
    return Catalogue(
        name=name,
        kind=kind,
        category=np.where(sellable, category, len(CATEGORIES)),
        brand=np.where(sellable, brand, -1),
        list_milli=list_milli,
        cost=np.where(sellable, cost, 0.0),
        launched_day=first,
        popularity=np.bincount(bought.product, minlength=n).astype(np.int64),
        sellable=sellable,
    )


def products_table(catalogue: Catalogue, product_ids: pa.StringArray) -> pa.Table:
    """The columns of products.csv; in a shop smaller than the real one only what was ever sold."""
    names = catalogue.category_names.take(pa.array(catalogue.category))
    table = pa.table(
        {
            "product_id": product_ids,
            "name": catalogue.name,
            "category": names,
            "brand": pick(pa.array(BRANDS), catalogue.brand),
            "unit_cost": money(catalogue.cost),
            "list_price": money(catalogue.list_milli / 1000),
            "kind": catalogue.kind,
            "launched": days(catalogue.launched_day),
        }
    )
    return table.filter(pa.array(catalogue.popularity > 0))


def stock_table(bought: Purchases, catalogue: Catalogue, seed: int) -> pa.Table:
    """The columns of stock.csv: what each store and the web warehouse hold on the last evening.

    Only products sold in the last 120 days are stocked; some are sold out, which matters to recommendations.
    """
    draw = generator(seed, "stock")
    recent = (bought.minute // DAY > LAST_DAY - 120) & (bought.quantity > 0)
    weekly = (
        np.bincount(bought.product[recent], weights=bought.quantity[recent], minlength=len(catalogue.cost))
        / 17
    )
    alive = np.flatnonzero((weekly > 0) & catalogue.sellable)
    places = len(STORE_CITIES) + 1
    share = np.array([0.06] * len(STORE_CITIES) + [1.0])
    listed = draw.random((len(alive), places)) < np.array([0.5] * len(STORE_CITIES) + [1.0])
    held = draw.poisson(
        np.minimum(weekly[alive, None] * share * draw.gamma(2, 1.5, (len(alive), places)), 5000)
    )
    held = np.where(draw.random(held.shape) < 0.07, 0, held)
    product, place = np.nonzero(listed)
    return pa.table(
        {
            "product_id": bought.product_ids.take(pa.array(alive[product])),
            "store": pa.array(PLACE_IDS).take(pa.array(place)),
            "quantity": held[product, place],
            "as_of": pa.array(["2011-12-09T20:00:00"] * len(product)),
        }
    )
