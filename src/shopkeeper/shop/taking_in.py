"""One step of live collection: deliveries into the ledger, in one transaction with everything they change.

Whatever is wrong with one event or delivery keeps no other out: where a transaction fails, its deliveries are tried
one by one, then the events of the guilty one, and what still fails is put into quarantine as poison. A store that is
full or busy is nobody's fault: it is tried again later.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct, structs

from shopkeeper.collect.intake import Outcome, Ready, Taking
from shopkeeper.domain.batch import Refused
from shopkeeper.domain.delivery import Delivery, Wish
from shopkeeper.domain.errors import StoreFailure
from shopkeeper.shop import living
from shopkeeper.shop.cataloguing import Cataloguing, names_sold
from shopkeeper.shop.hearing import opened
from shopkeeper.shop.pace import without_collecting
from shopkeeper.shop.places import Places
from shopkeeper.shop.understanding import (
    EVENT,
    Refusal,
    Told,
    Understanding,
    kind_of,
    refusal_of,
    understand,
)
from shopkeeper.stores.contract.gate import KeptDelivery
from shopkeeper.stores.contract.ledger import LedgerWriter
from shopkeeper.stores.contract.rows import Heard

HOUR: Final = 3_600_000_000
INBOX: Final = "inbox"
"""The ledger's setting that says up to which number deliveries were taken."""


class Took(Struct):
    """What a step did."""

    deliveries: int = 0
    received: int = 0
    kept: int = 0
    repeated: int = 0
    refused: int = 0
    poison: int = 0

    def add(self, other: Took) -> None:
        """Count another step along."""
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


def take_in(
    places: Places, kept: Sequence[KeptDelivery], understanding: Understanding
) -> tuple[Took, list[tuple[str, Wish]]]:
    """Take deliveries in that were read already; returns what was done, and what they wish for beyond it.

    Raises StoreFailure; what was taken in before that is a repeat when it is tried again.
    """
    with without_collecting():
        try:
            took = _transaction(places, understanding)
        except StoreFailure:
            raise
        except Exception:  # noqa: BLE001 - found out below, one by one
            took = _one_by_one(places, kept)
    took.deliveries = len(kept)
    return took, understanding.wishes


def _transaction(places: Places, understanding: Understanding) -> Took:
    """Everything that some deliveries say, in one transaction."""
    takings: list[Taking] = []
    learned: set[str] = set()

    def work(tx: LedgerWriter) -> Took:
        caught_up = tx.setting("cursor") == tx.setting("last_seq")
        taking = places.intake.begin(tx)
        takings.append(taking)
        if caught_up:
            taking.logged = []
        took = Took()
        for told in understanding.told:
            learned.update(_tell(places, tx, taking, told, took))
        if caught_up:
            living.follow(places, tx, taking.logged or [])
        if places.gate.inbox.ordered:
            if understanding.upto:
                tx.keep(INBOX, str(understanding.upto))
        else:
            places.gate.inbox.settle(tx, understanding.ids)
        return took

    try:
        took = places.ledger.write(work)
    except BaseException:
        places.discard()
        raise
    for taking in takings:
        taking.keep()
    places.sold |= learned
    return took


def _tell(places: Places, tx: LedgerWriter, taking: Taking, told: Told, took: Took) -> set[str]:
    """Take in what one source says; returns products whose names need not be learned any more."""
    outcome = Outcome()
    records = Cataloguing(tx)
    learned: set[str] = set()
    for some in told.records:
        records.keep(some)
    if told.ready.prepared or told.ready.refused:
        kind = kind_of(told.format, EVENT)
        if refused := taking.take_without_refusing(told.ready, outcome):
            taking.refuse(refused, source=told.source, kind=kind, at=told.last_at, outcome=outcome)
        learned = records.learn(told.sold, places.sold)
    for refusal in told.refusals:
        quarantine(taking, told.source, refusal, outcome)
    if told.received or told.last_at:
        hour = told.last_at // HOUR
        tx.hear(
            [
                Heard(
                    told.source, hour, told.received, outcome.kept, outcome.repeated, outcome.refused,
                    told.last_at,
                )
            ]
        )  # fmt: skip
    took.received += told.received
    took.kept += outcome.kept
    took.repeated += outcome.repeated
    took.refused += outcome.refused
    took.poison += outcome.reasons.get("poison", 0)
    return learned


