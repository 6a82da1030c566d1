"""Bringing files in: interrupts, products told in part, numbers of other systems."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.events import DAY, event, order, put

from shopkeeper.collect.files.door import load
from shopkeeper.domain.actor import Actor
from shopkeeper.domain.batch import Batch
from shopkeeper.domain.errors import Conflict
from shopkeeper.domain.protocols import Progress
from shopkeeper.know.reducers import VERSION
from shopkeeper.shop import Shop
from shopkeeper.shop.bringing import carry, preview
from shopkeeper.stores.contract.ledger import LedgerWriter


def write(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


@pytest.fixture
def _interruptible() -> Iterator[None]:
    """A program that a shell starts in the background ignores interrupts, and so does what it starts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_interruptible")
def test_an_interrupted_import_leaves_nothing_and_the_shop_goes_on(shop: Shop, tmp_path: Path) -> None:
    lines = "".join(f"{n},2026-04-01,p1,1,1.25,{n}\n" for n in range(1, 30_001))
    file = write(tmp_path, "orders.csv", "order_id,date,product_id,quantity,unit_price,customer_id\n" + lines)
    heard: list[float] = []

    def interrupt(_: str, done: float) -> None:
        heard.append(done)
        if len(heard) == 2:
            os.kill(os.getpid(), signal.SIGINT)
        if len(heard) >= 2:
            threading.Event().wait(0.5)  # as long as a large file would still take, on a busy machine, too

    with pytest.raises(KeyboardInterrupt, match=r"^nothing of orders\.csv was brought in$"):
        shop.collect(file, progress=interrupt)
    assert shop.health()["events"] == 0
    assert shop.collect(file).kept == 30_000


def test_an_interrupt_after_the_last_row_says_that_the_import_is_kept(shop: Shop, tmp_path: Path) -> None:
    text = "order_id,date,product_id,quantity,unit_price,customer_id\n"
    file = write(
        tmp_path, "orders.csv", text + "".join(f"{n},2026-04-01,p1,1,1.25,{n}\n" for n in range(1, 4))
    )
    seen = preview(shop.places, file, "orders", None)

    def batches(tx: LedgerWriter, heard: Progress, notes: list[str]) -> Iterator[Batch]:
        return load(
            file, guess=seen, source="orders", now=shop.places.now(), zone=shop.settings.time_zone,
            currency=shop.settings.currency, lines=tx, progress=heard, notes=notes,
        )  # fmt: skip

    def late(_: LedgerWriter) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        threading.Event().wait(0.3)

    with pytest.raises(KeyboardInterrupt, match=r"^orders\.csv was in by then \(rows kept: 3\)$"):
        carry(
            shop.places,
            seen,
            batches,
            source="orders",
            numbering=None,
            name="orders.csv",
            progress=None,
            beside=late,
        )
    assert shop.health()["events"] == 3
    assert shop.collect(file, "orders").kept == 0
    assert shop.collect(file, "orders").repeated == 3


def test_a_price_list_without_costs_wipes_no_cost(shop: Shop, tmp_path: Path) -> None:
    shop.collect(
        write(tmp_path, "products.csv", "product_id,name,category,unit_cost\np1,Lamp,Lighting,4.00\n")
    )
    put(shop, order("1", -DAY, price="10.00", ids={"user_id": "anna"}))
    shop.collect(write(tmp_path, "products2.csv", "product_id,name,list_price\np1,Desk lamp,12.00\n"))
    shop.advance()
    seen = shop.customer("user_id:anna")
    assert seen.traits["margin"] == 6.0
    assert seen.traits["favourite_category"] == "Lighting"
    assert seen.products[0].name == "Desk lamp"


def test_a_new_product_in_an_order_makes_no_record_stale(shop: Shop, tmp_path: Path) -> None:
    put(shop, order("1", -DAY, ids={"user_id": "anna"}))
    text = "order_id,date,product_id,description,quantity,unit_price,customer_id\n2,2026-04-30,new,Teapot,1,9.00,bert\n"
    shop.collect(write(tmp_path, "orders.csv", text))
    with shop.places.ledger.read() as reader:
        before = reader.setting("catalogue")
        catalogue = shop.places.catalogue(reader)
        assert reader.stale(VERSION, catalogue.version, 10) == []
    shop.collect(write(tmp_path, "products.csv", "product_id,name\nnew,Blue teapot\n"))
    with shop.places.ledger.read() as reader:
        assert reader.setting("catalogue") == before, "a name changes no record"


def test_the_same_number_in_two_systems_can_be_two_people(shop: Shop, tmp_path: Path) -> None:
    head = "order_id,date,product_id,quantity,unit_price,customer_id,email\n"
    till = write(tmp_path, "till.csv", head + "1,2026-04-01,p1,1,1.00,5,anna@example.com\n")
    web = write(tmp_path, "web.csv", head + "1,2026-04-02,p1,1,1.00,5,bert@example.com\n")
    shop.collect(till, "orders", source="till", numbering="till")
    shop.collect(web, "orders", source="web")
    shop.advance()
    anna, bert = shop.customer("anna@example.com"), shop.customer("bert@example.com")
    assert anna.id != bert.id
    assert shop.customer("user_id:till:5").id == anna.id
    assert shop.customer("user_id:5").id == bert.id


def test_a_file_named_after_a_person_leaves_no_name_behind(shop: Shop, tmp_path: Path) -> None:
    text = "order_id,date,product_id,quantity,unit_price\n1,2026-04-01,p1,1,1.00\n"
    assert shop.collect(write(tmp_path, "anna.berg@example.com.csv", text)).file == "orders.csv"


def test_an_account_number_that_looks_like_a_customer_id(shop: Shop) -> None:
    put(shop, order("1", ids={"user_id": "first"}))
    put(shop, order("2", ids={"user_id": "c1"}))
    put(shop, order("3", ids={"user_id": "C2"}))
    assert shop.customer("user_id:first").id == "c1"
    with pytest.raises(Conflict, match="another customer's"):
        shop.erase("c1")
    assert shop.customer("c1").id == "c1", "what somebody's browser calls itself stands in nobody's way"
    assert [row.id for row in shop.find("c1").rows] == ["c1"]
    assert shop.customer("user_id:c1").id == "c2"
    assert shop.customer("customer:c1").id == "c1"
    assert shop.customer("C2").id == "c3", "an account number, as written"
    for odd in ("c²", "c" + "9" * 30, "c", "customer:"):
        with pytest.raises(LookupError):
            shop.customer(odd)


def test_who_may_not_see_persons_sees_nothing_in_their_words(shop: Shop) -> None:
    put(
        shop,
        event("Identified", "i", -DAY, ids={"user_id": "7", "email": "anna@berg.example.com"}, street="1 High Street",
              postcode="LS1 1AA"),
        event("Answer Given", "a", ids={"user_id": "7"}, question_id="occasion", answer="wedding of my sister Eva"),
        event("Contact Opened", "k", ids={"user_id": "7"}, contact_id="K", reason="complaint by Anna Berg"),
    )  # fmt: skip
    marketer = shop.as_actor(Actor("m", "marketer"))
    told = str(marketer.customer("user_id:7")) + str(marketer.timeline("user_id:7"))
    for value in ("High Street", "1AA", "berg", "Eva", "Anna", "anna"):
        assert value not in told
