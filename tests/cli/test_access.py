"""user, key, audit: whoever has the shop's folder says who may sign in."""

from __future__ import annotations

import re

import shopkeeper

LINK = re.compile(r"^http://127\.0\.0\.1:8765(/\S+\?token=\S+)$", re.MULTILINE)


def token(done):
    """The token of the link that a command printed, whole and on a line of its own."""
    return LINK.search(done.stdout)[1].partition("token=")[2]


def test_users_are_added_listed_changed_and_shut_out(cli, new_shop):
    shop = ("--shop", new_shop)
    assert "no user yet" in cli("user", "list", *shop).stdout
    done = cli("user", "add", "anna@example.com", "--role", "administrator", "--name", "Anna", *shop)
    assert done.exit_code == 0, done.output
    with shopkeeper.open(new_shop) as opened:
        assert opened.link(token(done)).purpose == "invite"
    assert cli("user", "add", "bo@example.com", *shop).exit_code == 0
    assert cli("user", "role", "bo@example.com", "agent", *shop).exit_code == 0
    assert cli("user", "disable", "bo@example.com", *shop).exit_code == 0
    listed = cli("user", "list", *shop).stdout
    assert re.search(r"u1\s+anna@example.com\s+Anna\s+administrator\s+never\s+no password yet", listed)
    assert re.search(r"u2\s+bo@example.com\s+agent\s+never\s+shut out", listed)
    assert cli("user", "enable", "u2", *shop).exit_code == 0
    assert "shut out" not in cli("user", "list", *shop).stdout


def test_mistakes_are_told(cli, new_shop):
    shop = ("--shop", new_shop)
    cli("user", "add", "anna@example.com", "--role", "administrator", *shop)
    assert (
        "did you mean 'marketer'" in cli("user", "add", "bo@example.com", "--role", "marketeer", *shop).stderr
    )
    assert "no e-mail address" in cli("user", "add", "bo", *shop).stderr
    assert "already" in cli("user", "add", "ANNA@example.com", *shop).stderr
    assert "last administrator" in cli("user", "disable", "anna@example.com", *shop).stderr
    assert "no such user" in cli("user", "role", "u99", "agent", *shop).stderr
    assert cli("user", "link", *shop).exit_code == 2
    assert "typed, not given" in cli("user", "password", "anna@example.com", *shop).stderr
    assert "did you mean 'look_up'" in cli("key", "add", "etl", "--scope", "lookup", *shop).stderr


def test_links_work_once(cli, new_shop):
    shop = ("--shop", new_shop)
    first = token(cli("user", "link", "--set-up", *shop))
    with shopkeeper.open(new_shop) as opened:
        opened.set_up(first, "anna@example.com", "velvet-kettle-orbit")
    assert "users already" in cli("user", "link", "--set-up", *shop).stderr
    come_in = token(cli("user", "link", "anna@example.com", "--sign-in", *shop))
    renew = token(cli("user", "link", "anna@example.com", *shop))
    with shopkeeper.open(new_shop) as opened:
        assert opened.enter(come_in).user.email == "anna@example.com"
        assert opened.accept(renew, "quiet-marble-lantern").user.id == "u1"
        assert opened.sign_in("anna@example.com", "quiet-marble-lantern").user.id == "u1"


def test_a_key_is_printed_once(cli, new_shop):
    shop = ("--shop", new_shop)
    made = cli("key", "add", "warehouse", "--scope", "report", "--scope", "see_name", "--days", "30", *shop)
    secret = re.search(r"^shk_\S+$", made.stdout, re.MULTILINE)[0]
    listed = cli("key", "list", *shop).stdout
    assert re.search(rf"k1\s+warehouse\s+\.\.\.{re.escape(secret[-4:])}\s+report see_name\s+never", listed)
    assert secret not in listed
    with shopkeeper.open(new_shop) as opened:
        assert opened.bearer(secret).actor.scopes == {"report", "see_name"}
    assert cli("key", "revoke", "k1", *shop).exit_code == 0
    with shopkeeper.open(new_shop) as opened:
        assert opened.bearer(secret) is None
    assert "revoked already" in cli("key", "revoke", "k1", *shop).stderr


def test_the_audit_log_is_shown_and_checked(cli, new_shop):
    shop = ("--shop", new_shop)
    cli("user", "add", "anna@example.com", "--role", "administrator", *shop)
    cli("user", "role", "anna@example.com", "administrator", *shop)
    shown = cli("audit", "--about", "u1", *shop).stdout
    assert [verb in shown for verb in ("add a user", "change a role")] == [True, True]
    assert "add a user" not in cli("audit", "--by", "u1", *shop).stdout
    assert "as it was written" in cli("audit", "--check", *shop).stdout
