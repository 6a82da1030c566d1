"""Templates: the one Jinja environment, and what every page knows (the shop's name, clock, currency)."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from shopkeeper.domain.clock import SystemClock
from shopkeeper.domain.value import horizon_in_words
from shopkeeper.web.access.present import SETTINGS, current, home, rooms
from shopkeeper.web.show import Show, initials, place, sentence, words
from shopkeeper.web.waterfall import drawn

if TYPE_CHECKING:
    from litestar import Litestar

HERE = Path(__file__).parent
STATIC = HERE / "static"
_LATE_SECONDS = 36 * 3600
"""A clock further behind than this stands in the past, and the pages say so."""


def environment() -> Environment:
    """The templates: escaped always, an unknown name is an error."""
    env = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters |= {
        "place": place,
        "breaks": breaks,
        "words": words,
        "sentence": sentence,
        "initials": initials,
        "json_block": json_block,
        "prose": prose,
        "tight": tight,
        "drawn": drawn,
        "horizon": horizon_in_words,
    }
    env.globals["asset"] = _asset_addresses()
    return env


def json_block(data: Any) -> Markup:
    r"""Data for a ``<script type="application/json">`` block, where no text of a customer can end the block.

    >>> print(json_block(["</script>"]))
    ["\u003c/script\u003e"]
    """
    text = msgspec.json.encode(data).decode()
    for sign, code in (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026")):
        text = text.replace(sign, code)
    return Markup(text)  # noqa: S704 - nothing in it can leave the block


def breaks(text: str) -> Markup:
    """Escaped text that may be broken behind the sign between a mailbox and its domain.

    >>> str(breaks("anna@example.com"))
    'anna@<wbr>example.com'
    """
    return Markup("@<wbr>").join(escape(part) for part in text.split("@"))


def tight(text: str) -> str:
    """Percentages as pages write them, which no line breaks.

    >>> tight("20 % against 13 %")
    '20% against 13%'
    """
    return re.sub(r"(?<=\d) %", "%", text)


def prose(text: str) -> Markup:
    """Escaped text in which what stands between backticks is set as code.

    >>> str(prose("see `lag` & ``x<y``"))
    'see <code>lag</code> &amp; <code>x&lt;y</code>'
    """
    parts = re.split(r"`+", text)
    marked = [
        Markup("<code>{}</code>").format(part) if i % 2 else escape(part) for i, part in enumerate(parts)
    ]
    return Markup("").join(marked)


def render(app: Litestar, template: str, **context: Any) -> str:
    """Render a template; blocking, so call it where shop calls are allowed."""
    shop = app.state.shop
    settings = shop.settings
    now = shop.clock.now()
    late = (SystemClock().now() - now).total_seconds() > _LATE_SECONDS
    found: Environment = app.state.templates
    seen = current.get()

    @cache
    def ahead() -> str:
        """How far ahead the predictions in force look; asked only by pages that tell of them."""
        return horizon_in_words(shop.horizon_weeks)

    return found.get_template(template).render(
        shop_name=settings.name,
        simulated=settings.simulated,
        currency=settings.currency,
        now=now,
        stands_still=late,
        show=Show(settings.currency, settings.time_zone),
        ahead=ahead,
        me=seen.user,
        may=seen.actor.may,
        csrf=seen.mark,
        rooms=rooms(seen.actor),
        settings_rooms=rooms(seen.actor, SETTINGS),
        home=home(seen.actor) if seen.user else "/",
        **context,
    )


def _asset_addresses() -> Any:
    """The address of a static file with a mark of its content, so that it can be cached for good."""
    marks: dict[str, str] = {}

    def asset(name: str) -> str:
        if name not in marks:
            marks[name] = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]
        return f"/static/{name}?v={marks[name]}"

    return asset
