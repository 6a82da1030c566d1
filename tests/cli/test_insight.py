"""segment compare, channels and suggest."""

from __future__ import annotations


def test_what_a_group_has_in_common(cli, sample_shop):
    found = sample_shop.compare("orders >= 3", "orders = 1")
    told = cli(
        "segment",
        "compare",
        "orders >= 3",
        "--with",
        "orders = 1",
        "--limit",
        3,
        "--shop",
        sample_shop.places.folder,
    )
    assert told.exit_code == 0, told.output
    assert f"{found.group:,} customers beside {found.rest:,}" in told.stdout
    assert f"{len(found.facts)} of {found.tested} facts" in told.stdout
    assert "are so because the segment is made so" in told.stdout
    buyers = cli(
        "segment", "compare", "orders >= 3", "--with", "other buyers", "--shop", sample_shop.places.folder
    )
    assert buyers.exit_code == 0, buyers.output
    assert f"beside {sample_shop.compare('orders >= 3', 'other buyers').rest:,}" in buyers.stdout


def test_what_cannot_be_understood_is_said(cli, sample_shop):
    told = cli("segment", "compare", "ordrs >= 3", "--shop", sample_shop.places.folder)
    assert told.exit_code == 2
    assert "unknown trait 'ordrs'" in told.output


def test_which_channels_do_what(cli, sample_shop):
    found = sample_shop.channels_of()
    told = cli("segment", "channels", "--shop", sample_shop.places.folder)
    assert told.exit_code == 0, told.output
    assert f"{found.orders:,} orders" in told.stdout
    assert all(part.channel in told.stdout for part in found.parts)


def test_what_is_suggested(cli, sample_shop):
    told = cli("segment", "suggest", "--shop", sample_shop.places.folder)
    assert told.exit_code == 0, told.output
    rows = sample_shop.suggestions().rows
    assert rows
    assert all(row.key.replace("_", "-") in told.stdout for row in rows)
