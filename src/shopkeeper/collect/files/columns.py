"""Which column means what: recognised by name, overridable, saved as JSON."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Final

import msgspec
from msgspec import Struct

from shopkeeper.collect.files.kinds import KINDS, Kind
from shopkeeper.domain.errors import InvalidInput, UnknownName

SYNONYMS: Final[dict[str, str]] = {
    "order_id": "invoice, invoice no, invoice number, order, order no, order number, order nr, receipt, receipt no, "
    "receipt number, transaction, transaction id, transaction no, bill no, bestellnummer, bestellnr, auftragsnummer, "
    "rechnungsnummer, belegnummer, bonnummer, numero de commande, no commande, commande, numero facture, facture, "
    "pedido, numero de pedido, id pedido, factura, numero de factura",
    "time": "ts, timestamp, date, datetime, date time, order date, order time, ordered at, invoice date, "
    "transaction date, transaction time, purchase date, sale date, receipt date, occurred at, event time, "
    "event timestamp, original timestamp, datum, bestelldatum, rechnungsdatum, zeitpunkt, uhrzeit, date commande, "
    "date de commande, date facture, fecha, fecha pedido, fecha de pedido, fecha factura",
    "product_id": "stock code, stockcode, product, product no, product number, product code, item id, item no, "
    "item number, item code, article, article no, article number, artikelnummer, artikelnr, artikel nr, produktnummer, "
    "reference, reference produit, code article, code produit, codigo, codigo producto, codigo articulo, referencia",
    "sku": "stock keeping unit, variant sku, lineitem sku, ean, gtin, upc, barcode",
    "name": "product name, product title, description, product description, item description, item name, "
    "lineitem name, bezeichnung, artikelbezeichnung, produktname, beschreibung, designation, libelle, nom produit, "
    "descripcion, nombre producto",
    "category": "product category, department, product group, warengruppe, kategorie, categorie, rayon, categoria",
    "brand": "marke, hersteller, manufacturer, vendor, marque, marca",
    "variant": "variation, variante",
    "quantity": "qty, units, count, pieces, lineitem quantity, number of items, menge, anzahl, stueck, stuck, "
    "stueckzahl, quantite, qte, cantidad, unidades",
    "unit_price": "price, price each, item price, product price, lineitem price, sales price, selling price, "
    "einzelpreis, preis, stueckpreis, verkaufspreis, prix, prix unitaire, precio, precio unitario",
    "amount": "line total, line amount, total, total price, total amount, sales, revenue, net amount, gross amount, "
    "extended amount, betrag, summe, gesamtpreis, umsatz, montant, total ligne, importe, total linea",
    "currency": "currency code, ccy, waehrung, wahrung, devise, moneda, divisa",
    "customer_id": "customer, customer no, customer number, customer code, client id, client no, account, account id, "
    "account no, account number, user, user id, userid, member id, member no, member number, kundennummer, kundennr, "
    "kunden nr, kunde, numero client, no client, id client, code client, cliente, id cliente, numero de cliente, "
    "numero cliente",
    "email": "e mail, email address, e mail address, mail, customer email, mailadresse, e mail adresse, adresse mail, "
    "adresse e mail, courriel, correo, correo electronico",
    "phone": "phone number, telephone, telephone number, tel, mobile, mobile number, mobile phone, cell, cell phone, "
    "telefon, telefonnummer, handy, mobil, telephone portable, telefono, movil",
    "loyalty_card": "loyalty card number, loyalty card no, loyalty id, loyalty number, loyalty no, card number, "
    "club card, member card, kundenkarte, kundenkartennummer, carte fidelite, carte de fidelite, "
    "tarjeta de fidelidad, tarjeta fidelidad, tarjeta cliente",
    "payment_token": "card token, payment card token, token, pan token, zahlungstoken",
    "e_receipt": "e receipt account, e receipt account id, e receipt customer, e receipt customer id, "
    "e receipt user id, ereceipt account, digital receipt account, digital receipt customer, "
    "digital receipt user id, ebon konto, kassenbon konto, compte ticket dematerialise",
    "gift_card": "gift card number, gift card no, giftcard, voucher card, geschenkkarte, carte cadeau, tarjeta regalo",
    "anonymous_id": "anonymousid, cookie, cookie id, visitor id, client cookie",
    "device_id": "deviceid, advertising id, app install id, idfa, gaid",
    "social": "social handle, social account",
    "store": "store id, store no, store number, store code, shop, shop id, branch, branch id, outlet, location, "
    "location id, site, filiale, filialnummer, magasin, boutique, tienda, sucursal",
    "staff_id": "staff, staff no, employee, employee id, employee no, cashier, cashier id, associate, operator, "
    "operator id, salesperson, mitarbeiter, mitarbeiternummer, kassierer, verkaeufer, vendeur, caissier, vendedor, "
    "empleado",
    "country": "country code, billing country, shipping country, land, pays, pais",
    "coupon": "coupon code, promo code, promotion code, voucher, voucher code, discount code, gutschein, "
    "gutscheincode, code promo, cupon",
    "event": "event name, eventname, ereignis, evenement, evento",
    "type": "call type",
    "message_id": "messageid, event id, eventid, uuid",
    "channel": "sales channel, kanal, canal",
    "title": "salutation, anrede, civilite, tratamiento",
    "first_name": "firstname, given name, forename, vorname, prenom, nombre",
    "last_name": "lastname, surname, family name, nachname, familienname, nom, nom de famille, apellido, apellidos",
    "street": "address line 1, address1, address 1, street address, strasse, str, rue, adresse, calle, direccion",
    "city": "town, locality, ort, stadt, ville, ciudad, localidad",
    "state": "region, province, county, bundesland, provincia",
    "postcode": "post code, postal code, zip, zip code, plz, postleitzahl, code postal, codigo postal",
    "birthday": "birth date, birthdate, date of birth, dob, born, geburtstag, geburtsdatum, date de naissance, "
    "fecha de nacimiento",
    "gender": "sex, geschlecht, sexe, genre, sexo, genero",
    "company": "company name, firm, organisation, organization, firma, societe, entreprise, empresa",
    "household": "household id, haushalt, foyer, hogar",
    "joined": "joined at, join date, date joined, signup date, sign up date, registered, registered at, "
    "registration date, member since, kunde seit, anmeldedatum, client depuis, date inscription, fecha de alta",
    "acquisition_channel": "acquisition source, acquired through, acquired by, source channel",
    "unit_cost": "cost, cost price, cost per item, purchase price, buying price, einkaufspreis, ek preis, prix achat, "
    "prix d achat, coste, precio de compra",
    "list_price": "retail price, rrp, msrp, tag price, regular price, listenpreis, uvp, prix catalogue, "
    "precio de catalogo",
    "launched": "launch date, launched at, introduced, first sale, available from",
    "as_of": "as at, snapshot date, stock date, stand",
    "store_id": "store no, store number, store code, shop id, branch id, filialnummer",
    "latitude": "lat",
    "longitude": "lon, lng",
    "time_zone": "timezone, tz",
    "hours": "opening hours, opening times, open hours, oeffnungszeiten, offnungszeiten, horaires, horario",
    "role": "position, job title, funktion, poste, puesto",
    "purpose": "consent purpose, consent type, permission, zweck, finalite, finalidad",
    "given": "granted, consent given, opted in, opt in, subscribed, allowed, erteilt, accorde, otorgado",
    "lawful_basis": "lawfulbasis, legal basis, basis, rechtsgrundlage, base legale, base legal",
    "method": "consent method, collected by, how",
    "wording": "wording version, consent text, text version",
    "reason": "grund, motif, raison, motivo",
    "campaign_id": "campaign, campaign name, kampagne, campagne, campana",
    "contact_id": "case id, case no, case number, ticket id, ticket no, ticket number, call id, fallnummer",
    "closed": "closed at, closed on, resolved at, resolved, end time, geschlossen",
    "medium": "contact channel, contact medium, contact type",
    "sentiment": "mood, tone, stimmung",
    "outcome": "resolution, result, ergebnis",
    "subject": "message, text, note, notes, comment, comments, betreff, sujet, asunto",
    "month": "period, monat, mois, mes",
    "spend": "ad spend, media spend, marketing spend, ausgaben, depenses, gasto",
    "date": "day, rate date, datum, fecha, jour",
    "rate": "exchange rate, fx rate, conversion rate, kurs, wechselkurs, taux, taux de change, tipo de cambio",
    "provider": "supplier, data provider, data source, anbieter, fournisseur, proveedor",
}
"""Headings by field, best first; upper and lower case, blanks, punctuation and accents do not matter."""


_ITEM: Final = "lineitem"
_OF_A_LINE: Final = frozenset({"product_id", "sku", "name", "variant", "quantity", "unit_price", "amount"})
"""What only a line's own column can tell where an export has line items."""
_FULL: Final = 0.95
_EMPTIER: Final = 0.5


