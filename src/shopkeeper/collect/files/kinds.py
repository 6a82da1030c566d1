"""Every kind of file the door takes, its fields, and how a kind is told from the columns of a file."""

from __future__ import annotations

from typing import Final

from msgspec import Struct


class Field(Struct, frozen=True):
    """One field of a kind. ``type``: id, text, money, quantity, float, time, date, month, bool or currency.

    ``also`` are headings that mean this field in this kind only; general ones stand in ``columns.SYNONYMS``.
    ``tells`` is how much this field speaks for the kind when it has to be guessed.
    """

    name: str
    type: str
    sentence: str
    also: tuple[str, ...] = ()
    tells: float = 1.0


class Kind(Struct, frozen=True):
    """One kind of file. ``needs`` lists groups of fields; of each group at least one must be there."""

    name: str
    sentence: str
    fields: tuple[Field, ...]
    needs: tuple[tuple[str, ...], ...]
    files: tuple[str, ...] = ()
    """Words in a file's name that speak for the kind."""

    def field(self, name: str) -> Field:
        """The field of that name."""
        return next(field for field in self.fields if field.name == name)


def _who(tells: float = 1.0) -> tuple[Field, ...]:
    """The identifiers a row can carry."""
    return (
        Field("customer_id", "id", "customer or account number", tells=tells),
        Field("email", "id", "e-mail address", tells=tells),
        Field("phone", "id", "telephone number", tells=tells),
        Field("loyalty_card", "id", "loyalty card number", tells=tells),
        Field("payment_token", "id", "token of a payment card", tells=tells),
        Field("e_receipt", "id", "customer's number at an e-receipt service", tells=tells),
        Field("gift_card", "id", "gift card number", tells=tells),
        Field("anonymous_id", "id", "browser cookie", tells=tells),
        Field("device_id", "id", "installation of the app", tells=tells),
        Field("social", "id", "account as network:handle", tells=tells),
    )


WHO: Final = tuple(field.name for field in _who())
"""Fields that identify a person."""

