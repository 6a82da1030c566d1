"""Sign-in by an identity provider: a small one of our own, spoken to over HTTP as any other."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from litestar.testing import TestClient

import shopkeeper
from shopkeeper.settings import Settings
from shopkeeper.web.access.provider import SECRET, Provider
from shopkeeper.web.app import create_app

BASE = "http://127.0.0.1:8765"
CLIENT, PASS = "shop-1", "client-secret"


class Issuer:
    """An OpenID provider: discovery, keys, an authorization endpoint that agrees at once, tokens by code with PKCE."""

    def __init__(self):
        self.key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
        self.signs_with = self.key
        self.claims = {"sub": "abc", "email": "anna@example.com", "email_verified": True}
        self.codes = {}
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def get(self, path, query):
        if path == "/.well-known/openid-configuration":
            return 200, {
                "issuer": self.address, "authorization_endpoint": self.address + "/authorize",
                "token_endpoint": self.address + "/token", "jwks_uri": self.address + "/keys",
            }  # fmt: skip
        if path == "/keys":
            return 200, KeySet([self.key]).as_dict(private=False)
        if path == "/authorize":
            assert query["response_type"] == "code"
            assert query["client_id"] == CLIENT
            assert query["code_challenge_method"] == "S256"
            code = f"code-{len(self.codes)}"
            self.codes[code] = query
            back = urlencode({"code": code, "state": query["state"]})
            return 302, query["redirect_uri"] + "?" + back
        return 404, {}

    def token(self, form, credentials):
        asked = self.codes.pop(form["code"], None)  # a code works once
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(
            b"="
        )
        if (
            asked is None
            or challenge.decode() != asked["code_challenge"]
            or form["redirect_uri"] != asked["redirect_uri"]
            or credentials != f"{CLIENT}:{PASS}"
        ):
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        said = {"iss": self.address, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        token = jwt.encode({"alg": "RS256", "kid": "one"}, said | self.claims, self.signs_with)
        return 200, {"access_token": "x", "token_type": "Bearer", "expires_in": 300, "id_token": token}

    def handler(self):
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def answer(self, status, body):
                self.send_response(status)
                octets = b"" if status == 302 else json.dumps(body).encode()
                if status == 302:
                    self.send_header("location", body)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(octets)))
                self.end_headers()
                self.wfile.write(octets)

            def do_GET(self):
                parts = urlsplit(self.path)
                self.answer(*issuer.get(parts.path, {k: v[0] for k, v in parse_qs(parts.query).items()}))

            def do_POST(self):
                form = self.rfile.read(int(self.headers["content-length"])).decode()
                given = base64.b64decode(self.headers.get("authorization", "Basic ").split(" ")[1]).decode()
                self.answer(*issuer.token({k: v[0] for k, v in parse_qs(form).items()}, given))

        return Handler


@pytest.fixture(scope="module")
def provider():
    issuer = Issuer()
    yield issuer
    issuer.close()


@pytest.fixture
def issuer(provider):
    """The provider as it is when nobody has meddled with it."""
    provider.signs_with = provider.key
    provider.claims = {"sub": "abc", "email": "anna@example.com", "email_verified": True}
    return provider


@pytest.fixture
def http(tmp_path, issuer, monkeypatch):
    """A client of a shop that trusts the provider, and knows Anna by her address only."""
    monkeypatch.setenv(SECRET, PASS)
    settings = Settings(oidc_issuer=issuer.address, oidc_client_id=CLIENT)
    with shopkeeper.create(tmp_path / "shop", settings=settings) as shop:
        shop.add_user("anna@example.com", "agent")
        with TestClient(create_app(shop), base_url=BASE) as client:
            client.shop = shop
            yield client


def go(http, to="/"):
    """To the provider and back, as a browser goes; the answer to what it brings back."""
    away = http.get("/sign-in/provider", params={"next": to}, follow_redirects=False)
    assert away.status_code == 303
    back = httpx.get(away.headers["location"], follow_redirects=False).headers["location"]
    assert back.startswith(BASE + "/sign-in/provider/back?")
    return http.get(back.removeprefix(BASE), follow_redirects=False)


def test_a_user_comes_in_and_goes_on(http):
    assert "Sign in with 127.0.0.1" in http.get("/sign-in").text
    answer = go(http, "/customers?sort=orders")
    assert (answer.status_code, answer.headers["location"]) == (303, "/customers?sort=orders")
    assert http.get("/customers").status_code == 200
    assert http.shop.users()[0].provider


def test_from_then_on_the_subject_counts_and_not_the_address(http, issuer):
    assert go(http).status_code == 303
    issuer.claims["email"] = "else@example.com"
    assert go(http).status_code == 303
    issuer.claims |= {"sub": "another", "email": "anna@example.com"}
    assert go(http).status_code == 401


@pytest.mark.parametrize(
    "claims",
    [
        {"email": "stranger@example.com"},
        {"email_verified": False},
        {"email_verified": "true"},
        {"iss": "https://evil.example"},
        {"aud": "another-client"},
        {"nonce": "another"},
        {"exp": 1},
        {"azp": "another-client", "aud": [CLIENT, "another-client"]},
    ],
    ids=str,
)
def test_who_is_not_known_or_not_believed_stays_out(http, issuer, claims):
    issuer.claims |= claims
    answer = go(http)
    assert answer.status_code == 401
    assert http.get("/account", follow_redirects=False).status_code == 303
    assert "stranger" not in answer.text


def test_what_another_key_has_signed_is_not_believed(http, issuer):
    issuer.signs_with = RSAKey.generate_key(2048, {"kid": "one"})
    assert go(http).status_code == 401


def test_an_answer_to_nobodys_question_is_refused(http):
    away = http.get("/sign-in/provider", follow_redirects=False)
    back = httpx.get(away.headers["location"], follow_redirects=False).headers["location"].removeprefix(BASE)
    assert http.get(back.replace("state=", "state=x"), follow_redirects=False).status_code == 401
    http.cookies.clear()
    assert http.get(back, follow_redirects=False).status_code == 401
    assert http.get("/sign-in/provider/back?error=access_denied").status_code == 401


def test_a_disabled_user_stays_out(http):
    http.shop.disable_user("anna@example.com")
    assert go(http).status_code == 401


def test_a_provider_that_is_away_is_said_so(tmp_path):
    settings = Settings(oidc_issuer="http://127.0.0.1:1", oidc_client_id=CLIENT)
    with (
        shopkeeper.create(tmp_path / "shop", settings=settings) as shop,
        TestClient(create_app(shop), base_url=BASE) as client,
    ):
        answer = client.get("/sign-in/provider")
        assert answer.status_code == 409
        assert "does not answer" in answer.text


def test_a_shop_without_a_provider_offers_none(shop):
    with TestClient(create_app(shop), base_url=BASE) as client:
        assert "/sign-in/provider" not in client.get("/sign-in").text
        assert client.get("/sign-in/provider").status_code == 404


@pytest.mark.parametrize("issuer", ["http://sso.example.com", "http://10.0.0.5"])
def test_a_provider_without_tls_is_refused(issuer):
    with pytest.raises(shopkeeper.ShopkeeperError, match="https"):
        Provider(issuer, CLIENT, None)
