"""Which addresses reach one mailbox, and that no two mailboxes ever become one."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shopkeeper.resolve.keys import Keys, email
from shopkeeper.resolve.mailboxes import PROVIDERS, mailbox

KEYS = Keys("GB")
DOMAINS = [domain for provider in PROVIDERS for domain in provider.domains]
OTHERS = [
    "firm.example", "gmail.com.evil.example", "notgmail.com", "anna.gmail.com", "yahoo.co.jp", "xn--mnchen-3ya.example",
    "x.anna.fastmail.com", "googlemail.de",
]  # fmt: skip
names = st.text("abz09.+-_", min_size=1, max_size=20) | st.text(min_size=1, max_size=20)
addresses = st.builds(
    lambda name, domain, owner: f"{name}@{owner}{domain}",
    names,
    st.sampled_from(DOMAINS + OTHERS),
    st.sampled_from(["", "", "", "anna.", "a-b."]),
)


@pytest.mark.parametrize(
    ("written", "reached"),
    [
        ("Anna.Berg+shop@Gmail.com", "annaberg@gmail.com"),
        ("annaberg@googlemail.com", "annaberg@gmail.com"),
        ("anna+a+b@outlook.com", "anna@outlook.com"),
        ("anna.berg+shop@hotmail.co.uk", "anna.berg@hotmail.co.uk"),
        ("anna+shop@mac.com", "anna@icloud.com"),
        ("anna@me.com", "anna@icloud.com"),
        ("shop@anna.fastmail.com", "anna@fastmail.com"),
        ("anna+shop@fastmail.fm", "anna@fastmail.fm"),
        ("anna-berg_x+shop@protonmail.com", "annabergx@proton.me"),
        ("base-shop-2@yahoo.de", "base@yahoo.de"),
        ("anna.berg@ya.ru", "anna-berg@yandex.ru"),
        ("anna+shop@posteo.de", "anna@posteo.de"),
    ],
)
def test_an_address_reaches_the_mailbox_that_its_provider_says(written: str, reached: str) -> None:
    address = KEYS("email", written)
    assert address is not None
    assert KEYS.reaches("email", address) == reached
    assert KEYS.reaches("email", reached) is None


@pytest.mark.parametrize(
    "address",
    [
        "annaberg@gmail.com", "anna.berg@hotmail.com", "anna-berg@icloud.com", "orders+berlin@firm.example",
        "anna.berg@firm.example", "a-b@yahoo.co.jp", "anna+x@anna.gmail.com", "shop@y.anna.fastmail.com",
        "zoë+shop@xn--mller-kva.example",
    ],
)  # fmt: skip
def test_any_other_address_is_its_own_mailbox(address: str) -> None:
    assert KEYS("email", address) == address
    assert KEYS.reaches("email", address) is None


@pytest.mark.parametrize(
    "address",
    ["test+1@gmail.com", "no.reply+x@gmail.com", "x.x.x@gmail.com", "+shop@gmail.com", "n.a+1@proton.me"],
)
def test_a_mailbox_that_names_nobody_is_never_told_of(address: str) -> None:
    assert KEYS.reaches("email", address) is None


def test_no_provider_says_two_things_of_a_domain() -> None:
    assert len(DOMAINS) == len(set(DOMAINS))


@given(addresses)
@example("\u0130+x@gmail.com")
def test_the_mailbox_of_a_mailbox_is_itself(text: str) -> None:
    address = KEYS("email", text)
    if address is None:
        return
    assert mailbox(mailbox(address)) == mailbox(address)
    reached = KEYS.reaches("email", address)
    if reached is not None:
        assert KEYS("email", reached) == email(reached) == reached != address
        assert KEYS.reaches("email", reached) is None


@given(addresses, addresses)
def test_mailboxes_at_domains_that_are_not_one_are_never_one(one: str, other: str) -> None:
    a, b = KEYS("email", one), KEYS("email", other)
    if a is None or b is None or mailbox(a) != mailbox(b):
        return
    groups = [provider.domains for provider in PROVIDERS if provider.one]
    hosts = [_host(a), _host(b)]
    assert hosts[0] == hosts[1] or any(set(hosts) <= set(group) for group in groups)


def _host(address: str) -> str:
    """The provider's domain of an address, that of its subdomains too."""
    domain = address.rpartition("@")[2]
    under = domain.partition(".")[2]
    return under if any(provider.under and under in provider.domains for provider in PROVIDERS) else domain


@given(st.sampled_from(DOMAINS + OTHERS), st.sampled_from("+.-_@a"), st.integers(1, 10_000))
def test_long_names_are_read_and_make_no_mailbox(domain: str, filling: str, length: int) -> None:
    text = f"anna{filling * length}@{domain}"
    address = KEYS("email", text)
    assert len(mailbox(text)) <= len(text) + len("protonmail.com")
    if length > 500:
        assert address is None


def test_a_shop_may_take_every_address_for_a_mailbox_of_its_own() -> None:
    apart = Keys("GB", mailboxes=False)
    assert apart.reaches("email", "anna.berg+shop@gmail.com") is None
    assert apart("email", "anna.berg+shop@gmail.com") == KEYS("email", "anna.berg+shop@gmail.com")


@given(st.text(max_size=60))
def test_other_kinds_reach_nothing_else(text: str) -> None:
    for kind in ("phone", "user_id", "loyalty_card", "external_id"):
        assert KEYS.reaches(kind, text) is None
