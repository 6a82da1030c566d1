"""A shop's settings: one table of name, default and sentence, kept in ``shop.toml``."""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Struct

from shopkeeper.domain.errors import BadFile, InvalidInput, NotFound, UnknownName
from shopkeeper.domain.identifier import IDENTIFIER_KINDS
from shopkeeper.domain.money import exponent

FILE = "shop.toml"
_MOST_ALARMS = 12

DESCRIBED: dict[str, str] = {
    "name": "What the shop is called on pages and reports.",
    "currency": "Reporting currency, ISO 4217; amounts in others are converted by dated rates.",
    "time_zone": "Zone in which times without one are read, as in the IANA database.",
    "region": "Country of telephone numbers written without a prefix, ISO 3166 (two letters).",
    "mailbox_aliases": "Whether addresses that reach one mailbox (name+tag@gmail.com) are taken for one person's.",
    "assumed_margin": "Share of a line's amount taken as margin when the product's cost is not known.",
    "discount_rate": "Yearly rate at which future margin is discounted.",
    "horizon_weeks": "How far ahead values are predicted, clv_12m and expected_orders_12m among them.",
    "alarms_per_year": "How often a year a customer who has not left may be called fading; fewer means later.",
    "predictions_weeks": "Weeks for which one prediction a week is kept; one a day for 31 days, one a month before.",
    "predictions_years": "Years after which earlier predictions are removed altogether.",
    "audience_days": "Days for which it is kept who entered and left segments; 0 for ever.",
    "question_seconds": "Seconds after which a page or the HTTP API gives up a question to the lake; 0 for never.",
    "inbox_limit_mb": "Megabytes of what was handed in that may wait before senders are told to come again.",
    "identity_most": "Per kind of identifier, how many of another it may meet in a year (devices: a week).",
    "identity_most_a_day": "Per kind of identifier, the same within one day; devices are not counted.",
    "identity_size": "Identifiers that one customer may have, devices and orders not counted, without a person's word.",
    "identity_silence_days": "Days of silence after which a telephone number may have come to somebody else.",
    "identity_junk_names": "Different family names from which on a value that they share names nobody.",
    "address": "Where people reach the pages, such as https://crm.example.com; empty on this machine only.",
    "session_idle_hours": "Hours without a request after which somebody must sign in again.",
    "session_days": "Days after which somebody must sign in again in any case.",
    "oidc_issuer": "Identity provider (OpenID Connect) for users; its secret comes from SHOPKEEPER_OIDC_SECRET.",
    "oidc_client_id": "What the identity provider calls this shop.",
    "ledger": "PostgreSQL database, postgresql://user@host/database without a password; empty for files in the folder.",
    "now": "Where the shop's clock stands still, ISO with zone; empty for the real time.",
    "simulated": "What of the shop's data is simulated, shown on every page; empty in a real shop.",
}
"""The sentence of every setting."""


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every setting with its default. See ``DESCRIBED`` for what each means."""

    name: str = "My shop"
    currency: str = "GBP"
    time_zone: str = "Europe/London"
    region: str = "GB"
    mailbox_aliases: bool = True
    assumed_margin: float = 0.4
    discount_rate: float = 0.1
    horizon_weeks: int = 52
    alarms_per_year: float = 0.25
    predictions_weeks: int = 53
    predictions_years: int = 10
    audience_days: int = 1096
    question_seconds: int = 60
    inbox_limit_mb: int = 2048
    identity_most: dict[str, int] = {}
    identity_most_a_day: dict[str, int] = {}
    identity_size: int = 100
    identity_silence_days: int = 365
    identity_junk_names: int = 8
    address: str = ""
    session_idle_hours: int = 12
    session_days: int = 7
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    ledger: str = ""
    now: str = ""
    simulated: str = ""

    def stands_at(self) -> datetime | None:
        """The instant at which the shop's clock stands, or None when it runs."""
        if not self.now:
            return None
        at = datetime.fromisoformat(self.now)
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def checked(settings: Settings) -> Settings:
    """The settings, or InvalidInput saying which one is wrong.

    >>> checked(Settings(currency="EUR")).currency
    'EUR'
    """
    exponent(settings.currency)
    try:
        ZoneInfo(settings.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise InvalidInput(
            f"unknown time zone {settings.time_zone[:40]!r}", hint="use a name such as Europe/London"
        ) from None
    _check_region(settings.region)
    if not 0 <= settings.assumed_margin <= 1:
        raise InvalidInput(f"assumed_margin is {settings.assumed_margin}", hint="give a share from 0 to 1")
    if settings.horizon_weeks < 1:
        raise InvalidInput(f"horizon_weeks is {settings.horizon_weeks}", hint="give at least 1")
    if not 0 < settings.alarms_per_year <= _MOST_ALARMS:
        raise InvalidInput(
            f"alarms_per_year is {settings.alarms_per_year}",
            hint=f"give a number above 0 and at most {_MOST_ALARMS}, such as 0.25 (one in four years)",
        )
    if settings.inbox_limit_mb < 1:
        raise InvalidInput(f"inbox_limit_mb is {settings.inbox_limit_mb}", hint="give at least 1")
    if settings.session_idle_hours < 1 or settings.session_days < 1:
        raise InvalidInput(
            "session_idle_hours and session_days are at least 1", hint="the defaults are 12 and 7"
        )
    _check_least("audience_days", settings.audience_days, 0)
    _check_least("question_seconds", settings.question_seconds, 0)
    _check_least("predictions_weeks", settings.predictions_weeks, 0)
    _check_least("predictions_years", settings.predictions_years, 1)
    _check_worth(settings)
    _check_identity(settings)
    for name in ("address", "oidc_issuer"):
        _check_address(name, getattr(settings, name))
    _check_ledger(settings.ledger)
    try:
        settings.stands_at()
    except ValueError:
        raise InvalidInput("'now' is no ISO time", hint="for example 2011-12-10T00:00:00Z") from None
    return settings


_MOST_WEEKS = 520
"""Ten years; no shop's own past says what is true of more."""


def _check_worth(settings: Settings) -> None:
    rate, weeks = settings.discount_rate, settings.horizon_weeks
    if not 0 <= rate < 1:
        hint = f"{rate / 100:g} for {rate:g} %" if 1 <= rate < 100 else "0.1 for 10 %"
        raise InvalidInput(
            f"discount_rate is {rate}", hint=f"give the yearly rate as a share from 0 to below 1: {hint}"
        )
    if weeks > _MOST_WEEKS:
        raise InvalidInput(
            f"horizon_weeks is {weeks}",
            hint=f"give at most {_MOST_WEEKS}; 'shopkeeper worth --horizon inf' tells the residual value",
        )


def _check_identity(settings: Settings) -> None:
    counted = [kind.name for kind in IDENTIFIER_KINDS.values() if not kind.reference]
    for name in ("identity_most", "identity_most_a_day"):
        limits = getattr(settings, name)
        if not isinstance(limits, dict):
            raise InvalidInput(
                f"{name} is no table", hint="give a whole number by kind, such as { email = 4 }"
            )
        for kind, most in limits.items():
            if kind not in counted:
                raise UnknownName("identifier kind", kind, counted)
            _check_least(f"{name} of {kind}", most, 1)
    for name, least in (("identity_size", 2), ("identity_silence_days", 1), ("identity_junk_names", 3)):
        _check_least(name, getattr(settings, name), least)


def _check_least(name: str, value: object, least: int) -> None:
    if type(value) is not int or value < least:
        raise InvalidInput(f"{name} is {value!r:.40}", hint=f"give a whole number of at least {least}")


def _check_region(region: str) -> None:
    from phonenumbers import SUPPORTED_REGIONS  # its tables are large, and only a shop needs them

    if region in SUPPORTED_REGIONS:
        return
    meant = region.strip().upper()
    hint = (
        f"did you mean {meant!r}?" if meant in SUPPORTED_REGIONS else "give two letters such as GB, DE or US"
    )
    raise InvalidInput(f"region is {region[:40]!r}, which is no country of ISO 3166", hint=hint)


def _check_ledger(ledger: str) -> None:
    if not ledger:
        return
    if not ledger.startswith("postgresql://"):
        raise InvalidInput(
            "ledger is no address of a PostgreSQL database",
            hint="for example postgresql://user@host/database",
        )
    if re.search(r"//[^/@]*:[^/@]*@|[?&](ssl)?password=", ledger):
        raise InvalidInput(
            "ledger holds a password",
            hint="take it out: PGPASSWORD or a password file (~/.pgpass) can hold it",
        )


def _check_address(name: str, address: str) -> None:
    if not address:
        return
    from urllib.parse import urlsplit

    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise InvalidInput(f"{name} is {address[:100]!r}", hint="for example https://crm.example.com")


def load(folder: Path) -> Settings:
    """The settings of the shop in a folder. Raises NotFound, BadFile, UnknownName or InvalidInput."""
    file = folder / FILE
    try:
        table = tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        raise NotFound(
            f"no shop in {folder.name!r}: {FILE} is missing", hint="run 'shopkeeper init'"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadFile(f"{FILE} cannot be read: {error}") from None
    for name in table:
        if name not in DESCRIBED:
            raise UnknownName("setting", name, DESCRIBED)
    try:
        return checked(msgspec.convert(table, type=Settings))
    except msgspec.ValidationError as error:
        raise InvalidInput(f"{FILE}: {error}") from None


def save(folder: Path, settings: Settings) -> None:
    """Write the settings with a sentence above each."""
    (folder / FILE).write_text(written(settings), "utf-8")


def written(settings: Settings) -> str:
    """The settings as they stand in the file."""
    lines = ["# Settings of this shop. Change a line, then run 'shopkeeper refresh'.", ""]
    for name, value in msgspec.structs.asdict(checked(settings)).items():
        lines += [f"# {DESCRIBED[name]}", f"{name} = {_toml(value)}", ""]
    return "\n".join(lines)


def _toml(value: object) -> str:
    if isinstance(value, str | bool):
        return msgspec.json.encode(value).decode()
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key} = {_toml(one)}' for key, one in value.items())} }}" if value else "{}"
    return str(value)