KINDS: Final[dict[str, Kind]] = {
    kind.name: kind
    for kind in (
        Kind(
            "orders",
            "one row per line of an order or return",
            (
                Field(
                    "order_id",
                    "id",
                    "order, invoice or receipt number",
                    ("id", "number", "transaction id"),
                    3,
                ),
                Field("time", "time", "when it was ordered", ("created at", "ordered at"), 1),
                Field("product_id", "id", "the retailer's product number", ("code", "item"), 2),
                Field("sku", "id", "stock keeping unit", tells=2),
                Field(
                    "name", "text", "product name as sold", ("product", "title", "description", "item name")
                ),
                Field("category", "text", "category as sold"),
                Field("brand", "text", "brand as sold"),
                Field("variant", "text", "colour, size"),
                Field("quantity", "quantity", "units; negative for a return", tells=2),
                Field("unit_price", "money", "price of one unit", tells=3),
                Field("amount", "money", "price times quantity, used where there is no unit price", tells=2),
                Field("currency", "currency", "ISO 4217"),
                *_who(0.5),
                Field("store", "id", "store id, or 'web'"),
                Field("staff_id", "id", "who served"),
                Field("country", "text", "country of delivery"),
                Field("coupon", "id", "coupon on the order"),
            ),
            (
                ("order_id",),
                ("time",),
                ("product_id", "sku", "name"),
                ("unit_price", "amount"),
                ("quantity", "amount"),
            ),
            ("orders", "order", "sales", "transactions", "invoices", "receipts", "retail", "purchases"),
        ),
        Kind(
            "events",
            "one event a row or line, in the format of Segment's tracking calls",
            (
                Field("event", "text", "name of the event", ("name", "action", "event type"), 4),
                Field("time", "time", "when it happened", ("created at",), 1),
                Field("type", "text", "track, identify, page, screen, group or alias", tells=2),
                Field("message_id", "id", "unique number of the event", ("id",), 3),
                *_who(0.5),
                Field("channel", "text", "web, app, store, email, social, service"),
            ),
            (("event",), ("time",)),
            ("events", "clicks", "tracking", "sessions", "hits"),
        ),
        Kind(
            "customers",
            "one row per customer account",
            (
                *_who(),
                Field("title", "text", "form of address", tells=2),
                Field("first_name", "text", "given name", tells=3),
                Field("last_name", "text", "family name", tells=3),
                Field("name", "text", "full name", ("customer", "full name", "customer name"), 1.5),
                Field("street", "text", "street and number", ("address",), 2),
                Field("city", "text", "town"),
                Field("state", "text", "state or region"),
                Field("postcode", "text", "postal code"),
                Field("country", "text", "country of residence"),
                Field("birthday", "date", "birth date", tells=2),
                Field("gender", "text", "gender, as told", tells=2),
                Field("company", "text", "employer or firm"),
                Field("household", "id", "household as the source numbers it"),
                Field("joined", "date", "day of joining", ("created at", "created", "member since"), 1.5),
                Field(
                    "time",
                    "time",
                    "when the row was changed last",
                    ("updated at", "updated", "last modified"),
                ),
                Field("acquisition_channel", "text", "channel that brought the customer", ("channel",), 1.5),
            ),
            (("customer_id", "email", "phone", "loyalty_card", "payment_token"),),
            ("customers", "customer", "members", "accounts", "clients", "kunden"),
        ),
        Kind(
            "products",
            "one row per product, with its cost",
            (
                Field("product_id", "id", "the retailer's product number", ("id", "code"), 1.5),
                Field("name", "text", "product name", ("title", "description", "product", "product name")),
                Field("category", "text", "category", tells=1.5),
                Field("brand", "text", "brand", tells=1.5),
                Field("unit_cost", "money", "what one unit costs the retailer", ("cost",), 4),
                Field("list_price", "money", "price on the tag", ("price", "unit price"), 2),
                Field("kind", "text", "product, service, voucher, adjustment", ("type", "product type")),
                Field("launched", "date", "first day on sale", ("created at",), 1.5),
                Field("core", "bool", "whether it belongs to the core range", ("core range",), 2),
            ),
            (("product_id",), ("name", "unit_cost", "category", "list_price")),
            ("products", "product", "items", "articles", "catalogue", "catalog", "artikel"),
        ),
        Kind(
            "stock",
            "how much of a product each place has",
            (
                Field("product_id", "id", "the retailer's product number", ("id", "code"), 1.5),
                Field("store", "id", "store id, or 'web'", ("location", "warehouse", "place"), 1.5),
                Field(
                    "quantity",
                    "quantity",
                    "units there",
                    ("stock", "on hand", "available", "level", "bestand"),
                    2,
                ),
                Field(
                    "as_of", "time", "when it was counted", ("date", "time", "updated at", "counted at"), 1.5
                ),
            ),
            (("product_id",), ("quantity",)),
            ("stock", "inventory", "bestand"),
        ),
        Kind(
            "stores",
            "one row per store",
            (
                Field("store_id", "id", "store number", ("id", "store", "code"), 2),
                Field("name", "text", "name of the store", ("store name",)),
                Field("city", "text", "town"),
                Field("postcode", "text", "postal code"),
                Field("latitude", "float", "degrees north", ("lat",), 3),
                Field("longitude", "float", "degrees east", ("lon", "lng", "long"), 3),
                Field("time_zone", "text", "zone such as Europe/London", ("timezone", "tz"), 2),
                Field("hours", "text", "opening hours", ("opening hours", "opening times"), 3),
            ),
            (("store_id",), ("name", "city", "hours", "postcode")),
            ("stores", "branches", "locations", "filialen", "shops"),
        ),
        Kind(
            "staff",
            "one row per member of staff",
            (
                Field("staff_id", "id", "staff number", ("id",), 3),
                Field("name", "text", "name", ("full name", "staff name", "employee name")),
                Field("store", "id", "store where they work"),
                Field("role", "text", "associate, manager, ...", ("position", "job", "job title"), 2),
            ),
            (("staff_id",),),
            ("staff", "employees", "personal", "mitarbeiter"),
        ),
        Kind(
            "consents",
            "what each person agreed to or withdrew",
            (
                *_who(0.5),
                Field("purpose", "text", "what for: marketing_email, profiling, ads", tells=4),
                Field(
                    "given",
                    "bool",
                    "yes or granted; no or withdrawn",
                    ("status", "consent", "value", "state"),
                    2,
                ),
                Field("time", "time", "when it was told", ("updated at", "created at", "given at", "at")),
                Field(
                    "lawful_basis",
                    "text",
                    "consent, legitimate_interest, contract",
                    ("basis", "legal basis"),
                    2,
                ),
                Field("method", "text", "how it was told: form, till, phone", ("source", "how")),
                Field("wording", "text", "version of the wording shown", ("version",)),
                Field("channel", "text", "where it was told"),
            ),
            (("customer_id", "email", "phone", "loyalty_card"), ("purpose",)),
            ("consents", "consent", "permissions", "optins", "preferences"),
        ),
        Kind(
            "unsubscribes",
            "who must not be mailed",
            (
                *_who(0.5),
                Field(
                    "time",
                    "time",
                    "when they unsubscribed",
                    ("unsubscribed at", "unsubscribed", "created at", "opt out time"),
                    1.5,
                ),
                Field("reason", "text", "why they left"),
                Field("campaign_id", "id", "campaign it was clicked in", ("campaign",), 1.5),
            ),
            (("customer_id", "email", "phone", "loyalty_card"),),
            (
                "unsubscribes",
                "unsubscribed",
                "unsubscribe",
                "suppression",
                "suppressed",
                "optouts",
                "abmeldungen",
            ),
        ),
        Kind(
            "contacts",
            "one row per contact with the call centre or service desk",
            (
                Field("contact_id", "id", "case number", ("id", "case id", "ticket id", "case", "ticket"), 3),
                Field("time", "time", "when it was opened", ("opened at", "opened", "created at", "start")),
                Field("closed", "time", "when it was closed", ("closed at", "resolved at", "end"), 2),
                *_who(0.5),
                Field("medium", "text", "phone, email, chat, store or social", ("channel", "type"), 1.5),
                Field(
                    "reason", "text", "complaint, cancel, missing_part, question", ("topic", "category"), 1.5
                ),
                Field("sentiment", "text", "positive, neutral or negative", ("mood",), 3),
                Field("order_id", "id", "order it is about", tells=0.5),
                Field("outcome", "text", "how it ended", ("resolution", "result"), 2),
                Field(
                    "subject",
                    "text",
                    "in the customer's words",
                    ("text", "message", "note", "notes", "comment"),
                    1.5,
                ),
            ),
            (("contact_id", "medium", "sentiment"), ("time",)),
            ("contacts", "contact", "cases", "tickets", "calls", "service"),
        ),
        Kind(
            "spend",
            "what each acquisition channel cost a month",
            (
                Field("month", "month", "month such as 2011-03", ("date", "period"), 1.5),
                Field(
                    "channel",
                    "text",
                    "acquisition channel",
                    ("acquisition channel", "source", "campaign", "medium"),
                    1.5,
                ),
                Field("spend", "money", "what was spent", ("cost", "amount", "costs", "kosten", "budget"), 3),
                Field("currency", "currency", "ISO 4217"),
            ),
            (("month",), ("channel",), ("spend",)),
            ("spend", "marketing", "adspend", "advertising"),
        ),
        Kind(
            "rates",
            "exchange rates into the reporting currency",
            (
                Field("date", "date", "day of the rate", ("time", "day"), 1),
                Field("currency", "currency", "currency whose unit is worth the rate", ("from", "base"), 1.5),
                Field(
                    "rate",
                    "float",
                    "units of the reporting currency for one unit",
                    ("exchange rate", "value"),
                    4,
                ),
            ),
            (("date",), ("currency",), ("rate",)),
            ("rates", "fx", "exchange", "currencies"),
        ),
        Kind(
            "attributes",
            "what a third party knows of people; every further column is an attribute",
            (
                *_who(0.5),
                Field("provider", "text", "who supplied them", ("supplier", "vendor", "source"), 3),
                Field("as_of", "date", "the day they describe", ("date", "updated at", "valid from"), 1.5),
            ),
            (("customer_id", "email", "phone", "loyalty_card"),),
            ("attributes", "demographics", "psychographics", "enrichment", "thirdparty", "panel"),
        ),
    )
}
"""All kinds by name."""
