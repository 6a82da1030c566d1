"""One mailbox, many addresses: Anna buys with a tag, signs up without, and is one customer; erased, she stays gone."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.events import DAY, NOW, event, order, put

import shopkeeper
from shopkeeper.collect.intake import Outcome
from shopkeeper.domain.actor import Actor
from shopkeeper.domain.batch import Refused
from shopkeeper.domain.errors import NotFound
from shopkeeper.domain.identifier import Identifier
from shopkeeper.resolve.keys import Keys
from shopkeeper.settings import Settings, load, save
from shopkeeper.shop import Shop, erasing

TAGGED, PLAIN, OTHER = "anna.berg+shop@gmail.com", "annaberg@googlemail.com", "Anna.Berg+news@gmail.com"
MAILBOX = "annaberg@gmail.com"


def mail(address: str) -> dict[str, str]:
    return {"email": address}


def written(shop: Shop, who: str) -> list[str]:
    """The e-mail addresses on a customer's page."""
    return [one.value for one in shop.customer(who).identifiers if one.kind == "email"]


def known(shop: Shop, *addresses: str) -> list[bool]:
    """Which addresses are identifiers of the ledger."""
    keys, vault = Keys("GB"), shop.places.vault
    hashes = [vault.pseudonym("email", str(keys("email", address))) for address in addresses]
    with shop.places.ledger.read() as reader:
        there = reader.nodes(hashes)
    return [hash_ in there for hash_ in hashes]


