"""demo, refresh, rebuild, report, serve on a hundredth of the sample shop."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import msgspec
import pytest
from tests.deliveries import until

import shopkeeper
from shopkeeper.domain.report import Report


@pytest.fixture(scope="module")
def sample_folder(sample_shop, tmp_path_factory):
    """The folder of a sample shop of one's own: a copy of the common one, which nobody writes to."""
    folder = tmp_path_factory.mktemp("sample") / "shop"
    return shutil.copytree(
        sample_shop.places.folder, folder, ignore=shutil.ignore_patterns("exports", "truth")
    )


def test_the_report_is_printed_and_written_as_data(cli, sample_folder, tmp_path):
    to = tmp_path / "report.json"
    done = cli("report", "--json", to, "--shop", sample_folder)
    assert done.exit_code == 0, done.output
    report = msgspec.json.decode(to.read_bytes(), type=Report)
    assert f"{report.people.customers:,} customers stand behind {report.people.identities:,}" in done.stdout
    for done_import in report.imports:
        assert done_import.read == done_import.kept + done_import.repeated + done_import.quarantined
    for part in ("simulated", "Most valuable customers", "Best categories", " is used", "exact sum"):
        assert part in done.stdout, part
    assert report.most_valuable[0].id
    assert "\x1b" not in done.stdout


def test_the_report_as_data_alone_goes_to_standard_output(cli, sample_folder):
    done = cli("report", "--json", "-", "--shop", sample_folder)
    assert msgspec.json.decode(done.stdout, type=Report).people.customers > 0


def test_demo_builds_a_shop_and_reports(cli, tmp_path):
    into, to = tmp_path / "demo", tmp_path / "demo.json"
    done = cli("demo", "--size", "0.005", "--seed", "3", "--no-serve", "--into", into, "--json", to)
    assert done.exit_code == 0, done.output
    assert "customers stand behind" in done.stdout
    assert "Look at a customer" in done.stdout
    assert re.search(r"^\S.* \d+\.\d s$", done.stderr, re.MULTILINE), "steps are timed apart"
    assert json.loads(to.read_bytes())["simulated"]
    assert (into / "shop.toml").is_file()


@pytest.mark.parametrize("size", ["0", "-1", "1000", "big"])
def test_demo_refuses_sizes_that_mean_nothing(cli, tmp_path, size):
    assert cli("demo", "--size", size, "--no-serve", "--into", tmp_path / "demo").exit_code == 2


def test_refresh_and_rebuild_change_no_figure(cli, sample_folder):
    before = msgspec.json.decode(cli("report", "--json", "-", "--shop", sample_folder).stdout, type=Report)
    folded = cli("rebuild", "--shop", sample_folder)
    assert folded.exit_code == 0, folded.output
    assert re.search(r"Folded [\d,]+ events anew", folded.stdout)
    refreshed = cli("refresh", "--shop", sample_folder)
    assert refreshed.exit_code == 0, refreshed.output
    assert "Refreshed in" in refreshed.stdout
    after = msgspec.json.decode(cli("report", "--json", "-", "--shop", sample_folder).stdout, type=Report)
    assert (after.people, after.trade, after.categories, after.states) == (
        before.people,
        before.trade,
        before.categories,
        before.states,
    )


def test_serve_answers_until_it_is_stopped(sample_folder):
    words = ["shopkeeper", "serve", "--port", "0", "--shop", str(sample_folder)]
    script = f"import sys; sys.argv = {words!r}; from shopkeeper.cli import main; main()"
    server = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    try:
        address = next(
            found[1]
            for line in server.stdout
            if (found := re.search(r"running on (http://[\d.]+:\d+)", line))
        )
        with urllib.request.urlopen(f"{address}/api/v1/health") as answer:
            assert json.load(answer)["status"] == "ok"
    finally:
        server.send_signal(signal.SIGINT)
        server.communicate(timeout=120)
    assert server.returncode in {0, 130}


def test_a_demo_ends_at_a_page_and_takes_in_what_is_sent_to_it(tmp_path):
    into = tmp_path / "demo"
    words = ["shopkeeper", "demo", "--size", "0.003", "--port", "0", "--into", str(into)]
    script = f"import sys; sys.argv = {words!r}; from shopkeeper.cli import main; main()"
    server = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    try:
        link = next(
            found
            for line in server.stdout
            if (found := re.search(r"(http://[\d.]+:\d+)/enter\?token=\S+", line))
        )
        with urllib.request.urlopen(link[0]) as page:
            assert "Sign in as demo@example.com" in page.read().decode()
        with shopkeeper.open(into) as shop:
            key = shop.add_source("web", "tracking")
            told = {"writeKey": key, "userId": "somebody-new", "event": "Product Viewed", "messageId": "1"}
            sent = urllib.request.Request(f"{link[1]}/v1/track", data=json.dumps(told).encode())
            until(lambda: answers(sent))  # another process hears of a new source within a moment
            until(lambda: shop.source_totals().get("web"))
            assert len(shop.timeline("user_id:somebody-new").entries) == 1
    finally:
        server.send_signal(signal.SIGINT)
        said, _ = server.communicate(timeout=120)
    assert server.returncode in {0, 130}
    assert "leaked" not in said


def answers(request):
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status == 200
    except urllib.error.HTTPError as error:
        error.close()
        return False
