"""What is put right in properties before they are refused, and which numbers are refused although they parse."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from math import isfinite
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin, get_type_hints

from msgspec import Struct

from shopkeeper.domain.errors import BadEvent
from shopkeeper.domain.event import EVENTS, Properties, parse
from shopkeeper.domain.events.orders import Line

MOST_AMOUNT: Final = Decimal(10) ** 11
"""Units of a currency that no price or total reaches."""
MOST_QUANTITY: Final = 10**9
_LEAST_AMOUNT: Final = -MOST_AMOUNT
_LEAST_QUANTITY: Final = -MOST_QUANTITY


def validated(name: str, given: dict[str, Any]) -> tuple[Properties | dict[str, Any], dict[str, Any]]:
    """Validated properties of an event and what came along undeclared. Raises BadEvent."""
    try:
        properties, more = parse(name, given)
    except BadEvent:
        # senders give numbers for texts and nulls for nothing: put that right and ask again
        properties, more = parse(name, forgive(name, given))
    if not isinstance(properties, dict):
        check_numbers(properties)
    return properties, more


@lru_cache(maxsize=512)
def _shape(struct: type[Struct]) -> tuple[frozenset[str], tuple[str, ...], frozenset[str]]:
    """Fields of a struct that are text, that are decimal, and that may be null."""
    texts, decimals, nullable = set(), [], set()
    for field, hint in get_type_hints(struct, include_extras=False).items():
        choices = set(get_args(hint)) if get_origin(hint) in (Union, UnionType) else {hint}
        if get_origin(hint) is Annotated:
            choices = {get_args(hint)[0]}
        if str in choices:
            texts.add(field)
        if Decimal in choices:
            decimals.append(field)
        if NoneType in choices:
            nullable.add(field)
    return frozenset(texts), tuple(decimals), frozenset(nullable)


def _fits(given: dict[str, Any], struct: type[Struct]) -> dict[str, Any]:
    texts, _, nullable = _shape(struct)
    better: dict[str, Any] = {}
    for key, value in given.items():
        if value is None and key not in nullable:
            continue
        if type(value) in (int, float) and key in texts:
            number = int(value) if isfinite(value) and value == int(value) else value
            better[key] = str(number)
        elif value == "" and key not in texts:
            continue
        elif key == "products" and type(value) is list:
            better[key] = [_fits(line, Line) if type(line) is dict else line for line in value]
        else:
            better[key] = value
    return better


def forgive(name: str, given: dict[str, Any]) -> dict[str, Any]:
    """Properties with numbers made texts where texts are declared, and nulls and empty texts left out.

    >>> forgive("Product Viewed", {"product_id": 85048, "price": "", "name": None})
    {'product_id': '85048'}
    """
    row = EVENTS.get(name)
    return _fits(given, row.struct) if row is not None else given


def check_numbers(properties: Properties) -> None:
    """Refuse amounts and quantities that are not finite or beyond any shop."""
    decimals, counted, listing = _numbers(type(properties))
    for field in decimals:
        value = getattr(properties, field)
        if value is not None and not (value.is_finite() and _LEAST_AMOUNT < value < MOST_AMOUNT):
            raise _no_amount(value, field)
    if listing:
        lines: tuple[Line, ...] = properties.products  # type: ignore[attr-defined]
        for line in lines:
            value = line.price
            if not (value.is_finite() and _LEAST_AMOUNT < value < MOST_AMOUNT):
                raise _no_amount(value, "price")
            if not _LEAST_QUANTITY < line.quantity < MOST_QUANTITY:
                raise _no_quantity(line.quantity)
    if counted:
        units = properties.quantity  # type: ignore[attr-defined]
        if units is not None and not _LEAST_QUANTITY < units < MOST_QUANTITY:
            raise _no_quantity(units)


@lru_cache(maxsize=512)
def _numbers(struct: type[Properties]) -> tuple[tuple[str, ...], bool, bool]:
    """Fields of a struct that are decimal, whether it has a quantity, and whether it lists lines."""
    fields = struct.__struct_fields__
    return _shape(struct)[1], "quantity" in fields, "products" in fields


def _no_amount(value: Decimal, field: str) -> BadEvent:
    if not value.is_finite():
        return BadEvent("not_finite", f"{field!r} is not a finite number")
    return BadEvent(
        "too_large", f"{field!r} is beyond any price", hint="expected an amount in units of the currency"
    )


def _no_quantity(value: float) -> BadEvent:
    if type(value) is float and not isfinite(value):
        return BadEvent("not_finite", "'quantity' is not a finite number")
    return BadEvent("too_large", "'quantity' is beyond any order")
