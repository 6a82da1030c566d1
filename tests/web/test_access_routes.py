"""Every route, every role, every scope: nobody gets where they may not, and everybody where they may."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
from litestar import get
from litestar.testing import TestClient

from shopkeeper.domain.actor import ROLES, SCOPES, Permission
from shopkeeper.domain.errors import ShopkeeperError
from shopkeeper.web.access.cookies import forgery_mark
from shopkeeper.web.access.declared import ANYONE, FOR_PROGRAMS, SAFE, SIGNED_IN, routes
from shopkeeper.web.app import create_app
from shopkeeper.web.pages import PAGES

ROLE_NAMES = sorted(ROLES)


@pytest.fixture(scope="module")
def house(sample_shop, buyer, visit):
    """The sample shop's application with its table of routes, a client who is nobody, and sessions on demand."""
    app = create_app(sample_shop)
    with visit(sample_shop, None) as http:

        def session(role):
            email = f"{role}@example.com"
            if not any(user.email == email for user in sample_shop.users()):
                sample_shop.add_user(email, role)
            return sample_shop.enter(sample_shop.user_link(email, "sign_in").token).token

        def ask(route, token="", key="", **headers):
            """One request; a session's forms carry its mark."""
            if token:
                headers["cookie"] = f"shopkeeper-{sample_shop.mark}={token}"
                if route.method not in SAFE:
                    headers.setdefault("x-csrf-token", forgery_mark(token))
            if key:
                headers["authorization"] = f"Bearer {key}"
            return http.request(route.method, address(route), headers=headers, follow_redirects=False)

        def address(route):
            return re.sub(r"\{(\w+):\w+\}", lambda found: values.get(found[1], "x"), route.path)

        values = {
            "who": buyer.id,
            "identifier": buyer.id,
            "file_path": "css/page.css",
            "path": "nothing",
        }
        table = [route for route in routes(app) if route.method != "OPTIONS"]
        yield SimpleNamespace(table=table, ask=ask, session=session)


def turned_away(answer):
    """Whether somebody was asked to sign in."""
    return answer.status_code == 401 or answer.headers.get("location", "").startswith("/sign-in?")


def test_the_table_of_routes_knows_the_doors(house):
    needs = {(route.method, route.path): route.needs for route in house.table}
    assert len(needs) > 40
    assert needs["GET", "/customers/{who:str}"] == Permission.LOOK_UP
    assert needs["POST", "/settings/users/role"] == Permission.ACCOUNTS
    assert {path for (_, path), needed in needs.items() if needed == ANYONE} == {
        "/sign-in", "/sign-in/provider", "/sign-in/provider/back", "/set-up", "/enter", "/static/{file_path:path}",
        "/api/v1/health",
    }  # fmt: skip


def test_nobody_is_let_in_anywhere_but_at_the_door(house):
    for route in house.table:
        answer = house.ask(route)
        if route.needs == ANYONE:
            assert answer.status_code < 500, route
        else:
            assert turned_away(answer), (route, answer.status_code)
            assert len(answer.content) < 400, route


@pytest.mark.parametrize("role", ROLE_NAMES)
def test_a_role_opens_what_it_may_and_nothing_else(house, role):
    for route in house.table:
        if route.needs == ANYONE:
            continue
        answer = house.ask(route, house.session(role))  # a session each: one of the routes ends it
        may = route.needs == SIGNED_IN or route.needs in ROLES[role].may
        assert answer.status_code < 500, route
        assert not turned_away(answer), route
        assert (answer.status_code != 403) is may, (route, answer.status_code)


@pytest.mark.parametrize("scope", SCOPES)
def test_a_key_opens_what_its_one_scope_names(house, sample_shop, scope):
    key = sample_shop.add_api_key("one scope", [scope]).secret
    for route in house.table:
        if route.needs == ANYONE:
            continue
        answer = house.ask(route, key=key)
        assert answer.status_code < 500, route
        if route.path.startswith(FOR_PROGRAMS):
            may = route.needs in (SIGNED_IN, scope)
            assert (answer.status_code != 403) is may, (route, answer.status_code)
            assert answer.status_code != 401, route
        else:
            assert turned_away(answer), route


def test_a_form_without_the_sessions_mark_changes_nothing(house):
    other = forgery_mark(house.session("administrator"))
    unsafe = [route for route in house.table if route.method not in SAFE and route.needs != ANYONE]
    assert len(unsafe) > 8
    for route in unsafe:
        token = house.session("administrator")
        for wrong in ("", "0" * 48, other):
            answer = house.ask(route, token, **{"x-csrf-token": wrong})
            assert answer.status_code == 403, route
            assert "not of your session" in answer.text, route
        answer = house.ask(route, token, origin="http://evil.example")
        assert answer.status_code == 403, route
        assert "nother site" in answer.text, route
        answer = house.ask(route, token, **{"sec-fetch-site": "cross-site"})
        assert answer.status_code == 403, route


def test_signing_in_cannot_be_done_from_another_site(house):
    for route in house.table:
        if route.method == "POST" and route.needs == ANYONE:
            assert house.ask(route, origin="http://evil.example").status_code == 403, route


@pytest.mark.parametrize(
    "credentials",
    ["Bearer", "Bearer shk_none", "Bearer x", "Basic dTpw", "Token shk_", "Bearer " + "s" * 9000],
)
def test_what_is_no_key_opens_nothing_even_beside_a_session(house, credentials):
    token = house.session("administrator")
    for route in house.table:
        if route.path.startswith(FOR_PROGRAMS) and route.needs != ANYONE:
            answer = house.ask(route, token, authorization=credentials)
            assert answer.status_code == 401, route
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert answer.json()["error"]["code"] == "not_signed_in"


def test_a_route_that_does_not_say_what_it_needs_stops_the_application(sample_shop, monkeypatch):
    @get("/forgotten", sync_to_thread=False)
    def forgotten() -> str:
        return "everything"

    monkeypatch.setattr("shopkeeper.web.app.PAGES", (*PAGES, forgotten))
    with pytest.raises(ShopkeeperError, match="/forgotten"):
        create_app(sample_shop)


def test_the_way_back_is_kept_and_leads_nowhere_else(sample_shop):
    with TestClient(create_app(sample_shop), base_url="http://127.0.0.1:8765") as http:
        answer = http.get("/customers?sort=orders", follow_redirects=False)
        assert answer.headers["location"] == "/sign-in?next=%2Fcustomers%3Fsort%3Dorders"
        piece = http.get(
            "/customers",
            headers={"hx-request": "true", "hx-current-url": "http://127.0.0.1:8765/customers?a=1"},
        )
        assert (piece.status_code, piece.headers["hx-redirect"]) == (
            204,
            "/sign-in?next=%2Fcustomers%3Fa%3D1",
        )
        for to in (
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/%2Fevil.example",
            "javascript:x",
        ):
            link = sample_shop.user_link("administrator@example.com", "sign_in")
            page = http.get("/sign-in", params={"next": to}).text
            assert 'name="next" value="/"' in page, to
            http.post("/enter", data={"token": link.token})
            answer = http.get("/sign-in", params={"next": to}, follow_redirects=False)
            assert answer.headers["location"] == "/", to
            http.cookies.clear()
