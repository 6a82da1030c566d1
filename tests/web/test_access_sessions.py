"""Signing in and out: sessions that end, links that work once, passwords that are guessed slowly, and what is kept."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from litestar.testing import TestClient

import shopkeeper
from shopkeeper.shop import passwords
from shopkeeper.web.app import create_app

BASE = "http://127.0.0.1:8765"
WORDS = "velvet-kettle-orbit"
OTHER = "quiet-marble-lantern"


class Moving:
    """A clock that is moved by hand."""

    def __init__(self):
        self.at = datetime(2026, 5, 1, 12, tzinfo=UTC)

    def now(self):
        return self.at

    def move(self, **by):
        self.at += timedelta(**by)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """argon2 with little memory: what is tested is what is done with it."""
    from argon2 import PasswordHasher

    hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    decoy = hasher.hash("nobody's")
    monkeypatch.setattr(passwords, "_hasher", lambda: hasher)
    monkeypatch.setattr(passwords, "_decoy", lambda: decoy)


@pytest.fixture
def door(tmp_path):
    """A shop with an administrator, its clock, and a client who has not signed in."""
    clock = Moving()
    with shopkeeper.create(tmp_path / "shop") as made:
        made.places.clock = clock
        made.sign_out(made.set_up(made.set_up_link().token, "anna@example.com", WORDS, "Anna").token)
        with TestClient(create_app(made), base_url=BASE) as http:
            yield SimpleNamespace(shop=made, clock=clock, http=http)


def sign_in(http, password=WORDS, email="anna@example.com", **fields):
    return http.post(
        "/sign-in", data={"email": email, "password": password, **fields}, follow_redirects=False
    )


def cookie(answer):
    return answer.headers.get("set-cookie", "")


def mark(http):
    return re.search(r'name="csrf" value="(\w+)"', http.get("/account").text)[1]


def reaches(http):
    return http.get("/account", follow_redirects=False).status_code == 200


def test_a_new_shop_is_set_up_by_a_link_that_works_once(tmp_path):
    with shopkeeper.create(tmp_path / "shop") as shop, TestClient(create_app(shop), base_url=BASE) as http:
        shop.places.clock = clock = Moving()
        assert "waits to be set up" in http.get("/").text
        form = {"email": "anna@example.com", "password": WORDS, "name": "Anna"}
        first, second = shop.set_up_link(), shop.set_up_link()
        assert http.get(first.path).status_code == 401, "a newer link takes the older one's place"
        clock.move(minutes=61)
        assert http.post("/set-up", data=form | {"token": second.token}).status_code == 401
        link = shop.set_up_link()
        assert http.get(link.path).status_code == 200
        weak = http.post("/set-up", data=form | {"token": link.token, "password": "password12345"})
        assert weak.status_code == 400
        assert "commonest" in weak.text
        done = http.post("/set-up", data=form | {"token": link.token}, follow_redirects=False)
        assert done.status_code == 303
        assert reaches(http)
        assert shop.users()[0].role == "administrator"
        http.cookies.clear()
        assert http.post("/set-up", data=form | {"token": link.token}).status_code == 401
        with pytest.raises(shopkeeper.ShopkeeperError, match="users already"):
            shop.set_up_link()


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(door):
    said = cookie(sign_in(door.http))
    for part in ("HttpOnly", "SameSite=lax", "Path=/", "Max-Age=604800"):
        assert part in said
    assert "Secure" not in said
    with TestClient(create_app(door.shop), base_url="https://127.0.0.1") as http:
        said = cookie(sign_in(http))
        assert said.startswith(f"__Host-shopkeeper-{door.shop.mark}=")
        assert "Secure" in said
        assert reaches(http)


def test_signing_in_gives_another_token_and_ends_the_one_before(door):
    sign_in(door.http)
    name = f"shopkeeper-{door.shop.mark}"
    before = door.http.cookies[name]
    sign_in(door.http)
    assert door.http.cookies[name] != before
    assert door.shop.who(before) is None
    planted = "x" * 43
    door.http.cookies.set(name, planted)
    sign_in(door.http)
    assert planted not in cookie(sign_in(door.http))
    assert door.shop.who(planted) is None


def test_a_session_ends_when_idle_and_in_any_case_after_days(door):
    sign_in(door.http)
    for _ in range(13):
        door.clock.move(hours=11)
        assert reaches(door.http), "used again and again"
    door.clock.move(hours=13)
    assert not reaches(door.http)
    sign_in(door.http)
    for _ in range(16):
        door.clock.move(hours=11)
        reaches(door.http)
    assert not reaches(door.http), "7 days are over"


def test_signing_out_ends_the_session_itself(door):
    sign_in(door.http)
    token = door.http.cookies[f"shopkeeper-{door.shop.mark}"]
    assert door.http.post("/sign-out", follow_redirects=False).status_code == 403
    done = door.http.post("/sign-out", data={"csrf": mark(door.http)}, follow_redirects=False)
    assert done.status_code == 303
    assert "Max-Age=0" in cookie(done)
    assert door.shop.who(token) is None
    assert not reaches(door.http)


def test_a_role_changes_and_a_user_is_shut_out_from_the_next_request_on(door):
    door.shop.add_user("bo@example.com", "analyst")
    door.http.post("/enter", data={"token": door.shop.user_link("bo@example.com", "sign_in").token})
    assert door.http.get("/customers").status_code == 403
    door.shop.change_role("bo@example.com", "agent")
    assert door.http.get("/customers").status_code == 200
    left = door.shop.user_link("bo@example.com")
    door.shop.disable_user("bo@example.com")
    assert not reaches(door.http)
    assert door.http.get(left.path).status_code == 401
    door.shop.disable_user("bo@example.com", disabled=False)
    assert not reaches(door.http), "what was ended stays ended"


def test_the_last_administrator_stays(door):
    for change in (lambda: door.shop.change_role("u1", "agent"), lambda: door.shop.disable_user("u1")):
        with pytest.raises(shopkeeper.ShopkeeperError, match="last administrator"):
            change()
    door.shop.add_user("bo@example.com", "administrator")
    door.shop.change_role("u1", "agent")


def test_an_invitation_is_taken_up_once_and_in_time(door):
    link = door.shop.add_user("bo@example.com", "agent", "Bo")
    assert "bo@example.com" in door.http.get(link.path).text
    assert door.http.get(link.path).status_code == 200, "looking does not use it up"
    assert door.http.post("/enter", data={"token": link.token, "password": "bo"}).status_code == 400
    done = door.http.post("/enter", data={"token": link.token, "password": OTHER}, follow_redirects=False)
    assert (done.status_code, done.headers["location"]) == (303, "/customers")
    assert door.http.post("/enter", data={"token": link.token, "password": OTHER}).status_code == 401
    late = door.shop.user_link("bo@example.com", "invite")
    door.clock.move(days=8)
    assert door.http.get(late.path).status_code == 401


def test_passwords_are_guessed_slowly_whoever_guesses(door):
    """After five failures the wait doubles; it holds for the right password too, and across a restart."""
    assert [sign_in(door.http, "wrong").status_code for _ in range(6)] == [401] * 5 + [429]
    waited = []
    for _ in range(4):
        answer = sign_in(door.http)
        assert answer.status_code == 429
        waited.append(int(answer.headers["retry-after"]))
        door.clock.move(seconds=waited[-1])
        assert sign_in(door.http, "wrong").status_code == 401
    assert waited == [1, 2, 4, 8]
    door.shop.close()
    with (
        shopkeeper.open(door.shop.places.folder) as again,
        TestClient(create_app(again), base_url=BASE) as http,
    ):
        again.places.clock = door.clock
        assert sign_in(http).status_code == 429
        door.clock.move(seconds=16)
        assert sign_in(http).status_code == 303
        assert [sign_in(http, "wrong").status_code for _ in range(2)] == [401, 401], (
            "success forgets failures"
        )


def test_nobody_learns_who_has_an_account(door):
    answers = []
    for email in ("anna@example.com", "nobody@example.com"):
        door.shop.add_user("off@example.com", "agent") if not answers else None
        answers.append([sign_in(door.http, "wrong", email).text.replace(email, "") for _ in range(6)])
    assert answers[0] == answers[1]


def test_an_address_that_tries_many_accounts_must_wait(door):
    tried = [sign_in(door.http, "wrong", f"user{n}@example.com").status_code for n in range(21)]
    assert tried == [401] * 20 + [429]
    assert sign_in(door.http).status_code == 429


def test_many_tries_at_once_are_no_more_than_one_after_another(door):
    from concurrent.futures import ThreadPoolExecutor

    from shopkeeper.domain.errors import NotSignedIn, TooManyTries

    def attempt(number):
        try:
            door.shop.sign_in("anna@example.com", f"wrong {number}")
        except (NotSignedIn, TooManyTries) as error:
            return type(error)

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(attempt, range(40)))
    assert outcomes.count(NotSignedIn) == 5
    assert outcomes.count(TooManyTries) == 35


def test_changing_the_password_ends_every_other_session(door):
    sign_in(door.http)
    with TestClient(create_app(door.shop), base_url=BASE) as elsewhere:
        sign_in(elsewhere)
        assert reaches(elsewhere)
        page = door.http.get("/account").text
        assert page.count("this one") == 1
        assert page.count("/account/sessions/end") == 1
        form = {"csrf": mark(door.http), "old": "wrong", "new": OTHER}
        assert door.http.post("/account/password", data=form).status_code == 400
        assert (
            door.http.post("/account/password", data=form | {"old": WORDS, "new": "short"}).status_code == 400
        )
        done = door.http.post("/account/password", data=form | {"old": WORDS})
        assert done.status_code == 200
        assert "is changed" in done.text
        assert reaches(door.http)
        assert not reaches(elsewhere)
        assert sign_in(elsewhere).status_code == 401
        assert sign_in(elsewhere, OTHER).status_code == 303


def test_a_session_is_ended_from_another_and_by_nobody_else(door):
    sign_in(door.http)
    with TestClient(create_app(door.shop), base_url=BASE) as elsewhere:
        sign_in(elsewhere)
        other = re.search(r'name="session" value="(\w+)"', door.http.get("/account").text)[1]
        link = door.shop.add_user("bo@example.com", "agent")
        with TestClient(create_app(door.shop), base_url=BASE) as bo:
            bo.post("/enter", data={"token": link.token, "password": OTHER})
            form = {"csrf": mark(bo), "session": other}
            assert bo.post("/account/sessions/end", data=form).status_code == 404
        assert reaches(elsewhere)
        door.http.post("/account/sessions/end", data={"csrf": mark(door.http), "session": other})
        assert not reaches(elsewhere)
        assert reaches(door.http)


def test_a_password_is_hashed_anew_when_the_parameters_change(door, monkeypatch):
    from argon2 import PasswordHasher

    stronger = PasswordHasher(time_cost=2, memory_cost=128, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", lambda: stronger)
    with door.shop.places.gate.read() as reader:
        before = reader.account(1).password
    assert sign_in(door.http).status_code == 303
    with door.shop.places.gate.read() as reader:
        after = reader.account(1).password
    assert before != after
    assert "m=128,t=2" in after
    assert sign_in(door.http).status_code == 303


def test_a_key_ends_when_revoked_and_when_its_days_are_over(door):
    def asks(made):
        return door.http.get("/api/v1/me", headers={"authorization": f"Bearer {made.secret}"}).status_code

    one, two = (door.shop.add_api_key(name, ["report"], days=2) for name in ("one", "two"))
    assert (asks(one), asks(two)) == (200, 200)
    door.shop.revoke_api_key(one.key.id)
    assert (asks(one), asks(two)) == (401, 200)
    door.clock.move(days=2)
    assert asks(two) == 401
    assert [key.works for key in door.shop.api_keys()] == [False, False]


def test_no_secret_and_no_address_lies_in_the_gate_in_clear(door):
    sign_in(door.http)
    token = door.http.cookies[f"shopkeeper-{door.shop.mark}"]
    made = door.shop.add_api_key("etl", ["report"])
    link = door.shop.add_user("bo@example.com", "agent", "Bonaventura")
    folder = door.shop.places.folder
    door.shop.close()
    octets = b"".join(path.read_bytes() for path in folder.glob("gate.db*"))
    assert len(octets) > 10_000
    for secret in (
        token,
        made.secret,
        link.token,
        WORDS,
        "anna@example.com",
        "bo@example.com",
        "Bonaventura",
        "testclient",
    ):
        assert secret.encode() not in octets, secret


def test_headers_and_marks_that_no_browser_sends_are_refused_and_break_nothing(door):
    piece = {"hx-request": "true", "hx-current-url": "http://["}
    assert door.http.get("/customers", headers=piece).status_code == 204
    forged = door.http.post("/sign-in", data={"email": "x"}, headers={"origin": "http://["})
    assert forged.status_code == 403
    sign_in(door.http)
    assert door.http.post("/sign-out", data={"csrf": "é\u20ac"}).status_code == 403
    assert door.http.post("/sign-out", headers={"x-csrf-token": b"\xe9"}).status_code == 403
    assert door.http.get("/account").status_code == 200
