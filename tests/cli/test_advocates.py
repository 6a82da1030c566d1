"""insight regulars, advocates and advocate."""

from __future__ import annotations

import msgspec

from shopkeeper.domain.advocacy import Advocate, Advocates, Apart, Regulars
from shopkeeper.shop import Shop


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


def test_a_long_sentence_about_regulars_breaks_before_a_range_is_cut(cli, sample_shop, monkeypatch):
    fact = Apart(
        about="category", label="lighting", group=0.25, rest=0.5, effect=-0.5, certain=0.99, q=0.01,
        sentence="Bought lighting for the garden at first, on a weekday, in the shop of a town by the sea, with coupon",
        difference=-0.25, low=-0.31, high=-0.19, action="send an offer for the second purchase within a month",
    )  # fmt: skip
    found = msgspec.structs.replace(sample_shop.regulars(), apart=(fact,))
    monkeypatch.setattr(Shop, "regulars", lambda _: found)
    monkeypatch.delenv("COLUMNS")
    told = cli("insight", "regulars", "--shop", sample_shop.places.folder).stdout
    assert "-0.31 to -0.19" in told
    assert "…" not in told
    assert {"coupon", "association", "month"} <= set(told.replace(",", " ").split())


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
