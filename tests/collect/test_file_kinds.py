"""Kinds of files and the meaning of columns: guessed, printed, overridden, saved."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from shopkeeper.collect.files.columns import SYNONYMS, override, recognise
from shopkeeper.collect.files.door import guess
from shopkeeper.collect.files.kinds import KINDS
from shopkeeper.collect.files.people import attribute_name
from shopkeeper.collect.samples import write_sample
from shopkeeper.domain.catalogue import Product, Rate, Spend, Staff, StockLevel, Store
from shopkeeper.domain.errors import InvalidInput

SAMPLE_KINDS = {
    "orders.parquet": "orders", "customers.csv": "customers", "products.csv": "products", "stock.csv": "stock",
    "stores.csv": "stores", "staff.csv": "staff", "consents.csv": "consents", "unsubscribes.csv": "unsubscribes",
    "contacts.csv": "contacts", "spend.csv": "spend", "exchange_rates.csv": "rates", "demographics.csv": "attributes",
    "events.jsonl": "events",
}  # fmt: skip


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder, size=0.005, seed=3, truth=tmp_path_factory.mktemp("truth"))
    return folder


@pytest.mark.parametrize(("name", "kind"), SAMPLE_KINDS.items())
def test_every_file_of_the_sample_is_what_it_is_and_none_of_its_rows_is_refused(sample, bring, name, kind):
    brought = bring(sample / name, source=kind)
    assert brought.guess.kind == kind
    assert brought.guess.confidence > 0.4
    assert brought.total("read") > 0
    assert brought.refused == []


@pytest.mark.parametrize(
    ("name", "head", "kind"),
    [
        ("a.csv", "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country", "orders"),
        (
            "a.csv",
            "Bestellnummer;Bestelldatum;Artikelnummer;Bezeichnung;Menge;Einzelpreis;Kundennummer",
            "orders",
        ),
        (
            "a.csv",
            "Numéro de commande;Date de commande;Référence;Désignation;Quantité;Prix unitaire;Client",
            "orders",
        ),
        ("a.csv", "Número de pedido;Fecha;Código;Descripción;Cantidad;Precio;Correo electrónico", "orders"),
        (
            "a.csv",
            "Order ID,Created at,Lineitem sku,Lineitem name,Lineitem quantity,Lineitem price,Email",
            "orders",
        ),
        ("a.csv", "Customer ID,First Name,Last Name,Email,Phone,Zip", "customers"),
        ("a.csv", "id,title,brand,category,cost,price", "products"),
        ("a.csv", "sku,product_id,warehouse,on hand,counted at", "stock"),
        ("a.csv", "store,name,city,opening hours", "stores"),
        ("a.csv", "employee id,name,store,job title", "staff"),
        ("a.csv", "ticket id,opened,mood,email,topic", "contacts"),
        ("a.csv", "month,channel,spend", "spend"),
        ("a.csv", "date,currency,rate", "rates"),
        ("a.csv", "event,timestamp,user_id", "events"),
    ],
)
def test_kinds_are_told_from_headings_alone(tmp_path, name, head, kind):
    path = tmp_path / name
    delimiter = ";" if ";" in head else ","
    path.write_text(head + "\n" + delimiter.join(["x"] * (head.count(delimiter) + 1)) + "\n")
    assert guess(path).kind == kind


def test_a_tie_asks_and_a_given_kind_decides(tmp_path):
    path = tmp_path / "export.csv"
    path.write_text("email,date\na@example.com,2011-12-09\n")
    with pytest.raises(InvalidInput, match="say which one it is: kind="):
        guess(path)
    assert guess(path, "unsubscribes").mapping == {"email": "email", "time": "date"}


def test_a_guess_holds_no_values(tmp_path):
    path = tmp_path / "customers.csv"
    path.write_text("customer_id,first_name,email\n100,Anna,anna@example.com\n")
    assert b"nna" not in msgspec.json.encode(guess(path))


def test_two_columns_for_one_field_are_named_and_the_better_one_is_taken(tmp_path):
    path = tmp_path / "orders.csv"
    path.write_text("order_id,date,invoice date,product_id,quantity,price\n1,2011-12-09,2011-12-08,p,1,2\n")
    seen = guess(path)
    assert seen.mapping["time"] == "date"
    assert seen.ambiguous == {"time": ("invoice date",)}
    assert any("'invoice date'" in note for note in seen.notes)
    assert guess(path, mapping={"time": "Invoice Date"}).mapping["time"] == "invoice date"


def test_a_mapping_makes_strange_columns_usable_and_can_leave_one_out(bring):
    text = "A,B,C,D,E,email\n1,2011-12-09,p,1,2,x@example.com\n"
    mapping = {
        "order_id": "A",
        "time": "B",
        "product_id": "C",
        "quantity": "D",
        "unit_price": "E",
        "email": "",
    }
    (event,) = bring(text, "strange.csv", kind="orders", mapping=mapping).events
    assert (event.properties.order_id, event.identifiers) == ("1", ())


def test_a_column_that_was_given_away_is_taken_from_its_old_field():
    kind = KINDS["orders"]
    columns = ["order_id", "date", "quantity", "price"]
    found = override(recognise(columns, kind), {"amount": "price"}, columns, kind)
    assert "unit_price" not in found.fields
    assert found.fields["amount"] == "price"


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_the_table_of_kinds_is_whole(kind):
    names = [field.name for field in kind.fields]
    assert len(names) == len(set(names))
    assert all(set(group) <= set(names) for group in kind.needs)
    assert recognise(names, kind).fields == {name: name for name in names}
    assert all(field.sentence for field in kind.fields)


def test_every_synonym_belongs_to_a_field():
    assert set(SYNONYMS) <= {field.name for kind in KINDS.values() for field in kind.fields}


def test_records_of_what_a_shop_has(bring):
    products = bring("id;titel;product name;cost;price;kind\n1;;Lamp;3,60;7,95;product\n", "products.csv")
    assert products.records == [
        Product(product_id="1", name="Lamp", unit_cost=Decimal("3.6"), list_price=Decimal("7.95"))
    ]
    stock = bring("product_id,location,on hand,counted at\n1,S1,3.5,09/12/2011 20:00\n2,,4,\n", "stock.csv")
    assert stock.records == [
        StockLevel(product_id="1", store="S1", quantity=3.5, as_of="2011-12-09T20:00:00+00:00"),
        StockLevel(product_id="2", store="web", quantity=4.0),
    ]
    head = "store_id,name,lat,lon,time_zone,hours\n"
    stores = bring(
        head + "S1,Leeds,53.8,-1.5,Europe/London,Mo-Fr 09:00-18:00\nS2,York,99,0,,\nS3,Hull,,,Nowhere,\n",
        "stores.csv",
    )
    assert stores.records == [
        Store(
            store_id="S1", name="Leeds", latitude=53.8, longitude=-1.5, time_zone="Europe/London",
            hours="Mo-Fr 09:00-18:00",
        )
    ]  # fmt: skip
    assert stores.reasons == {3: "bad_value", 4: "bad_value"}
    staff = bring("employee id,name,store,role\nst-1,Anna,S1,manager\n", "staff.csv")
    assert staff.records == [Staff(staff_id="st-1", name="Anna", store="S1", role="manager")]
    spend = bring("Monat;Kanal;Kosten\n03/2011;Suche;1.234,50\nApr 2011;Suche;0\n", "spend.csv")
    assert spend.records == [
        Spend(month="2011-03", channel="Suche", spend=Decimal("1234.5"), currency="GBP"),
        Spend(month="2011-04", channel="Suche", spend=Decimal(0), currency="GBP"),
    ]
    rates = bring("date,currency,rate\n2011-12-09,eur,0.00654321\n2011-12-09,USD,0\n", "rates.csv")
    assert rates.records == [Rate(date="2011-12-09", currency="EUR", rate=0.00654321)]
    assert rates.reasons == {3: "bad_value"}


def test_attribute_names_are_tame():
    assert attribute_name("Age-Band (years)") == "age_band_years"