class Columns(Struct, frozen=True):
    """What the columns of a file mean. ``ambiguous`` lists further columns that could have been the field as well."""

    fields: dict[str, str]
    unmapped: tuple[str, ...] = ()
    ambiguous: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)

    def missing(self, kind: Kind) -> list[str]:
        """What the kind needs and no column gives, in words."""
        return [
            " or ".join(group) for group in kind.needs if not any(field in self.fields for field in group)
        ]


@lru_cache(maxsize=8192)
def folded(heading: str) -> str:
    """A heading without case, accents, blanks and punctuation.

    >>> folded("Größe (cm)"), folded("Customer_ID")
    ('grossecm', 'customerid')
    """
    plain = unicodedata.normalize("NFKD", heading.casefold().replace("ß", "ss"))
    return re.sub(r"[\W_]", "", "".join(letter for letter in plain if not unicodedata.combining(letter)))


@lru_cache(maxsize=64)
def _spellings(kind_name: str) -> dict[str, list[tuple[int, str]]]:
    """Folded heading -> fields of the kind it can mean, each with its rank (0 is best)."""
    found: dict[str, list[tuple[int, str]]] = {}
    for field in KINDS[kind_name].fields:
        headings = [field.name, *SYNONYMS.get(field.name, "").split(", "), *field.also]
        for rank, heading in enumerate(dict.fromkeys(folded(h) for h in headings if h)):
            found.setdefault(heading, []).append((rank, field.name))
    return found


