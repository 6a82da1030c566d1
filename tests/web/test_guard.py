"""Who may ask, and what every answer carries."""

from __future__ import annotations

import re
import signal
import subprocess
import sys

import httpx
import pytest

import shopkeeper
from shopkeeper.web.render import STATIC, environment

OWN = ["127.0.0.1", "127.0.0.1:8765", "localhost:1", "LOCALHOST", "[::1]:8765"]
FOREIGN = [
    "evil.example",
    "evil.example:8765",
    "127.0.0.1.evil.example",
    "localhost.evil.example:80",
    "10.0.0.7",
    "",
]
PATHS = ["/", "/customers", "/api/v1/health", "/static/css/page.css", "/nothing"]


@pytest.mark.parametrize("host", OWN)
def test_a_loopback_name_is_answered(client, host):
    assert client.get("/api/v1/health", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("host", FOREIGN)
@pytest.mark.parametrize("path", PATHS)
def test_a_foreign_name_is_refused_everywhere(client, host, path):
    answer = client.get(path, headers={"host": host})
    assert answer.status_code == 421
    assert answer.json()["error"]["code"] == "wrong_host"


@pytest.mark.parametrize("path", PATHS)
def test_the_head_alone_is_the_head_of_the_whole(client, path):
    head, whole = client.head(path), client.get(path)
    assert head.status_code == whole.status_code
    assert head.content == b""
    for name in ("content-type", "content-length", "content-security-policy"):
        assert head.headers.get(name) == whole.headers.get(name), name


def test_a_forwarded_name_does_not_help(client):
    answer = client.get("/", headers={"host": "evil.example", "x-forwarded-host": "127.0.0.1"})
    assert answer.status_code == 421


def test_behind_a_proxy_every_name_is_answered(sample_shop, visit):
    with visit(sample_shop, None, hosts=None) as http:
        assert http.get("/api/v1/health", headers={"host": "crm.example.com"}).status_code == 200


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_carries_the_headers(client, path):
    headers = client.get(path).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["x-frame-options"] == "DENY"


def test_persons_are_not_cached_and_files_are(client, buyer):
    assert client.get(f"/customers/{buyer.id}").headers["cache-control"] == "no-store"
    assert client.get(f"/api/v1/profiles/{buyer.id}").headers["cache-control"] == "no-store"
    assert "immutable" in client.get("/static/css/page.css").headers["cache-control"]


@pytest.mark.parametrize(
    "path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2f..%2fsettings.py"]
)
def test_nothing_outside_the_static_folder_is_served(client, path):
    answer = client.get(path)
    assert answer.status_code == 404
    assert "create_app" not in answer.text


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_the_door_only_reads(client, method):
    mark = re.search(r'name="csrf" value="(\w+)"', client.get("/account").text)[1]
    answer = getattr(client, method)("/api/v1/customers", headers={"x-csrf-token": mark})
    assert answer.status_code == 405
    assert answer.json()["error"]["code"] == "method_not_allowed"


def test_no_template_names_another_host_or_carries_code():
    env = environment()
    for name in env.list_templates():
        source, _, _ = env.loader.get_source(env, name)
        assert not re.search(r"""(?:src|href|action|hx-get)=["'](?:https?:)?//""", source), name
        assert not re.search(r"<script(?![^>]*(?:src=|application/json))", source), name
        assert not re.search(r"""\s(?:on[a-z]+|style|hx-on[^=]*)=["']""", source), name


def test_vendored_files_stand_with_their_licences():
    files = {path.name for path in (STATIC / "vendor").iterdir()}
    assert {
        "htmx.min.js",
        "htmx.LICENSE.txt",
        "echarts.simple.min.js",
        "echarts.LICENSE.txt",
        "README.md",
    } <= files
    readme = (STATIC / "vendor" / "README.md").read_text("utf-8")
    for name in files - {"README.md"}:
        assert f"`{name}`" in readme, name


def test_serve_answers_until_it_is_interrupted(tmp_path):
    with shopkeeper.create(tmp_path / "shop", name="Corner shop"):
        pass
    code = (
        "import sys, shopkeeper; from shopkeeper.web.app import serve; "
        "serve(shopkeeper.open(sys.argv[1]), port=0, log_level='info')"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "shop")], stderr=subprocess.PIPE, text=True
    ) as server:
        try:
            lines = []
            for line in server.stderr:
                lines.append(line)
                if found := re.search(r"http://127\.0\.0\.1:(\d+)", line):
                    break
            else:
                pytest.fail("the server did not start: " + "".join(lines))
            address = f"http://127.0.0.1:{found[1]}"
            assert httpx.get(address + "/api/v1/health").json()["status"] == "ok"
            assert "Corner shop" in httpx.get(address, follow_redirects=True).text
            assert httpx.get(address, headers={"host": "evil.example"}).status_code == 421
        finally:
            server.send_signal(signal.SIGINT)
            rest = server.communicate(timeout=120)[1]
    assert "evil" not in rest
