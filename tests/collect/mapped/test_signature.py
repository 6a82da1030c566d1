"""Webhooks as real senders sign them, and what is not believed."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from shopkeeper.domain.errors import InvalidInput
from shopkeeper.domain.signature import FORGED, STALE, UNSIGNED, Signature, checked, doubt, secret_bytes

NOW = 1_777_636_800
BODY = b'{"id": 1}'
SECRET = "top-secret"


def mac(message: bytes, secret: bytes = SECRET.encode(), how: str = "sha256") -> bytes:
    return hmac.new(secret, message, how).digest()


def judged(signature, headers, body=BODY, secrets=(SECRET,), now=NOW):
    return doubt(checked(signature), secrets, headers, body, now * 1_000_000)


def test_a_bare_hash_in_base64():
    sign = Signature(header="X-WC-Webhook-Signature", encoding="base64")
    told = base64.b64encode(mac(BODY)).decode()
    assert judged(sign, {"x-wc-webhook-signature": told}) == ""
    assert judged(sign, {"x-wc-webhook-signature": told}, body=BODY + b" ") == FORGED
    assert judged(sign, {"x-wc-webhook-signature": told}, secrets=["other"]) == FORGED
    assert judged(sign, {"x-wc-webhook-signature": told}, secrets=["other", SECRET]) == ""
    assert judged(sign, {}) == UNSIGNED


def test_a_time_and_several_signatures_in_one_header():
    sign = Signature(header="Stripe-Signature", prefix="v1=", timestamp_prefix="t=")
    told = mac(f"{NOW}.".encode() + BODY).hex()
    old = "00" * 32
    assert judged(sign, {"stripe-signature": f"t={NOW},v1={old},v1={told},v0=aa"}) == ""
    assert judged(sign, {"stripe-signature": f"t={NOW},v1={told}"}, now=NOW + 301) == STALE
    assert judged(sign, {"stripe-signature": f"t={NOW},v1={told}"}, now=NOW - 301) == STALE
    assert judged(sign, {"stripe-signature": f"t={NOW + 1},v1={told}"}) == FORGED
    assert judged(sign, {"stripe-signature": f"v1={told}"}) == UNSIGNED


def test_a_time_in_a_header_of_its_own_under_a_template():
    sign = Signature(
        header="X-Slack-Signature", prefix="v0=", timestamp_header="X-Slack-Request-Timestamp",
        signed="v0:{timestamp}:{body}",
    )  # fmt: skip
    told = mac(f"v0:{NOW}:".encode() + BODY).hex()
    headers = {"x-slack-signature": f"v0={told}", "x-slack-request-timestamp": str(NOW)}
    assert judged(sign, headers) == ""
    assert judged(sign, {**headers, "x-slack-request-timestamp": "soon"}) == FORGED


def test_standard_webhooks():
    raw = b"0123456789abcdef01234567"
    sign = Signature(
        header="webhook-signature", encoding="base64", prefix="v1,", timestamp_header="webhook-timestamp",
        signed="{header:webhook-id}.{timestamp}.{body}", key="base64",
    )  # fmt: skip
    told = base64.b64encode(mac(b"msg_1." + str(NOW).encode() + b"." + BODY, raw)).decode()
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(NOW),
        "webhook-signature": f"v1,{told} v1,AAAA",
    }
    secret = "whsec_" + base64.b64encode(raw).decode()
    assert judged(sign, headers, secrets=[secret]) == ""
    assert judged(sign, {**headers, "webhook-id": "msg_2"}, secrets=[secret]) == FORGED
    with pytest.raises(InvalidInput):
        secret_bytes(sign, "whsec_%%%")


def test_a_secret_in_the_header_itself():
    sign = Signature(header="Authorization", algorithm="token", prefix="Bearer ")
    assert judged(sign, {"authorization": f"Bearer {SECRET}"}) == ""
    assert judged(sign, {"authorization": "Bearer guess"}) == FORGED
    assert judged(sign, {"authorization": SECRET}) == UNSIGNED


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha512"])
def test_hashes_that_are_in_use(algorithm):
    sign = Signature(header="X-Hub-Signature", algorithm=algorithm, prefix=f"{algorithm}=")
    told = hmac.new(SECRET.encode(), BODY, getattr(hashlib, algorithm)).hexdigest()
    assert judged(sign, {"x-hub-signature": f"{algorithm}={told}"}) == ""


@pytest.mark.parametrize(
    "value", ["zz", "é" * 64, "A" * 100_000, "=", "v1=", "\x00", ",".join(["v1=ab"] * 1000)]
)
def test_nonsense_is_not_believed(value):
    for sign in (
        Signature(header="X-S"),
        Signature(header="X-S", prefix="v1="),
        Signature(header="X-S", encoding="base64"),
    ):
        assert judged(sign, {"x-s": value}) in (FORGED, UNSIGNED)


@pytest.mark.parametrize(
    "wrong",
    [
        {"header": "X S"}, {"header": "X", "algorithm": "md5"}, {"header": "X", "encoding": "base32"},
        {"header": "X", "key": "hexx"}, {"header": "X", "tolerance_seconds": 0},
        {"header": "X", "signed": "{timestamp}.{body}"}, {"header": "X", "signed": "{path}{body}"},
        {"header": "X", "signed": "nothing"},
    ],
)  # fmt: skip
def test_a_description_that_cannot_be_is_refused(wrong):
    with pytest.raises(InvalidInput):
        checked(Signature(**wrong))
