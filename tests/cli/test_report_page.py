"""The report as people read it: sentences follow from the figures, nothing from outside breaks the screen."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest
from rich.console import Console

from shopkeeper.cli import report as pages
from shopkeeper.domain.profile import CustomerRow
from shopkeeper.domain.report import ImportSummary, People, Ranked, Report, Score, Trade

LAST = datetime(2011, 12, 9, tzinfo=UTC)


@pytest.fixture
def made() -> Report:
    """A report with every part filled."""
    row = CustomerRow(
        id="c1",
        name="Ada \x1b[2JByron",
        orders=12,
        amount=900.0,
        margin=360.0,
        last_order=LAST,
        clv_12m=120.0,
        p_alive=0.91,
        state="active",
    )
    return Report(
        shop="Corner [red]shop",
        as_of=LAST,
        currency="GBP",
        simulated="Persons are simulated.",
        imports=(
            ImportSummary(
                file="orders.csv",
                kind="orders",
                read=1_044_847,
                kept=1_044_840,
                quarantined=7,
                orders=100,
                returns=3,
                exact="18909744.118",
                rounded="18909744.12",
                difference="0.002",
                currency="GBP",
                reasons={"bad_date": 7},
            ),
        ),
        people=People(
            identities=500,
            customers=120,
            named=100,
            anonymous=20,
            buyers=80,
            omnichannel=30,
            merged=380,
            shared=2,
            by_kind={"email": 90, "loyalty_card": 60},
        ),
        trade=Trade(
            orders=100,
            returns=3,
            amount=18_909_744.12,
            margin=7_100_000.0,
            returned=45_000.0,
            unassigned_amount=1200.0,
            first=datetime(2009, 12, 1, tzinfo=UTC),
            last=LAST,
        ),
        months=(("2011-11", 10.0, 4.0, 3), ("2011-12", 20.0, 9.0, 5)),
        most_valuable=(row,),
        fading=(msgspec.structs.replace(row, id="c2", name="", state="fading"),),
        fading_value=3120.0,
        states={"active": 60, "fading": 20},
        value_total=9000.0,
        value_top_tenth=0.58,
        categories=(Ranked(name="Kitchen", amount=10.0, share=0.5, growth=-0.08),),
        places=(Ranked(name="Web shop", amount=20.0, share=1.0),),
        channels=(
            Ranked(
                name="search",
                amount=20.0,
                customers=9,
                extra={"spend": 30.0, "cac": 3.3333, "value_to_cac": 12.345},
            ),
        ),
        scores=(
            Score(
                name="repeat rate",
                mae=0.9,
                rmse=2.4,
                bias=0,
                spearman=0.5,
                top_decile=0.5,
                rule=True,
                beaten=0.99,
            ),
            Score(name="MBG/NBD", mae=0.7, rmse=2, bias=0, spearman=0.6, top_decile=0.55, chosen=True),
        ),
        open_cases=1,
        quarantined=7,
        timings={"import": 2.0, "fit": 0.5},
    )


def printed(report: Report, *, width: int = 110, zone: str = "UTC") -> str:
    """The report as it goes into a pipe."""
    out = Console(file=io.StringIO(), width=width, markup=False, highlight=False)
    pages.show(out, report, zone)
    return out.file.getvalue()  # type: ignore[attr-defined]


def squeezed(words: str) -> str:
    return " ".join(words.split())


def test_headlines_say_what_the_figures_say(made):
    said = pages.headlines(made)
    assert (
        said[0]
        == "120 customers stand behind 500 identities; 80 of them bought, 30 both in a store and online."
    )
    assert said[1].startswith(
        "100 orders from 1 Dec 2009 to 9 Dec 2011 brought £18.9 million and a margin of £7.1"
    )
    assert said[1].endswith(", after £45,000 of returns.")
    assert "£9,000 of margin is expected within 12 months; the most valuable tenth" in said[2]
    assert said[3].startswith("20 customers are fading by their own rhythm, and £3,120")
    assert said[-1] == "1 complaint or request is still open."


def test_days_are_those_of_the_shops_zone(made):
    late = datetime(2011, 12, 8, 23, 30, tzinfo=UTC)
    trade = msgspec.structs.replace(made.trade, last=late)
    told = msgspec.structs.replace(made, trade=trade)
    assert "to 8 Dec 2011" in pages.headlines(told)[1]
    assert "to 9 Dec 2011" in pages.headlines(told, ZoneInfo("Europe/Berlin"))[1]
    assert "to 9 Dec 2011" in squeezed(printed(told, zone="Europe/Berlin"))


def test_an_old_export_is_told_how_to_be_looked_at(made):
    assert pages.long_ago(made) == ""
    old = msgspec.structs.replace(made, as_of=datetime(2014, 1, 1, tzinfo=UTC))
    said = pages.headlines(old)
    assert said[2].startswith("The last order is 754 days old")
    assert 'now = "2011-12-10T00:00:00Z"' in said[2]
    page = squeezed(printed(old))
    assert "Best categories, the 12 months to 9 Dec 2011" in page
    assert "the last 12 months" not in page


def test_what_has_no_category_is_said_to_have_none(made):
    bare = msgspec.structs.replace(made, categories=(Ranked(name="", amount=10.0, share=1.0),))
    page = squeezed(printed(bare))
    assert "(none) £10 100 %" in page
    assert "Best categories, the last 12 months" in page
    assert "Products only" in page


def test_a_page_of_sixty_signs_holds_every_figure(made):
    page = printed(made, width=60)
    assert max(map(len, page.splitlines())) <= 60
    assert "…" not in page
    for figure in ("last order 9 Dec 2011", "still a customer 91 %", "read 1,044,847", "kept 1,044,840"):
        assert figure in page, figure


def test_an_empty_shop_claims_nothing(made):
    empty = Report(
        shop="New",
        as_of=LAST,
        currency="EUR",
        people=People(
            identities=0, customers=0, named=0, anonymous=0, buyers=0, omnichannel=0, merged=0, shared=0
        ),
        trade=Trade(orders=0, returns=0, amount=0, margin=0, returned=0, unassigned_amount=0),
    )
    assert len(pages.headlines(empty)) == 1
    page = printed(empty)
    assert "Too little history" in page
    assert "expected within" not in page


def test_reconciliation_gives_exact_rounded_and_difference(made):
    sentence = pages.reconciliation(made.imports[0])
    assert "18,909,744.118" in sentence
    assert "18,909,744.12;" in sentence
    assert sentence.endswith("the difference is 0.002.")
    assert pages.reconciliation(ImportSummary(file="a", kind="stores", read=1, kept=1)) == ""


def test_trust_names_the_chosen_model_and_what_it_beat(made):
    sentence = pages.trust(made.scores)
    assert sentence.startswith("MBG/NBD is used.")
    assert (
        "was 2.00 orders a customer (root mean square), against 2.40 for the best simple rule (repeat rate"
        in sentence
    )
    assert "more than chance" in sentence
    assert "made 55 % of the orders (50 %)" in sentence


def test_every_part_is_shown(made):
    page = squeezed(printed(made))
    for part in (
        "Persons are simulated.",
        "Most valuable customers",
        "Fading, by the margin at stake",
        "Kitchen",
        "-8 %",
        "Web shop",
        "search",
        "£30 £3.33 – 12.3",
        "1,044,847 1,044,840 0 7",
        "7 rows in quarantine: bad date",
        "import 2.0 s, fit 0.5 s",
        "email 90, loyalty card 60",
        "peak £20 in 2011-12",
    ):
        assert part in page, part


def test_a_customer_without_a_name_is_shown_by_id(made):
    assert "c2" in printed(made)


def test_values_from_outside_cannot_steer_the_terminal(made):
    page = printed(made)
    assert "\x1b" not in page
    assert "Corner [red]shop" in page
    assert "Ada [2JByron" in page


def test_no_line_is_wider_than_the_page(made):
    assert max(map(len, printed(made).splitlines())) <= 110
