"""The mailbox that an e-mail address reaches, where its provider gives one mailbox many addresses.

``anna.berg+shop@gmail.com`` and ``annaberg@googlemail.com`` are written differently and read by one person. Only what a
provider promises of its own domains counts, so that no two mailboxes ever become one:

* Gmail ignores dots and what follows a plus; googlemail.com is gmail.com
  (https://support.google.com/mail/answer/7436150, https://support.google.com/mail/answer/10313).
* Outlook.com, Hotmail, Live and MSN deliver what has a plus tag; no name has a plus. Their domains are mailboxes of
  their own (https://learn.microsoft.com/exchange/recipients-in-exchange-online/plus-addressing-in-exchange-online).
* iCloud delivers plus tags; who has an address at me.com or mac.com has it at icloud.com
  (https://support.apple.com/118230).
* Fastmail delivers ``name+tag@`` and ``tag@name.fastmail.com`` (https://www.fastmail.help/hc/articles/360060591053).
* Proton delivers plus tags, reserves a name in all of its domains, and knows a name without its dots, hyphens and
  underscores (https://proton.me/support/addresses-and-aliases).
* Yahoo's disposable addresses are ``base-keyword@``: a base belongs to one account and no name has a hyphen
  (https://help.yahoo.com/kb/SLN28815.html). Yahoo Japan is another company with other rules.
* Yandex gives every login its national domains, and takes dots for hyphens (https://yandex.com/support/mail).
* mailbox.org and Posteo deliver plus tags (https://kb.mailbox.org, https://posteo.de/en/help).

At any other domain an address is its own mailbox: a plus may be part of a name or divide departments there
(``orders+berlin@``), and only the domain's host may say what a local part means (RFC 5321, 2.3.11; RFC 5233). One
person kept as two is put right by a click; two persons taken for one have read each other's post.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct


class Provider(Struct, frozen=True):
    """How a provider's addresses lead to its mailboxes."""

    domains: tuple[str, ...]
    tag: str = "+"
    """What begins the part that does not count."""
    ignored: str = ""
    """Characters of a name that do not count."""
    taken_for: tuple[str, str] = ("", "")
    """A character of a name that counts as another."""
    one: bool = False
    """Whether a name is the same mailbox in all of the domains; it is spelled with the first."""
    under: bool = False
    """Whether ``anything@name.domain`` reaches ``name@domain``."""


PROVIDERS: Final = (
    Provider(("gmail.com", "googlemail.com"), ignored=".", one=True),
    Provider(
        (
            "outlook.com", "hotmail.com", "live.com", "msn.com", "outlook.de", "outlook.fr", "outlook.es", "outlook.it",
            "outlook.at", "outlook.be", "outlook.ie", "hotmail.co.uk", "hotmail.de", "hotmail.fr", "hotmail.es",
            "hotmail.it", "hotmail.be", "hotmail.nl", "live.co.uk", "live.de", "live.fr", "live.it", "live.nl",
            "live.be", "live.at", "live.se", "live.dk", "live.no", "live.ie",
        )
    ),
    Provider(("icloud.com", "me.com", "mac.com"), one=True),
    Provider(
        ("fastmail.com", "fastmail.fm", "fastmail.net", "fastmail.org", "fastmail.co.uk", "fastmail.de", "sent.com"),
        under=True,
    ),
    Provider(("proton.me", "protonmail.com", "protonmail.ch", "pm.me"), ignored=".-_", one=True),
    Provider(
        (
            "yahoo.com", "yahoo.co.uk", "yahoo.de", "yahoo.fr", "yahoo.it", "yahoo.es", "yahoo.ie", "yahoo.se",
            "yahoo.ca", "yahoo.com.au", "yahoo.com.br", "yahoo.com.mx", "yahoo.com.ar", "yahoo.co.in", "yahoo.in",
            "ymail.com", "rocketmail.com",
        ),
        tag="-",
    ),
    Provider(
        ("yandex.ru", "ya.ru", "yandex.com", "yandex.by", "yandex.kz", "yandex.ua"), taken_for=(".", "-"), one=True
    ),
    Provider(("mailbox.org", "posteo.de", "posteo.net")),
)  # fmt: skip

_BY_DOMAIN: Final = {domain: provider for provider in PROVIDERS for domain in provider.domains}


def mailbox(address: str) -> str:
    """The address by which the mailbox of a canonical e-mail address goes; for most that is the address itself.

    >>> mailbox("anna.berg+shop@googlemail.com"), mailbox("shop@anna.fastmail.com"), mailbox("ab-shop@yahoo.co.uk")
    ('annaberg@gmail.com', 'anna@fastmail.com', 'ab@yahoo.co.uk')
    >>> mailbox("anna@hotmail.com"), mailbox("orders+berlin@firm.example")
    ('anna@hotmail.com', 'orders+berlin@firm.example')
    """
    name, _, domain = address.rpartition("@")
    provider = _BY_DOMAIN.get(domain)
    if provider is None:
        owner, _, domain = domain.partition(".")
        provider = _BY_DOMAIN.get(domain)
        if provider is None or not provider.under:
            return address
        name = owner
    elif (at := name.find(provider.tag)) >= 0:
        name = name[:at]
    for character in provider.ignored:
        name = name.replace(character, "")
    if provider.taken_for[0]:
        name = name.replace(*provider.taken_for)
    if not name:
        return address
    return f"{name}@{provider.domains[0] if provider.one else domain}"
