"""Puts the report together: people from the ledger, figures from the lake, scores from the models."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from shopkeeper.domain.catalogue import Rate
from shopkeeper.domain.customer import objects
from shopkeeper.domain.errors import Conflict
from shopkeeper.domain.identifier import IDENTIFIER_KINDS
from shopkeeper.domain.profile import CustomerRow
from shopkeeper.domain.report import ImportSummary, People, Report
from shopkeeper.know.fold import unpack
from shopkeeper.know.overview import Overview, overview
from shopkeeper.shop import remembering
from shopkeeper.shop.masking import Sees
from shopkeeper.shop.naming import names
from shopkeeper.shop.places import Places, day_of_date
from shopkeeper.shop.predicting import current_scores
from shopkeeper.stores.contract.ledger import LedgerReader


def report(places: Places, *, sees: Sees) -> Report:
    """The report as of the last refresh. Raises Conflict before the first one."""
    if places.lake.manifest().as_of is None:
        raise Conflict(
            "there is nothing to report yet", hint="collect some files, then run 'shopkeeper refresh'"
        )
    found = figures(places)
    seen = found.seen
    with places.ledger.read() as reader:
        imports = tuple(msgspec.json.decode(body, type=ImportSummary) for body in reader.imports())
        quarantined = sum(reader.quarantine_reasons().values())
        events = by_name(places, reader)
        named = _named(places, reader, [*seen.most_valuable, *seen.fading], sees=sees)
    shown = msgspec.structs.asdict(seen) | {
        "most_valuable": tuple(named[row.id] for row in seen.most_valuable if row.id in named),
        "fading": tuple(named[row.id] for row in seen.fading if row.id in named),
        "counts": events,
    }
    return Report(
        shop=places.settings.name,
        as_of=places.clock.now(),
        currency=places.settings.currency,
        simulated=places.settings.simulated,
        imports=imports,
        people=found.people,
        scores=tuple(current_scores(places)),
        quarantined=quarantined,
        open_cases=found.open_cases,
        **shown,
    )


class Figures(Struct, frozen=True):
    """What the lake answers of the report."""

    seen: Overview
    people: People
    open_cases: int


def figures(places: Places) -> Figures:
    """What the lake answers: the same until the lake changes, so it is asked once; of many customers by the refresh."""
    manifest = places.lake.manifest()
    if places.figures is None or places.figures[0] != manifest.generation:
        found = remembering.remembered(places, manifest, remembering.REPORT, by(places), Figures)
        places.figures = (manifest.generation, found or asked(places))
    return places.figures[1]


def by(places: Places) -> str:
    """The settings by which the lake is asked: figures that were kept of others are worked out anew."""
    settings = places.settings
    return f"{settings.currency} {settings.assumed_margin} {settings.time_zone}"


def asked(places: Places) -> Figures:
    """Ask the lake for all of it: on a large one it takes a while."""
    with places.ledger.read() as reader:
        rates = [msgspec.json.decode(body, type=Rate) for body in reader.reference("rate")]
    seen = overview(
        places.lake.query,
        as_of=places.clock.now(),
        currency=places.settings.currency,
        assumed_margin=places.settings.assumed_margin,
        rates=[(rate.currency, day_of_date(rate.date), rate.rate) for rate in rates],
        time_zone=places.settings.time_zone,
    )
    cases = places.lake.query("SELECT CAST(coalesce(sum(open_cases), 0) AS BIGINT) AS n FROM customers")
    return Figures(seen, _people(places), cases.to_pylist()[0]["n"])


def by_name(places: Places, reader: LedgerReader) -> dict[str, int]:
    """Events of the log by name. A log is long: only what came since the last time is counted, and everything anew
    after an erasure, which alone takes events out of it.
    """
    end, erasures, kept = int(reader.setting("last_seq") or 0), reader.setting("erasures") or "", places.told
    after, found = (kept[1], dict(kept[2])) if kept is not None and kept[0] == erasures else (0, {})
    for name, count in reader.event_names(after).items():
        found[name] = found.get(name, 0) + count
    places.told = (erasures, end, found)
    return dict(sorted(found.items(), key=lambda one: (-one[1], one[0])))


def _named(
    places: Places, reader: LedgerReader, rows: list[CustomerRow], *, sees: Sees
) -> dict[str, CustomerRow]:
    """With their names, without those who object to profiling since the refresh."""
    ids = [int(row.id.removeprefix("c")) for row in rows]
    found = names(places, reader, ids, sees=sees)
    against = {one.customer for one in reader.records(ids) if objects(unpack(one.body))}
    return {
        row.id: msgspec.structs.replace(row, id=f"c{i}", name=found[i])
        for row, i in zip(rows, ids, strict=True)
        if i not in against
    }


def _people(places: Places) -> People:
    """How many customers stand behind how many identities, as of the lake."""
    ask = places.lake.query
    by_kind = {
        row["kind"]: row["n"]
        for row in ask(
            "SELECT kind, count(*) AS n FROM identities GROUP BY kind ORDER BY n DESC, kind"
        ).to_pylist()
        if not IDENTIFIER_KINDS[row["kind"]].reference
    }
    orders = [name for name, kind in IDENTIFIER_KINDS.items() if kind.reference]
    devices = [name for name, kind in IDENTIFIER_KINDS.items() if kind.session]
    known = ask(
        "SELECT count(*) AS customers, coalesce(sum(named), 0) AS named FROM ("
        "SELECT customer, max(CASE WHEN list_contains($devices, kind) THEN 0 ELSE 1 END) AS named "
        "FROM identities WHERE NOT list_contains($orders, kind) GROUP BY customer)",
        {"devices": devices, "orders": orders},
    ).to_pylist()[0]
    shared = ask("SELECT count(*) AS n FROM identities WHERE shared").to_pylist()[0]["n"]
    buyers = ask(
        "SELECT count(*) FILTER (WHERE orders > 0) AS buyers, "
        "count(*) FILTER (WHERE orders > 0 AND omnichannel) AS omnichannel FROM customers"
    ).to_pylist()[0]
    identities, customers, named = sum(by_kind.values()), int(known["customers"]), int(known["named"])
    return People(
        identities=identities,
        customers=customers,
        named=named,
        anonymous=customers - named,
        buyers=buyers["buyers"],
        omnichannel=buyers["omnichannel"],
        merged=identities - customers,
        shared=shared,
        by_kind=by_kind,
    )