def recognise(columns: Sequence[str], kind: Kind) -> Columns:
    """What each column means in a file of that kind.

    >>> recognise(["InvoiceNo", "Kundennummer", "Colour of hair"], KINDS["orders"])
    Columns(fields={'order_id': 'InvoiceNo', 'customer_id': 'Kundennummer'}, unmapped=('Colour of hair',), ambiguous={})
    """
    spellings = _spellings(kind.name)
    of_items = kind.name == "orders" and has_line_items(columns)
    offers = sorted(
        (rank, place, field, column)
        for place, column in enumerate(columns)
        for rank, field in _meanings(column, spellings, of_items=of_items)
    )
    fields: dict[str, str] = {}
    used: set[str] = set()
    spare: dict[str, list[str]] = {}
    for _, _, field, column in offers:
        if column in used:
            continue
        if field in fields:
            spare.setdefault(field, []).append(column)
        else:
            fields[field] = column
            used.add(column)
    order = [field.name for field in kind.fields]
    return Columns(
        {field: fields[field] for field in order if field in fields},
        tuple(column for column in columns if column not in used),
        {
            field: left
            for field, c in spare.items()
            if (left := tuple(x for x in dict.fromkeys(c) if x not in used))
        },
    )


def has_line_items(columns: Sequence[str]) -> bool:
    """Whether an export tells an order and its first line in one row and leaves the order out of further rows."""
    return any(folded(column).startswith(_ITEM) for column in columns)


def _meanings(
    column: str, spellings: Mapping[str, list[tuple[int, str]]], *, of_items: bool
) -> list[tuple[int, str]]:
    """Fields a column can be, with their ranks. Beside line items, ``Name`` is the order's and totals are no line's."""
    heading = folded(column)
    found = spellings.get(heading, [])
    if not of_items:
        return found
    if heading == "name":
        return [(-1, "order_id")]
    if heading.startswith(_ITEM):
        return found or spellings.get(heading.removeprefix(_ITEM), [])
    return [(rank, field) for rank, field in found if field not in _OF_A_LINE]


def prefer_filled(
    found: Columns, filled: Mapping[str, float], given: Collection[str], columns: Sequence[str]
) -> Columns:
    """The recognised columns, with another one taken where the first choice is (half) empty and that one is not.

    ``filled`` is the share of the rows looked at in which a column says something; fields in ``given`` stay.
    """
    fields, spares = dict(found.fields), dict(found.ambiguous)
    for field, others in found.ambiguous.items():
        if field not in fields or field in given:
            continue
        taken = fields[field]
        best = max(
            (c for c in others if c not in fields.values()), key=lambda c: filled.get(c, 0.0), default=taken
        )
        mine, its = filled.get(taken, 0.0), filled.get(best, 0.0)
        if its - mine >= _EMPTIER or (mine < _FULL <= its and its > mine + 1 - _FULL):
            fields[field] = best
            spares[field] = (taken, *(c for c in others if c != best))
    used = set(fields.values())
    return Columns(fields, tuple(column for column in columns if column not in used), spares)


def override(found: Columns, mapping: Mapping[str, str], columns: Sequence[str], kind: Kind) -> Columns:
    """The recognised columns with some fields set by the user; an empty column name leaves a field out.

    Raises UnknownName for a field the kind does not have or a column the file does not have.
    """
    names = [field.name for field in kind.fields]
    by_fold = {folded(column): column for column in columns}
    fields = dict(found.fields)
    for field, column in mapping.items():
        if field not in names:
            raise UnknownName(f"field of kind {kind.name!r}", field, names)
        if not column:
            fields.pop(field, None)
            continue
        real = column if column in columns else by_fold.get(folded(column))
        if real is None:
            raise UnknownName("column", column, columns)
        for other in [f for f, c in fields.items() if c == real and f not in mapping]:
            del fields[other]
        fields[field] = real
    taken = list(fields.values())
    double = next((column for column in taken if taken.count(column) > 1), None)
    if double is not None:
        raise InvalidInput(f"column {double!r} is given for two fields", hint="give each column one meaning")
    return Columns(
        {field: fields[field] for field in names if field in fields},
        tuple(column for column in columns if column not in taken),
        {field: spare for field, spare in found.ambiguous.items() if field not in mapping},
    )
