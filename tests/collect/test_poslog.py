"""What a till's POSLog tells, whatever its version and spelling, and what is left out knowingly."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopkeeper.collect.tills.poslog import check, read
from shopkeeper.domain.batch import Batch
from shopkeeper.domain.clock import instant
from shopkeeper.domain.delivery import Delivery, Settled
from shopkeeper.domain.errors import BadEvent
from shopkeeper.domain.event import Event
from shopkeeper.domain.identifier import Identifier

FOLDER = Path(__file__).parent / "poslog"
HEAD = """<RetailStoreID>S1</RetailStoreID><WorkstationID>1</WorkstationID><SequenceNumber>{sequence}</SequenceNumber>
<BusinessDayDate>2026-04-20</BusinessDayDate><EndDateTime>2026-04-20T11:00:00</EndDateTime>"""


def told(body: str | bytes, *, zone: str = "Europe/London", channel: str = "") -> Batch:
    raw = body.encode() if isinstance(body, str) else body
    delivery = Delivery(source="tills", format="poslog", received_at=1_777_000_000_000_000, body=raw)
    settled = Settled(now=delivery.received_at, zone=zone, currency="GBP", region="GB", channel=channel)
    return read(delivery, settled).batch


def transaction(retail: str, *, sequence: object = 1, head: str = HEAD, attributes: str = "") -> str:
    return (
        f"<Transaction {attributes}>{head.format(sequence=sequence)}"
        f"<RetailTransaction>{retail}</RetailTransaction></Transaction>"
    )


def sale(
    amount: str = "10.00", quantity: object = 1, more: str = "", kind: str = "Sale", line: str = ""
) -> str:
    return (
        f"<LineItem {line}><{kind}><ItemID>p1</ItemID><ExtendedAmount>{amount}</ExtendedAmount>"
        f"<Quantity>{quantity}</Quantity>{more}</{kind}></LineItem>"
    )


def by_name(batch: Batch, name: str) -> list[Event]:
    return [event for event in batch.events if event.name == name]


def only(batch: Batch, name: str = "Order Completed") -> Event:
    [event] = by_name(batch, name)
    return event


@pytest.fixture(scope="module")
def day() -> Batch:
    return told((FOLDER / "day.xml").read_bytes())


def test_a_sale_is_an_order_with_its_natural_key_time_place_and_staff(day: Batch) -> None:
    order = by_name(day, "Order Completed")[0]
    assert order.message_id == "poslog:S1/3/2026-04-20/41:sale"
    assert instant(order.occurred_at).isoformat() == "2026-04-20T10:00:00+00:00"  # London, in summer time
    assert order.channel == "store"
    assert order.source == "tills"
    told_ = order.properties
    assert (told_.order_id, told_.store, told_.staff_id, told_.currency) == (
        "S1/3/2026-04-20/41", "S1", "st-4", "GBP",
    )  # fmt: skip


def test_lines_discounts_and_tax_add_up_to_the_tills_net_total(day: Batch) -> None:
    order = by_name(day, "Order Completed")[0].properties
    assert [(line.product_id, line.quantity, line.amount) for line in order.products] == [
        ("85048", 3, 2700),
        ("CHEESE", 0.345, 690),
    ]
    assert order.products[0].sku == "5012345678900"
    assert order.products[0].category == "Lighting"
    assert order.products[0].price == Decimal("9.00")
    assert order.discount == Decimal("1.90")
    assert order.amount == 3200 == 2700 + 690 - 190
    assert order.tax == Decimal("6.40")
    assert order.total == Decimal("38.40")


def test_who_it_was_is_told_by_cards_addresses_and_tokens_never_by_a_masked_number(day: Batch) -> None:
    order = by_name(day, "Order Completed")[0]
    assert order.identifiers == (
        Identifier("loyalty_card", "LC-00 12"),
        Identifier("user_id", "7001"),
        Identifier("email", "ann.lee@example.com"),
        Identifier("phone", "+44 7700 900123"),
        Identifier("payment_token", "tok_8fJ3kQ29ab"),
        Identifier("order", "S1/3/2026-04-20/41"),
    )
    person = only(day, "Identified")
    assert (person.properties.first_name, person.properties.postcode) == ("Ann", "LS1 1AA")


def test_what_is_no_sale_is_left_out_and_counted(day: Batch) -> None:
    assert day.passed == {"voided_line": 1, "training": 1, "cancelled": 1, "not_a_sale": 1}
    assert day.refused == []
    assert day.read == len(day.events) == 6
    assert (day.orders, day.returns) == (3, 1)


def test_an_exchange_is_an_order_and_a_return_of_the_receipt_it_came_from(day: Batch) -> None:
    back = only(day, "Order Refunded")
    assert back.message_id == "poslog:S1/3/2026-04-20/45:return:S1/3/2026-04-20/41"
    assert back.properties.order_id == "S1/3/2026-04-20/41"
    assert back.properties.amount == 900
    assert [(line.product_id, line.quantity) for line in back.properties.products] == [("85048", 1)]
    assert back.identifiers == (Identifier("order", "S1/3/2026-04-20/41"),)
    assert instant(back.occurred_at).isoformat() == "2026-04-20T14:30:00+00:00"  # it told its own offset
    assert by_name(day, "Order Completed")[1].identifiers == ()


def test_a_void_of_an_earlier_transaction_cancels_its_order(day: Batch) -> None:
    off = only(day, "Order Cancelled")
    assert off.properties.order_id == "S1/3/2026-04-20/46"
    assert off.identifiers == (Identifier("order", "S1/3/2026-04-20/46"),)


def test_prices_that_include_tax_are_told_without_it_line_by_line() -> None:
    order = only(told((FOLDER / "included.xml").read_bytes()))
    assert [line.amount for line in order.properties.products] == [1000, 2000]
    assert order.properties.products[0].product_id == "4006381333931"
    assert order.properties.products[0].name == "Füller"
    assert (order.properties.amount, order.properties.currency) == (3000, "EUR")
    assert (order.properties.tax, order.properties.total) == (Decimal("3.30"), Decimal("33.30"))
    assert order.properties.store == "B-12"
    assert Identifier("gift_card", "GC-77-100") in order.identifiers
    assert instant(order.occurred_at).isoformat() == "2026-04-21T07:15:30.250000+00:00"


GRAND = '<Total TotalType="TransactionGrandAmount">{}</Total>'
TAX = "<LineItem><Tax><Amount>{}</Amount>{}</Tax></LineItem>"


@pytest.mark.parametrize(
    ("retail", "amount", "differs"),
    [
        (sale("10.00"), 1000, 0),
        # a discount beside a total that is quantity times regular price has not been taken off
        (
            sale("20.00", 2, "<RegularSalesUnitPrice>10.00</RegularSalesUnitPrice>"
                 "<ExtendedDiscountAmount>4.00</ExtendedDiscountAmount>"),
            1600, 0,
        ),
        # unless the totals say that it has
        (
            sale("20.00", 2, "<RegularSalesUnitPrice>10.00</RegularSalesUnitPrice>"
                 "<ExtendedDiscountAmount>4.00</ExtendedDiscountAmount>")
            + '<Total TotalType="TransactionNetAmount">20.00</Total>',
            2000, 0,
        ),
        # a total after discounts, which the totals say is before them
        (
            sale("18.00", 2, "<RetailPriceModifier><Amount Action='Subtract'>3.00</Amount></RetailPriceModifier>")
            + '<Total TotalType="TransactionGrandAmount">15.00</Total>',
            1500, 0,
        ),
        # no line total at all: unit price times quantity
        (
            "<LineItem><Sale><ItemID>p</ItemID><ActualSalesUnitPrice>0.125</ActualSalesUnitPrice>"
            "<Quantity>3</Quantity></Sale></LineItem>",
            38, 0,
        ),
        # tax in the prices, told once for the whole receipt, shared out
        (
            sale("10.00") + sale("20.00") + TAX.format("5.00", "<TaxIncludedInPriceFlag>true</TaxIncludedInPriceFlag>"),
            2500, 0,
        ),
        (sale("10.00") + TAX.format("2.00", "") + GRAND.format("12.00"), 1000, 0),
        (sale("12.00") + TAX.format("2.00", "") + GRAND.format("12.00"), 1000, 0),
        # totals that do not agree: kept as the lines say, and counted
        (sale("10.00") + '<Total TotalType="TransactionGrandAmount">99.00</Total>', 1000, 1),
    ],
)  # fmt: skip
def test_amounts_are_read_as_the_totals_say(retail: str, amount: int, differs: int) -> None:
    batch = told(transaction(retail))
    assert only(batch).properties.amount == amount
    assert sum(line.amount for line in only(batch).properties.products) == amount
    assert batch.passed == ({"totals_differ": 1} if differs else {})


def test_a_line_voided_later_in_the_receipt_does_not_count() -> None:
    lines = (
        "<LineItem><SequenceNumber>1</SequenceNumber><Sale><ItemID>a</ItemID><ExtendedAmount>5.00</ExtendedAmount>"
        "</Sale></LineItem>"
        '<LineItem VoidFlag="true"><SequenceNumber>2</SequenceNumber><Sale><ItemID>a</ItemID>'
        "<ExtendedAmount>-5.00</ExtendedAmount><ItemLink><LineItemSequenceNumber>1</LineItemSequenceNumber></ItemLink>"
        "</Sale></LineItem>"
    )
    batch = told(transaction(lines + sale("7.00")))
    assert only(batch).properties.amount == 700
    assert batch.passed == {"voided_line": 2}
    assert told(transaction(lines)).passed == {"voided_line": 2, "nothing_sold": 1}


def test_a_customers_number_at_an_e_receipt_service_is_an_identifier_and_an_address_an_e_mail() -> None:
    receipt = "<EReceiptAccountID>ER-4711</EReceiptAccountID><DigitalReceiptID>R-1</DigitalReceiptID>"
    who = only(told(transaction(sale() + receipt))).identifiers
    assert [one for one in who if one.kind != "order"] == [Identifier("e_receipt", "ER-4711")]
    address = "<EReceiptAddress>anna@example.com</EReceiptAddress>"
    who = only(told(transaction(sale() + address))).identifiers
    assert [one for one in who if one.kind != "order"] == [Identifier("email", "anna@example.com")]


def test_a_gift_card_is_no_goods_when_it_is_sold() -> None:
    card = sale("50.00").replace("<Sale>", '<Sale ItemType="GiftCard">')
    batch = told(
        transaction(sale("10.00") + card + '<Total TotalType="TransactionGrandAmount">60.00</Total>')
    )
    assert only(batch).properties.amount == 1000
    assert batch.passed == {"gift_card_sold": 1}


def test_returns_without_a_receipt_and_sales_of_negative_quantity_are_returns() -> None:
    batch = told(transaction(sale("10.00", 1, kind="Return") + sale("-4.00", -2)))
    back = only(batch, "Order Refunded")
    assert (back.properties.order_id, back.properties.amount) == ("", 1400)
    assert [line.quantity for line in back.properties.products] == [1, 2]


@pytest.mark.parametrize(
    ("retail", "refused"),
    [
        ("<Tender TenderType='CreditDebit'><Token>4111111111111111</Token></Tender>", 1),
        ("<Tender TenderType='CreditDebit'><CardNumber>4111 1111 1111 1111</CardNumber></Tender>", 1),
        ("<Tender TenderType='CreditDebit'><AccountNumber>XXXXXXXXXXXX1111</AccountNumber></Tender>", 0),
    ],
)
def test_a_card_number_is_never_an_identifier(retail: str, refused: int) -> None:
    batch = told(transaction(sale() + f"<LineItem>{retail}</LineItem>"))
    assert only(batch).identifiers == ()
    assert batch.passed.get("card_number_refused", 0) == refused
    assert "1111111" not in repr(batch)


def test_a_loyalty_card_typed_from_a_payment_card_is_refused() -> None:
    batch = told(
        transaction(
            sale() + "<LoyaltyAccount><LoyaltyAccountID>5555555555554444</LoyaltyAccountID></LoyaltyAccount>"
        )
    )
    assert only(batch).identifiers == ()
    assert batch.passed == {"card_number_refused": 1}


def test_a_hashed_account_is_a_token_and_who_serves_is_no_customer() -> None:
    hashed = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    batch = told(
        transaction(
            sale() + "<Associate><EMail>staff@example.com</EMail><CustomerID>77</CustomerID></Associate>"
            f"<LineItem><Tender TenderType='CreditDebit'><AccountNumber>{hashed}</AccountNumber></Tender></LineItem>"
        )
    )
    assert only(batch).identifiers == (
        Identifier("payment_token", hashed),
        Identifier("order", "S1/1/2026-04-20/1"),
    )


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (transaction(sale(), head="<SequenceNumber>{sequence}</SequenceNumber>"), "no_key"),
        (transaction(sale(), sequence=""), "no_key"),
        (transaction(sale("ten")), "bad_number"),
        (transaction(sale("NaN")), "bad_number"),
        (transaction(sale("1e999999")), "too_large"),
        (transaction(sale("999999999999.00")), "too_large"),
        (transaction(sale(quantity="99999999999")), "too_large"),
        (transaction("<LineItem><Sale><ItemID>p</ItemID></Sale></LineItem>"), "no_amount"),
        (transaction(sale(), head=HEAD.replace("2026-04-20T11", "2026-04-31T11")), "bad_time"),
        (transaction(sale(), head=HEAD.replace("2026-04-20<", "soon<")), "bad_time"),
        (transaction(sale(), head=HEAD + "<CurrencyCode>pounds</CurrencyCode>"), "bad_currency"),
    ],
)
def test_one_bad_transaction_is_refused_with_its_xml_and_its_neighbours_are_kept(
    body: str, reason: str
) -> None:
    good = transaction(sale("3.00"), sequence=8)
    batch = told(f"<POSLog>{transaction(sale('2.00'), sequence=7)}{body}{good}</POSLog>")
    assert [event.properties.amount for event in by_name(batch, "Order Completed")] == [200, 300]
    [row] = batch.refused
    assert (row.reason, row.raw) == (reason, body)
    assert batch.read == 3


def test_a_refused_transaction_can_be_read_again_alone() -> None:
    bad = transaction(
        sale("ten"),
        head="<SequenceNumber>{sequence}</SequenceNumber><EndDateTime>2026-04-20T11:00:00</EndDateTime>",
    )
    body = f"<POSLog><RetailStoreID>S&amp;1</RetailStoreID><BusinessDayDate>2026-04-20</BusinessDayDate>{bad}</POSLog>"
    [row] = told(body).refused
    again = told(row.raw.replace(">ten<", ">10.00<"))
    assert only(again).properties.order_id == "S&1/0/2026-04-20/1"


def test_a_refused_transaction_keeps_no_card_number() -> None:
    body = transaction(
        sale("ten") + "<LineItem><Tender><CardNumber>4111111111111111</CardNumber></Tender></LineItem>"
    )
    [row] = told(body).refused
    assert "4111111111111111" not in repr(row)
    assert "************1111" in row.raw


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + "".join(
        f'<!ENTITY {b} "{"&" + a + ";" + "&" + a + ";"}">'
        for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + "]><POSLog>&i;</POSLog>"
)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (BOMB, "unsafe_xml"),
        ('<!DOCTYPE POSLog SYSTEM "http://example.com/x.dtd"><POSLog/>', "unsafe_xml"),
        ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><POSLog>&x;</POSLog>', "unsafe_xml"),
        ("<POSLog>&undeclared;</POSLog>", "bad_xml"),
        ("<a>" * 10_000, "unsafe_xml"),
        ("<POSLog><Transaction x='" + "y" * 3_000_000 + "'/></POSLog>", "too_large"),
        ("<POSLog><Transaction>" + "<a/>" * 200_000 + "</Transaction></POSLog>", "too_large"),
        ("<POSLog><Transaction>" + "<a>" + "t" * 9_000_000 + "</a></Transaction></POSLog>", "too_large"),
        ("<POSLog><Transaction>", "bad_xml"),
        (f"<POSLog>{transaction(sale())}", "bad_xml"),
        ("", "bad_xml"),
        ("{}", "bad_xml"),
        (b"\xff\xfe\x00", "bad_xml"),
        (b"<POSLog>\xff</POSLog>", "bad_xml"),
        ('<?xml version="1.0" encoding="klingon"?><POSLog/>', "bad_xml"),
        ("<html><body/></html>", "not_a_poslog"),
    ],
)
def test_unsafe_and_broken_documents_are_refused_whole_with_a_reason(body: str | bytes, reason: str) -> None:
    with pytest.raises(BadEvent) as caught:
        told(body)
    assert caught.value.reason == reason
    with pytest.raises(BadEvent):
        check(body.encode() if isinstance(body, str) else body)


def test_an_empty_document_tells_nothing() -> None:
    assert told("<POSLog/>").read == 0
    assert check(b"<POSLog/>") == 0


def test_where_namespaces_wrappers_and_encodings_differ_the_same_is_told() -> None:
    plain = transaction(sale("3.50"))
    spelled = [
        f"<POSLog>{plain}</POSLog>",
        f'<s:Envelope xmlns:s="s"><s:Body><POSLog>{plain}</POSLog></s:Body></s:Envelope>',
        plain.replace("<", "<p:").replace("<p:/", "</p:"),
        f'<?xml version="1.0" encoding="UTF-16"?><POSLog>{plain}</POSLog>'.encode("utf-16"),
    ]
    events = [told(one).events for one in spelled]
    assert all(one == events[0] for one in events)
    assert len(events[0]) == 1


TREES = st.recursive(
    st.sampled_from(
        ["Sale", "Return", "Total", "Tender", "Customer", "Quantity", "TransactionLink", "Tax", "X"]
    ),
    lambda inner: st.tuples(
        st.sampled_from(["LineItem", "Sale", "Tender", "Customer", "Name"]), st.lists(inner, max_size=4)
    ),
    max_leaves=12,
)
TEXTS = st.sampled_from(
    ["", "1", "-2", "0.333", "abc", "true", "9" * 30, "2026-04-20", "é", "*" * 12 + "1111", "1e5", "٣"]
)


@given(tree=TREES, data=st.data())
def test_whatever_stands_in_a_transaction_is_told_or_refused(tree: object, data: st.DataObject) -> None:
    def write(one: object) -> str:
        if isinstance(one, str):
            return f"<{one} VoidFlag='{data.draw(TEXTS)}'>{data.draw(TEXTS)}</{one}>"
        assert isinstance(one, tuple)
        return f"<{one[0]}>{''.join(write(inner) for inner in one[1])}</{one[0]}>"

    body = transaction(write(tree) + sale(data.draw(TEXTS), data.draw(TEXTS)))
    batch = told(body)
    assert batch.read == len(batch.events) + len(batch.refused)
    assert batch.read or batch.passed
    for event in batch.events:
        if event.name in ("Order Completed", "Order Refunded"):
            lines = sum(line.amount for line in event.properties.products)
            assert event.properties.amount <= lines