def quarantine(taking: Taking, source: str, refusal: Refusal, outcome: Outcome) -> None:
    """Put parts of a delivery, or all of it, into quarantine."""
    taking.refuse(
        refusal.rows,
        source=source,
        kind=kind_of(refusal.format, refusal.what),
        at=refusal.at,
        outcome=outcome,
        around=refusal.around,
    )


def _one_by_one(places: Places, kept: Sequence[KeptDelivery]) -> Took:
    """Deliveries in a transaction each; of one that fails, its events."""
    took = Took()
    for one in kept:
        understanding = understand(places, [one])
        try:
            took.add(_transaction(places, understanding))
        except StoreFailure:
            raise
        except Exception as error:  # noqa: BLE001 - the guilty one
            took.add(_apart(places, understanding, type(error).__name__))
    return took


def _apart(places: Places, understanding: Understanding, fault: str) -> Took:
    """One delivery that fails as a whole: records first, then every event in a transaction of its own.

    Its number is noted with the last of them: after a crash in between, what was kept already is a repeat.
    """
    took = Took()
    for told in understanding.told:
        guilty: list[Refused] = []
        for place, prepared in told.ready.prepared:
            alone = Ready((told.ready.events[place],), [(0, prepared)])
            sold = names_sold(alone.events)
            one = Told(told.source, told.format, alone, sold=sold, received=1, last_at=told.last_at)
            try:
                took.add(_transaction(places, Understanding([one])))
            except StoreFailure:
                raise
            except Exception as error:  # noqa: BLE001 - set aside, with the reason
                guilty.append(places.intake.refusal(place, alone.events[0], type(error).__name__))
        rest = structs.replace(
            told,
            ready=Ready(
                (),
                [],
                [*told.ready.refused, *guilty],
            ),
            sold={},
            received=told.received - len(told.ready.prepared) + len(guilty),
        )
        try:
            took.add(
                _transaction(places, Understanding([rest], upto=understanding.upto, ids=understanding.ids))
            )
        except StoreFailure:
            raise
        except Exception:  # noqa: BLE001 - what it brings beside events is what fails
            bare = structs.replace(rest, records=[])
            if told.records:
                bare.refusals = [*rest.refusals, _records_refusal(told, fault)]
            took.add(
                _transaction(places, Understanding([bare], upto=understanding.upto, ids=understanding.ids))
            )
    return took


def _records_refusal(told: Told, fault: str) -> Refusal:
    """What stands for records that cannot be kept."""
    detail = f"keeping its records failed with {fault}"
    return Refusal(
        told.format, "records", told.last_at, [Refused(line=0, reason="poison", detail=detail, raw="")], {}
    )


def set_aside(places: Places, kept: KeptDelivery, detail: str) -> Took:
    """Put a delivery into quarantine without looking into it: whoever did so died."""
    try:
        delivery = opened(places.vault, kept)
    except Exception:  # noqa: BLE001 - what cannot even be opened must not stand in everybody's way
        delivery = Delivery(
            source=kept.source, format=kept.format, received_at=kept.received_at, body=b"", topic=kept.topic
        )
    refusal = refusal_of(delivery, "poison", detail)
    told = Told(
        kept.source, kept.format, Ready(()), refusals=[refusal], received=max(1, kept.events),
        last_at=kept.received_at,
    )  # fmt: skip
    took = _transaction(places, Understanding([told], upto=kept.id, ids=[kept.id]))
    took.deliveries = 1
    return took