def forget_the_mailbox(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the shop hear as it did before it told mailboxes from addresses."""
    monkeypatch.setattr(shop.places.intake.preparer.canonical, "mailboxes", False)


def test_who_buys_with_a_tag_and_signs_up_without_is_one_customer(shop: Shop) -> None:
    put(shop, order("1", -9 * DAY, ids=mail(TAGGED)))
    put(shop, event("Identified", "up", -8 * DAY, ids={"user_id": "7", **mail(PLAIN)}, first_name="Anna"))
    put(shop, order("2", -7 * DAY, ids={"user_id": "7"}))
    anna = shop.customer(TAGGED)
    assert (anna.name, anna.traits["orders"]) == ("Anna", 2)
    assert {shop.customer(who).id for who in (PLAIN, MAILBOX, "user_id:7")} == {anna.id}
    assert anna.personal["email"] == TAGGED, "one writes to an address that somebody gave"
    why = shop.explain(TAGGED, "user_id:7")
    assert [(step.why, step.one.value, step.other.value) for step in why.steps] == [
        ("Order Completed", TAGGED, MAILBOX),
        ("Identified", MAILBOX, "7"),
    ]


def test_an_address_never_heard_of_finds_the_customer_of_its_mailbox(shop: Shop) -> None:
    put(shop, order("1", -9 * DAY, ids=mail(TAGGED)))
    assert shop.customer(OTHER).id == shop.customer(f"email:{OTHER}").id == shop.customer(TAGGED).id
    assert [row.id for row in shop.find(OTHER).rows] == [shop.customer(TAGGED).id]
    for who in ("bert+x@gmail.com", "anna.berg+shop@hotmail.com"):
        with pytest.raises(NotFound):
            shop.customer(who)
    with pytest.raises(NotFound):
        shop.unlink(OTHER)


def test_an_ordinary_address_reveals_nothing_more(shop: Shop) -> None:
    put(shop, order("1", ids=mail("anna.berg+shop@firm.example")), order("2", ids=mail(MAILBOX)))
    assert written(shop, "anna.berg+shop@firm.example") == ["anna.berg+shop@firm.example"]
    assert written(shop, MAILBOX) == [MAILBOX]


def test_two_at_different_domains_are_never_joined(shop: Shop) -> None:
    addresses = [
        "anna@gmail.com",
        "anna@hotmail.com",
        "anna@outlook.com",
        "anna@yahoo.com",
        "anna@firm.example",
    ]
    for number, address in enumerate(addresses):
        name, _, domain = address.partition("@")
        put(shop, order(f"a{number}", ids=mail(address)), order(f"b{number}", ids=mail(f"{name}+x@{domain}")))
    assert len({shop.customer(address).id for address in addresses}) == len(addresses)


def test_two_accounts_behind_one_mailbox_are_two_customers_and_listed(shop: Shop) -> None:
    put(shop, event("Identified", "1", -9 * DAY, ids={"user_id": "7", **mail("family+anna@gmail.com")}))
    put(shop, event("Identified", "2", -8 * DAY, ids={"user_id": "8", **mail("family+bert@gmail.com")}))
    assert shop.customer("user_id:7").id != shop.customer("user_id:8").id
    listed = [
        row for row in shop.review().rows if row.identifier and row.identifier.value == "family@gmail.com"
    ]
    assert [(row.kind, row.count) for row in listed] == [("shared", 2)]


def test_a_mailbox_that_a_shop_gives_away_by_the_dozen_joins_nobody(shop: Shop) -> None:
    """Tills that insist on an address get the store's own, with the customer's number as its tag."""
    for number in range(12):
        put(shop, order(str(number), ids=mail(f"ourstore+{number}@gmail.com")))
    customers = {shop.customer(f"ourstore+{number}@gmail.com").id for number in range(12)}
    assert len(customers) == 12


def test_who_belongs_together_does_not_depend_on_the_order_of_arrival(tmp_path: Path) -> None:
    events = [
        order("1", -9 * DAY, ids=mail(TAGGED)),
        event("Identified", "2", -8 * DAY, ids={"user_id": "7", **mail(PLAIN)}),
        event("Email Unsubscribed", "3", -7 * DAY, ids=mail(OTHER)),
        order("4", -6 * DAY, ids={"user_id": "8", **mail("bert+x@gmail.com")}),
    ]
    found: set[tuple[Any, ...]] = set()
    for number, some in enumerate(permutations(events)):
        if number % 5:
            continue
        with shopkeeper.create(tmp_path / str(number), now="2026-05-01T12:00:00+00:00") as shop:
            for one in some:
                put(shop, one)
            anna, bert = shop.customer(TAGGED), shop.customer("user_id:8")
            assert anna.id == shop.customer(PLAIN).id == shop.customer(OTHER).id != bert.id
            allowed = {one.purpose: one.granted for one in anna.consents}
            found.add(
                (tuple(sorted(written(shop, TAGGED))), allowed.get("marketing_email"), len(bert.identifiers))
            )
    assert len(found) == 1
    assert next(iter(found))[1] is False, "what was unsubscribed at another tag holds for the customer"


def test_a_repeated_event_stays_a_repeat(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as before:
        forget_the_mailbox(shop, before)
        assert put(shop, order("1", -9 * DAY, ids=mail(TAGGED))).kept == 1
    shop.places.intake.preparer._known.clear()
    again = put(shop, order("1", -9 * DAY, ids=mail(TAGGED)))
    assert (again.kept, again.repeated, again.refused) == (0, 1, 0)


def test_what_was_heard_before_is_joined_by_the_next_event(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        forget_the_mailbox(shop, before)
        put(shop, order("1", -9 * DAY, ids=mail(TAGGED)), order("2", -9 * DAY, ids=mail(PLAIN)))
    shop.places.intake.preparer._known.clear()
    assert shop.customer(TAGGED).id != shop.customer(PLAIN).id
    put(shop, order("3", ids=mail(TAGGED)), order("4", ids=mail(PLAIN)))
    assert shop.customer(TAGGED).id == shop.customer(PLAIN).id
    assert shop.customer(PLAIN).traits["orders"] == 4


def came_back(shop: Shop, address: str, at: int = -DAY) -> Outcome:
    """What becomes of what an erased person did before she was erased, told by an address."""
    n = f"{address}:{at}"
    return put(
        shop,
        event("Email Opened", f"open:{n}", at, ids=mail(address), campaign_id="c"),
        order(f"back:{n}", at, ids=mail(address)),
    )


def test_who_was_erased_does_not_come_back_by_another_address_of_the_mailbox(shop: Shop) -> None:
    put(shop, order("1", -9 * DAY, ids=mail(TAGGED)))
    shop.erase(OTHER)
    for address in (TAGGED, PLAIN, OTHER, MAILBOX):
        outcome = came_back(shop, address)
        assert (outcome.kept, outcome.reasons) == (1, {"erased": 1}), "the books keep the order, without her"
    assert known(shop, TAGGED, PLAIN, OTHER, MAILBOX) == [False] * 4
    with pytest.raises(NotFound):
        shop.customer(PLAIN)
    assert shop.health()["customers"] == 0


def test_who_was_erased_before_mailboxes_were_known_does_not_come_back_either(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        forget_the_mailbox(shop, before)
        put(shop, order("1", -9 * DAY, ids=mail(TAGGED)))
    shop.places.intake.preparer._known.clear()
    assert known(shop, TAGGED, MAILBOX) == [True, False]
    shop.erase(TAGGED)
    assert came_back(shop, OTHER).reasons == {"erased": 1}
    assert known(shop, TAGGED, OTHER, MAILBOX) == [False] * 3


def test_whoever_comes_anew_after_the_erasure_is_welcome(shop: Shop) -> None:
    put(shop, order("1", -9 * DAY, ids=mail(TAGGED)))
    shop.erase(TAGGED)
    put(shop, order("2", 60_000_000, ids=mail(OTHER)))
    assert shop.customer(OTHER).traits["orders"] == 1


def test_an_event_of_somebody_else_keeps_that_person_and_loses_the_mailbox(shop: Shop) -> None:
    put(shop, order("1", -9 * DAY, ids=mail(TAGGED)))
    shop.erase(TAGGED)
    put(shop, order("2", -DAY, ids={"user_id": "8", **mail(OTHER)}))
    assert [one.kind for one in shop.customer("user_id:8").identifiers] == ["user_id"]
    assert known(shop, OTHER, MAILBOX) == [False, False]


def test_an_erasure_leaves_the_mailbox_to_whom_else_it_belongs(shop: Shop) -> None:
    put(shop, event("Identified", "1", -9 * DAY, ids={"user_id": "7", **mail("family+anna@gmail.com")}))
    put(shop, event("Identified", "2", -8 * DAY, ids={"user_id": "8", **mail("family+bert@gmail.com")}))
    shop.erase("user_id:7")
    assert shop.customer("user_id:8").identifiers
    assert known(shop, "family+anna@gmail.com", "family+bert@gmail.com", "family@gmail.com") == [
        False,
        True,
        True,
    ]
    assert came_back(shop, "family+anna@gmail.com").reasons == {"erased": 1}
    assert came_back(shop, "family+bert@gmail.com").kept == 2


def test_a_restored_backup_knows_who_was_erased_by_the_mailbox(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        forget_the_mailbox(shop, before)
        put(shop, order("1", -9 * DAY, ids=mail(TAGGED)), order("2", -9 * DAY, ids={"user_id": "8"}))
    shop.places.intake.preparer._known.clear()
    file = shop.backup(tmp_path / "b.zip")
    assert "backup b.zip" in shop.erase(TAGGED).places
    with shopkeeper.restore(file, tmp_path / "restored") as restored:
        assert came_back(restored, OTHER).reasons == {"erased": 1}
        assert restored.customer("user_id:8").traits["orders"] == 1


def refused_row(shop: Shop, message: str, address: str, **more: Any) -> None:
    """A row in quarantine that names an address."""
    row = event("Product Viewed", message, 3 * DAY, ids=mail(address), product_id="p1", **more)
    assert put(shop, row).reasons == {"in_the_future": 1}


def test_quarantine_holds_nothing_of_an_erased_mailbox(shop: Shop) -> None:
    put(shop, order("1", -9 * DAY, ids=mail(TAGGED)))
    refused_row(shop, "other", OTHER)
    refused_row(shop, "large", PLAIN, note=" ".join(f"word{n}" for n in range(4_000)))
    refused_row(shop, "stays", "bert+x@gmail.com")
    assert len(shop.quarantine()) == 3
    shop.erase(TAGGED)
    assert len(shop.quarantine()) == 1
    late = Refused(line=1, reason="bad", detail="", raw=f"row of {OTHER}", cells=(OTHER,))
    outcome = Outcome()
    shop.places.ledger.write(
        lambda tx: shop.places.intake.begin(tx).refuse(
            [late], source="test", kind="events", at=NOW, outcome=outcome
        )
    )
    assert (outcome.refused, len(shop.quarantine())) == (1, 1)


def test_addresses_in_a_large_text_are_found_by_their_mailbox(shop: Shop) -> None:
    assert erasing._reaches(shop.places, f'{{"to": "<{OTHER.casefold()}>"}}', [MAILBOX])
    assert not erasing._reaches(shop.places, '{"to": "bert+x@gmail.com", "cc": "no @ address"}', [MAILBOX])


def test_a_mailbox_is_masked_like_any_address(shop: Shop) -> None:
    put(shop, order("1", -9 * DAY, ids=mail(TAGGED)))
    page = shop.as_actor(Actor("u1", "associate")).customer(TAGGED)
    assert [one.value for one in page.identifiers] == ["a•••@•••.com", "a•••@•••.com"]


def test_a_shop_may_keep_addresses_apart(tmp_path: Path) -> None:
    with shopkeeper.create(tmp_path / "shop", mailbox_aliases=False, now="2026-05-01T12:00:00+00:00") as shop:
        put(shop, order("1", ids=mail(TAGGED)), order("2", ids=mail(PLAIN)))
        assert shop.customer(TAGGED).id != shop.customer(PLAIN).id
        assert written(shop, TAGGED) == [TAGGED]
        with pytest.raises(NotFound):
            shop.customer(OTHER)
    assert load(tmp_path / "shop").mailbox_aliases is False
    save(tmp_path / "shop", Settings())
    assert load(tmp_path / "shop").mailbox_aliases is True


def test_the_address_of_an_e_receipt_is_an_e_mail_address(shop: Shop) -> None:
    put(shop, order("1", -9 * DAY, ids={"e_receipt": "Anna.Berg+till@gmail.com", "payment_token": "TOK1"}))
    put(shop, order("2", -8 * DAY, ids={"e_receipt": "ER-4711", "payment_token": "TOK1"}))
    anna = shop.customer(MAILBOX)
    assert anna.traits["orders"] == 2
    assert {one.kind for one in anna.identifiers} == {"email", "payment_token", "e_receipt"}
    assert shop.customer("e_receipt:ER-4711").id == shop.customer("ER-4711").id == anna.id


def test_numbers_of_other_tools_tie_a_person_and_hold_nobody_apart(shop: Shop) -> None:
    put(shop, event("Identified", "1", -9 * DAY, ids={"external_id": "braze_id:7", **mail("a1@b.example")}))
    twice = (Identifier("external_id", "Braze ID:7"), Identifier("external_id", "klaviyo_id:k9"))
    put(shop, replace(event("Email Opened", "2", -8 * DAY, campaign_id="c"), identifiers=twice))
    assert shop.customer("external_id:klaviyo_id:k9").id == shop.customer("a1@b.example").id
    assert shop.customer("braze_id:7").id == shop.customer("a1@b.example").id
