"""The worked examples of mappings work: each sample gives the events that it is there to show."""

from __future__ import annotations

import base64
import hashlib
import hmac
import textwrap
from pathlib import Path

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from shopkeeper.collect.mapped.mapped import read
from shopkeeper.collect.mapped.mapping import check
from shopkeeper.collect.mapped.trial import attempt
from shopkeeper.domain.delivery import Delivery, Settled
from shopkeeper.domain.event import EVENTS
from shopkeeper.web.tracking import Door

FOLDER = Path(__file__).parents[2] / "examples" / "connect"
NOW = 1_777_636_800_000_000
SETTLED = Settled(now=NOW, zone="Europe/London", currency="GBP", region="GB")
TOPICS = {
    "woocommerce.order-created": "order.created",
    "woocommerce.order-updated": "order.updated",
    "woocommerce.customer-created": "customer.created",
    "woocommerce.product-updated": "product.updated",
}
SAMPLES = sorted(path.stem for path in FOLDER.glob("*.json"))
EXPECTED = {
    "woocommerce.order-created": ["Order Completed"],
    "woocommerce.order-updated": ["Order Updated", "Order Refunded"],
    "woocommerce.customer-created": ["Identified"],
    "woocommerce.product-updated": [],
    "call-centre.opened": ["Contact Opened"],
    "call-centre.closed": ["Contact Closed"],
    "email-events": [
        "Email Delivered", "Email Opened", "Email Opened", "Email Link Clicked", "Email Bounced",
        "Email Marked as Spam", "Email Unsubscribed",
    ],
    "social": [
        "Social Post Liked", "Social Post Commented", "Social Post Pinned", "Social Account Followed",
        "Social Post Shared",
    ],
    "reviews": ["Review Submitted"],
    "beacons": ["Beacon Detected", "Beacon Detected"],
}  # fmt: skip
CHANNELS = {
    "woocommerce": "web",
    "call-centre": "service",
    "email-events": "email",
    "social": "social",
    "beacons": "store",
}


def mapping_of(sample):
    return FOLDER.joinpath(sample.split(".")[0] + ".toml").read_text("utf-8")


def told(sample, body=None):
    raw = FOLDER.joinpath(f"{sample}.json").read_bytes() if body is None else msgspec.json.encode(body)
    source = sample.split(".")[0]
    delivery = Delivery(
        source=source, format="mapped", received_at=NOW, body=raw, topic=TOPICS.get(sample, "")
    )
    settled = Settled(now=NOW, zone="Europe/London", currency="GBP", region="GB", mapping=mapping_of(sample))
    return read(delivery, settled).batch


def test_every_mapping_has_a_sample_and_every_sample_an_expectation():
    assert {path.stem for path in FOLDER.glob("*.toml")} == {sample.split(".")[0] for sample in SAMPLES}
    assert set(SAMPLES) == set(EXPECTED)


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_sample_gives_declared_events_about_somebody(sample):
    batch = told(sample)
    assert batch.refused == []
    assert [event.name for event in batch.events] == EXPECTED[sample]
    for event in batch.events:
        assert type(event.properties) is EVENTS[event.name].struct
        assert event.more == {}
        assert event.identifiers
        assert NOW - 3 * 86_400_000_000 < event.occurred_at <= NOW
        assert event.channel == CHANNELS.get(sample.split(".")[0], "")
    ids = [event.message_id for event in batch.events]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_sample_that_comes_again_gives_the_same_ids(sample):
    assert [event.message_id for event in told(sample).events] == [e.message_id for e in told(sample).events]


def test_an_order_of_woocommerce_has_its_lines_and_no_guest_becomes_everybody():
    (order,) = told("woocommerce.order-created").events
    lines = [(x.product_id, x.sku, x.name, str(x.price), x.quantity) for x in order.properties.products]
    assert lines == [
        ("85048", "85048-R", "Glass ball lights", "9", 2),
        ("20725", "20725", "Paper bag", "7", 1),
    ]
    body = msgspec.json.decode(FOLDER.joinpath("woocommerce.order-created.json").read_bytes())
    (guest,) = told("woocommerce.order-created", {**body, "customer_id": 0}).events
    assert [one.kind for one in guest.identifiers] == ["email", "phone"]


def test_an_unpaid_order_of_woocommerce_is_ignored_and_an_unknown_state_is_not():
    body = msgspec.json.decode(FOLDER.joinpath("woocommerce.order-created.json").read_bytes())
    assert (told("woocommerce.order-created", {**body, "status": "pending"}).refused) == []
    (row,) = told("woocommerce.order-created", {**body, "status": "on-the-moon"}).refused
    assert row.reason == "unmapped"


def test_products_of_woocommerce_become_records():
    records = dict(told("woocommerce.product-updated").records)
    assert (records["product"].category, str(records["product"].list_price)) == ("Lighting", "10.00")
    assert (records["stock"].store, records["stock"].quantity) == ("web", 14)


