"""The README that lies in the folder of a sample shop: what is real, what is simulated, from which figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shopkeeper.collect.samples.world import CATEGORY_MARGIN, CHANNELS, OFFERS, WORLD

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from shopkeeper.collect.samples.export import SampleManifest

FILES: dict[str, str] = {
    "orders.parquet": """order_id, invoice_date, product_id, description, quantity, unit_price, customer_id and
        country are **real**. store, loyalty_card, payment_token, email, staff_id and coupon are simulated; currency
        is GBP throughout. invoice_date is the shop's wall clock (Europe/London). An empty store marks
        book-keeping lines. A coupon says that one was used; the real unit_price already contains every discount.""",
    "customers.csv": """customer_id and country are **real**; everything else is simulated, with typos, gaps and
        junk.""",
    "products.csv": """product_id is **real**, name is the most frequent real description, list_price the price
        paid most often, launched the first day it was sold; category comes from keywords in the name; brand and
        unit_cost are simulated.""",
    "stock.csv": "simulated from the real sales of the last 120 days.",
    "stores.csv, staff.csv": "simulated.",
    "consents.csv, unsubscribes.csv": """simulated; some who unsubscribed are only in one of the two, or only in the
        events, as in life.""",
    "contacts.csv": "simulated; order_id and the time refer to real orders and real returns.",
    "spend.csv": "simulated from the number of customers who joined.",
    "exchange_rates.csv": "invented, not the rates of those years; pounds for one unit of the currency.",
    "demographics.csv": "invented, loosely tied to the simulated person and to real spending.",
    "events.jsonl": """all simulated, in the format of the Segment HTTP tracking API; times are UTC. Product views
        lead to real orders; products looked at and not bought in a session were really never bought by that
        person.""",
}
SOURCE = """Source: Chen, D. (2019). Online Retail II. UCI Machine Learning Repository, data set 502.
    https://doi.org/10.24432/C5CG6D, licensed CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/).
    Changed here: products of the second year re-keyed, columns renamed and added as listed."""
REAL = """The order lines: order numbers, times, products, quantities, prices, customer numbers and countries, with
    returns, book-keeping entries and stock write-offs as the retailer wrote them."""
COPIES = "Size above 1: order numbers that end in -1, -2, ... are copies under other numbers and days, and not real."
PEOPLE = """Everything about people. Names are combined at random from lists of frequent names. E-mail addresses lie
    under example.com, example.org and example.net, which nobody can own. Telephone numbers come from the ranges
    that regulators reserve for fiction: in Britain 020 7946 0xxx, 0161 496 0xxx and alike, and 07700 900xxx (which
    libraries reject as invalid); in France 06 39 98 xx xx, in Germany 030 23125 xxx, in the USA 555-01xx. Shops
    above about size 2 use up the British ranges; further numbers are then 07700 0xxxxx and 07700 1xxxxx, of valid
    form but not reserved: never dial a number of this file. Addresses are invented combinations."""
RANDOMISED = """Offers are randomised. As real purchases cannot react to an invented offer, who received it was drawn
    given who bought, so that segment, assignment and purchase are distributed as in an experiment with propensity
    1/2 and the effects below. Some offers have no effect at all. A customer drawn into the control group has an
    `Offer Withheld` event."""
HINDSIGHT = """What is simulated was drawn knowing the real purchases that follow: e-mail clicks lean on orders of the
    next 30 days, engagement and acquisition channel on a customer's whole two years. A model that reads these as
    features sees part of what it is to predict, and looks better here than it would in life."""
TRAPS = """Traps that real data have: two accounts of one person, couples with one landline, e-mail, bank card or
    tablet, parent and child of the same name, recycled phone numbers, junk typed into forms, a cashier's own
    loyalty card, a tablet in each store. Who is who lies in the truth folder, for tests only."""


def _line(text: str) -> str:
    return " ".join(text.split())


def _table(head: tuple[str, ...], rows: list[tuple[object, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|---" * len(head) + "|"
    for row in rows:
        yield f"| {' | '.join(str(cell) for cell in row)} |"
    yield ""


def text(manifest: SampleManifest, event_counts: Mapping[str, int]) -> str:
    """The whole README in Markdown."""
    rows = {file.name: file.rows for file in manifest.files}
    counts = sorted(event_counts.items(), key=lambda item: (-item[1], item[0]))
    low, high = CATEGORY_MARGIN
    margin = ("category margin", f"{low:g} to {high:g}", "gross margin of a category at list price")
    opening = f"""A shop with stores, a web shop and a mailing list, built on real purchases ({manifest.first_date} to
        {manifest.last_date}). Its clock stands at {manifest.now}. Size {manifest.size:g}, seed {manifest.seed}:
        the same two figures give the same files."""
    parts = [
        *("# The sample shop", "", _line(opening), ""),
        *(
            "## What is real",
            "",
            _line(REAL),
            "",
            *([COPIES, ""] if manifest.size > 1 else []),
            _line(SOURCE),
            "",
        ),
        *("## What is simulated", "", _line(PEOPLE), ""),
        *_table(
            ("file", "rows", "what is real and what is not"),
            [
                (n, " / ".join(f"{rows[f]:,}" for f in n.split(", ")), _line(says))
                for n, says in FILES.items()
            ],
        ),
        *(_line(RANDOMISED), "", _line(HINDSIGHT), "", _line(TRAPS), ""),
        *("### Events", "", *_table(("event", "count"), [(name, f"{count:,}") for name, count in counts])),
        *("### Assumptions", ""),
        *_table(
            ("parameter", "value", "meaning"),
            [*((n, f"{v:g}", says) for n, v, says in WORLD.table()), margin],
        ),
        *_table(
            (
                "acquisition channel",
                "share among customers of low, middle, high value",
                "GBP per new customer",
            ),
            [
                (n, " / ".join(f"{s:g}" for s in shares), f"{cost:g}")
                for n, (shares, cost) in CHANNELS.items()
            ],
        ),
        *_table(
            ("offer", "what", "cost in GBP", "relative effect on buying (new / regular / lapsing)"),
            [
                (o, w, f"{c:g}", " / ".join(f"{e:+g}" for e in es.values()))
                for o, (w, c, es) in OFFERS.items()
            ],
        ),
    ]
    return "\n".join(parts)
