"""Sign-in by an identity provider: OpenID Connect's authorization code flow with PKCE, state and nonce.

OpenID Connect Core 1.0 and Discovery 1.0. The provider says who somebody is; what they may do is their role here.
"""

from __future__ import annotations

import hmac
import os
import time
import warnings
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from msgspec import Struct

from shopkeeper.domain.errors import Conflict, NotSignedIn
from shopkeeper.web.guard import LOOPBACK

if TYPE_CHECKING:
    from shopkeeper.settings import Settings

SECRET = "SHOPKEEPER_OIDC_SECRET"  # noqa: S105 - the name of the variable, not what it holds
_SIGNED_WITH = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"]
"""Only what a provider signs with a key of its own: neither 'none' nor a shared secret."""
_LEEWAY = 60
_KNOWN_FOR = 600.0
"""Seconds for which what the provider says of itself, and its keys, are taken as said."""
_TIMEOUT = 10.0


class Begun(Struct, frozen=True):
    """A sign-in on its way: kept sealed in a cookie until the provider sends the browser back."""

    state: str
    nonce: str
    verifier: str
    next: str


class Vouched(Struct, frozen=True):
    """Whom the provider vouches for; ``email`` only where it says that it was verified."""

    issuer: str
    subject: str
    email: str | None


class Provider:
    """One shop's identity provider. Calls it over the network: use on a thread."""

    def __init__(self, issuer: str, client_id: str, secret: str | None) -> None:
        parts = urlsplit(issuer)
        if parts.scheme != "https" and parts.hostname not in LOOPBACK:
            raise Conflict(
                "the identity provider is not reached by https", hint="set oidc_issuer to its https address"
            )
        if not client_id:
            raise Conflict(
                "oidc_client_id is not set", hint="it is what the identity provider calls this shop"
            )
        self.issuer = issuer
        self.client_id = client_id
        self.secret = secret
        self._said: tuple[float, dict[str, Any], Any] | None = None

    @classmethod
    def of(cls, settings: Settings) -> Provider | None:
        """The provider that the settings name, if any; its secret comes from the environment."""
        if not settings.oidc_issuer:
            return None
        return cls(settings.oidc_issuer, settings.oidc_client_id, os.environ.get(SECRET))

    def begin(self, back: str, to: str) -> tuple[str, Begun]:
        """Where to send the browser, and what to remember until it comes back to ``back``."""
        from secrets import token_urlsafe

        begun = Begun(token_urlsafe(24), token_urlsafe(24), token_urlsafe(48), to)
        said, _ = self._about()
        with self._client(back) as client:
            address, _ = client.create_authorization_url(
                said["authorization_endpoint"],
                state=begun.state,
                nonce=begun.nonce,
                code_verifier=begun.verifier,
            )
        return str(address), begun

    def finish(self, back: str, begun: Begun, code: str, state: str) -> Vouched:
        """Whom the provider vouches for. Raises NotSignedIn where anything does not fit."""
        from authlib.common.errors import AuthlibBaseError

        if not hmac.compare_digest(begun.state, state) or not code:
            raise NotSignedIn("this is not the sign-in that was begun here", hint="begin again")
        try:
            said, keys = self._about()
            with self._client(back) as client:
                token = client.fetch_token(
                    said["token_endpoint"],
                    code=code,
                    code_verifier=begun.verifier,
                    grant_type="authorization_code",
                )
        except (AuthlibBaseError, _http().HTTPError) as error:
            raise NotSignedIn(
                f"the identity provider did not confirm it ({type(error).__name__})", hint="begin again"
            ) from None
        return self._read(str(token.get("id_token", "")), keys, begun.nonce)

    def _read(self, id_token: str, keys: Any, nonce: str) -> Vouched:
        from joserfc import jwt
        from joserfc.errors import JoseError

        wanted = jwt.JWTClaimsRegistry(
            leeway=_LEEWAY,
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": self.client_id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            claims = jwt.decode(id_token, keys, algorithms=_SIGNED_WITH).claims
            wanted.validate(claims)
        except (JoseError, ValueError):
            self._said = None  # it may have changed its keys
            raise NotSignedIn(
                "what the identity provider said cannot be believed", hint="begin again"
            ) from None
        if claims.get("azp", self.client_id) != self.client_id:
            raise NotSignedIn(
                "what the identity provider said is meant for somebody else", hint="begin again"
            )
        email = claims.get("email") if claims.get("email_verified") is True else None
        return Vouched(self.issuer, str(claims["sub"]), email if isinstance(email, str) else None)

    def _about(self) -> tuple[dict[str, Any], Any]:
        """What the provider says of itself, and its keys."""
        from joserfc.jwk import KeySet

        if self._said is None or time.monotonic() - self._said[0] > _KNOWN_FOR:
            http = _http()
            try:
                with http.Client(timeout=_TIMEOUT) as client:
                    address = self.issuer.rstrip("/") + "/.well-known/openid-configuration"
                    said = client.get(address).raise_for_status().json()
                    if said.get("issuer") != self.issuer:
                        raise Conflict("the identity provider calls itself by another name than oidc_issuer")
                    keys = KeySet.import_key_set(client.get(said["jwks_uri"]).raise_for_status().json())
            except (http.HTTPError, ValueError, KeyError) as error:
                raise Conflict(
                    f"the identity provider does not answer ({type(error).__name__})",
                    hint="sign in by password, or try again later",
                ) from None
            self._said = (time.monotonic(), said, keys)
        return self._said[1], self._said[2]

    def _client(self, back: str) -> Any:
        try:
            from authlib.deprecate import AuthlibDeprecationWarning

            with warnings.catch_warnings():  # it says that it will want another HTTP library in time to come
                warnings.simplefilter("ignore", AuthlibDeprecationWarning)
                from authlib.integrations.httpx_client import OAuth2Client
        except ImportError:
            raise Conflict(
                "signing in by an identity provider needs the extra 'oidc'",
                hint="pip install 'shopkeeper[oidc]'",
            ) from None
        return OAuth2Client(
            self.client_id, self.secret, scope="openid email", redirect_uri=back, code_challenge_method="S256",
            token_endpoint_auth_method="client_secret_basic" if self.secret else "none", timeout=_TIMEOUT,
        )  # fmt: skip


def _http() -> Any:
    """The HTTP library that authlib speaks through: its errors are the ones to expect."""
    try:
        return import_module("httpx2")
    except ImportError:
        return import_module("httpx")