def test_a_machine_that_opens_is_marked_and_links_lose_what_names_a_person():
    events = told("email-events").events
    assert [event.properties.machine for event in events if event.name == "Email Opened"] == [True, False]
    (click,) = (event.properties for event in events if event.name == "Email Link Clicked")
    assert click.link_url == "https://shop.example/boots"


def test_reasons_and_moods_of_the_call_centre_are_told_in_shopkeepers_words():
    (opened,), (closed,) = told("call-centre.opened").events, told("call-centre.closed").events
    assert (opened.properties.reason, opened.properties.sentiment) == ("cancel", "negative")
    assert (closed.properties.outcome, closed.properties.contact_id) == ("screws sent by courier", "K-204")
    assert closed.occurred_at > opened.occurred_at


def test_a_grade_of_nine_in_ten_is_four_and_a_half_stars():
    (review,) = told("reviews").events
    assert (review.properties.rating, review.properties.category) == (4.5, "Lighting")


@pytest.fixture
def woocommerce(shop):
    shop.add_source("woo", "webhook", mapping=mapping_of("woocommerce.x"))
    shop.set_secret("woo", "wc-secret-0815")
    with TestClient(Door(Litestar(), shop), base_url="http://127.0.0.1:8765") as client:

        def post(sample=None, body=None, topic="", secret="wc-secret-0815"):
            raw = (
                FOLDER.joinpath(f"{sample}.json").read_bytes() if body is None else msgspec.json.encode(body)
            )
            signed = base64.b64encode(hmac.new(secret.encode(), raw, hashlib.sha256).digest()).decode()
            headers = {"X-WC-Webhook-Topic": topic or TOPICS[sample], "X-WC-Webhook-Signature": signed}
            return client.post("/v1/webhooks/woo", content=raw, headers=headers).status_code

        yield post


def test_woocommerce_from_the_door_to_the_customer(shop, woocommerce):
    for _ in range(2):  # it sends again what it heard no answer to
        for sample in sorted(TOPICS):
            assert woocommerce(sample) == 200
    assert woocommerce("woocommerce.order-created", secret="another") == 401
    shop.hear()
    rosa = shop.customer("rosa@example.com")
    assert rosa.traits["orders"] == 1
    assert rosa.traits["returns"] == 1
    assert rosa.personal["first_name"] == "Rosa"
    assert [place.key for place in rosa.places] == ["web"]
    assert shop.quarantine() == []
    with shop.places.ledger.read() as reader:
        assert sorted(reader.event_names().items()) == [
            ("Identified", 1), ("Order Completed", 1), ("Order Refunded", 1), ("Order Updated", 1),
        ]  # fmt: skip
        assert any(b"Glass ball lights" in body for body in reader.reference("product"))


def test_what_the_mapping_did_not_know_is_replayed_once_it_does(shop, woocommerce):
    body = msgspec.json.decode(FOLDER.joinpath("woocommerce.order-created.json").read_bytes())
    assert woocommerce(body={**body, "status": "collected"}, topic="order.created") == 200
    shop.hear()
    (row,) = shop.quarantine()
    assert (row.source, row.reason) == ("woo", "unmapped")
    mended = mapping_of("woocommerce.x").replace(
        '["processing", "completed"]', '["processing", "completed", "collected"]'
    )
    shop.change_source("woo", mapping=mended)
    shop.replay()
    shop.advance()
    assert shop.quarantine() == []
    assert shop.customer("rosa@example.com").traits["orders"] == 1


def test_every_secret_can_be_checked_as_the_mapping_says():
    signing = {path.stem: check(path.read_text("utf-8")).signature for path in FOLDER.glob("*.toml")}
    assert {name for name, signature in signing.items() if signature is None} == {"email-events", "social"}


def test_the_mapping_of_the_how_to_page_works():
    page = (FOLDER.parents[1] / "docs" / "how-to" / "connect-anything.md").read_text("utf-8")
    mapping = textwrap.dedent(page.split("```toml\n")[1].split("```")[0])
    body = {
        "type": "review.published",
        "review": {
            "id": 1, "created": "2026-05-01T10:00:00Z", "grade": 8, "text": "Good",
            "author": {"email": "r@example.com"},
            "product": {"sku": "A1"},
        },
    }  # fmt: skip
    trial = attempt(mapping, msgspec.json.encode(body), SETTLED, source="reviews")
    (event,) = trial.events
    assert (event.name, event.properties["rating"], trial.notes) == ("Review Submitted", 4.0, ())
    assert attempt(mapping, b'{"type": "draft"}', SETTLED, source="reviews").ignored == 1


def test_the_page_about_databases_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    page = (FOLDER.parents[1] / "docs" / "how-to" / "connect-a-database.md").read_text("utf-8")
    exec(compile(page.split("```python\n")[1].split("```")[0], "connect-a-database.md", "exec"), {})
    assert capsys.readouterr().out.split() == ["1", "1"]
