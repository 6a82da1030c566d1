"""insight regulars, advocates and advocate."""

from __future__ import annotations

import msgspec

from shopkeeper.domain.advocacy import Advocate, Advocates, Regulars


def test_regulars_and_advocates_on_the_terminal(cli, sample_shop):
    folder = sample_shop.places.folder
    told = cli("insight", "regulars", "--shop", folder)
    assert told.exit_code == 0, told.output
    found = sample_shop.regulars()
    assert f"{found.regulars:,} regular" in told.stdout
    assert "four gaps" in " ".join(told.stdout.split())
    for fact in (*found.apart, *found.levers)[:12]:
        assert f"{fact.low:+.2f} to {fact.high:+.2f}" in told.stdout, "whole at any width"
    told = cli("insight", "advocates", "--sort", "score", "--limit", 5, "--shop", folder)
    assert told.exit_code == 0, told.output
    rows = sample_shop.advocates(sort="score", most=5).rows
    assert rows
    assert all(row.name.split()[0] in told.stdout for row in rows)
    told = cli("insight", "advocate", rows[0].id, "--shop", folder)
    assert told.exit_code == 0, told.output
    assert f"advocacy {rows[0].score:.0f} of 100" in told.stdout
    assert cli("insight", "advocates", "--sort", "charm", "--shop", folder).exit_code != 0


def test_regulars_and_advocates_as_data(cli, sample_shop):
    told = {
        Regulars: (["regulars"], sample_shop.regulars()),
        Advocates: (["advocates", "--limit", 3], sample_shop.advocates(most=3)),
        Advocate: (["advocate", "c1"], sample_shop.advocate("c1")),
    }
    for shape, (words, found) in told.items():
        said = cli("insight", *words, "--json", "-", "--shop", sample_shop.places.folder)
        assert said.exit_code == 0, said.output
        got = msgspec.json.decode(said.stdout, type=shape)
        assert got == found
        assert got.currency == sample_shop.settings.currency
