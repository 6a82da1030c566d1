"""Values that nobody would believe: nobody is merged by them, nothing breaks, and the reasons can be seen."""

from __future__ import annotations

import pytest
from tests.events import event, order, put

from shopkeeper.shop import Shop


def test_thousands_of_devices_on_one_account_are_one_junction_and_no_hairball(shop: Shop) -> None:
    for start in range(0, 3_000, 500):
        put(
            shop,
            *[
                event("Identified", f"i{n}", ids={"user_id": "bot", "anonymous_id": f"cookie-{n}"})
                for n in range(start, start + 500)
            ],
        )
    put(shop, order("1", ids={"user_id": "bot", "email": "robot@example.com"}))
    assert shop.customer("user_id:bot").id != shop.customer("anonymous_id:cookie-7").id
    assert len({shop.customer(f"anonymous_id:cookie-{n}").id for n in range(0, 3_000, 100)}) == 30
    (row,) = [r for r in shop.review().rows if r.identifier and r.identifier.kind == "user_id"]
    assert (row.of_kind, row.count) == ("anonymous_id", 1_000), "counted up to a thousand"
    assert shop.explain("anonymous_id:cookie-7", "anonymous_id:cookie-8").reasons[0].guard == "shared"


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "x" * 10_000,
        "👩‍👧‍👦",
        "مرحبا",
        "\u202eevil",
        "Robert'); DROP TABLE node;--",
        "\x00",
        "ﬁ" * 300,
    ],
    ids=range(9),
)
def test_odd_names_break_nothing(shop: Shop, name: str) -> None:
    told = {"first_name": name, "last_name": name, "street": f"1 {name}", "postcode": name}
    put(
        shop,
        event("Identified", "1", ids={"user_id": "71"}, **told),
        event("Identified", "2", ids={"user_id": "72"}, **told),
        order("3", ids={"user_id": "71"}),
    )
    assert shop.customer("user_id:71").id != shop.customer("user_id:72").id
    shop.household("user_id:71")
    assert shop.explain("user_id:71", "user_id:72").one is False


@pytest.mark.parametrize(
    ("kind", "value"),
    [("email", "test@test.com"), ("email", ""), ("phone", "0000000000"), ("phone", "+44 0000 000000"), ("phone", "1"),
     ("loyalty_card", "0000"), ("payment_token", "null"), ("social", "instagram:"), ("email", "no@thing@at.all"),
     ("email", "@"), ("anonymous_id", "undefined")],
)  # fmt: skip
def test_junk_merges_nobody_and_is_kept_with_the_event(shop: Shop, kind: str, value: str) -> None:
    put(shop, *[order(f"o{n}", ids={"user_id": f"7{n}", kind: value}) for n in range(3)])
    assert len({shop.customer(f"user_id:7{n}").id for n in range(3)}) == 3
    assert [i.kind for i in shop.customer("user_id:70").identifiers] == ["user_id"]
    assert shop.customer("user_id:70").traits["orders"] == 1
