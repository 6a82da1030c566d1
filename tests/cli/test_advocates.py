"""insight regulars, advocates and advocate."""

from __future__ import annotations


def test_regulars_and_advocates_on_the_terminal(cli, sample_shop):
    folder = sample_shop.places.folder
    told = cli("insight", "regulars", "--shop", folder)
    assert told.exit_code == 0, told.output
    found = sample_shop.regulars()
    assert f"{found.regulars:,} regular" in told.stdout
    assert "four gaps" in " ".join(told.stdout.split())
    told = cli("insight", "advocates", "--sort", "score", "--limit", 5, "--shop", folder)
    assert told.exit_code == 0, told.output
    rows = sample_shop.advocates(sort="score", most=5).rows
    assert rows
    assert all(row.name.split()[0] in told.stdout for row in rows)
    told = cli("insight", "advocate", rows[0].id, "--shop", folder)
    assert told.exit_code == 0, told.output
    assert f"advocacy {rows[0].score:.0f} of 100" in told.stdout
    assert cli("insight", "advocates", "--sort", "charm", "--shop", folder).exit_code != 0
