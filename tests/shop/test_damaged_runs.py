"""Runs that are damaged, foreign, unfinished or overtaken hold up nothing: no refresh, and no erasure."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from random import Random

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.events import DAY, order, put

import shopkeeper
from shopkeeper.domain.errors import BadFile, Conflict
from shopkeeper.shop import Shop
from shopkeeper.shop.places import Places
from shopkeeper.shop.predicting import runs, writing
from shopkeeper.shop.predicting.worths import choice_of

NOW = "2026-05-01T12:00:00+00:00"


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop of 40 customers, refreshed once."""
    folder = tmp_path_factory.mktemp("damaged") / "shop"
    chance = Random(3)
    with shopkeeper.create(folder, currency="EUR", now=NOW) as shop:
        put(shop, *(
            order(f"{who}-{n}", -int((chance.random() * 100 + 40 * n) * DAY), ids={"user_id": f"u{who}"})
            for who in range(40) for n in range(chance.randint(1, 6))
        ))  # fmt: skip
        shop.refresh()
    return folder


@pytest.fixture
def folder(once: Path, tmp_path: Path) -> Path:
    return shutil.copytree(once, tmp_path / "shop")


def place(folder: Path) -> Path:
    """The folder of the only run."""
    (found,) = folder.glob("models/[0-9]*")
    return found


def no_parquet(folder: Path) -> None:
    (place(folder) / runs.PREDICTIONS).write_bytes(b"x" * 100)


def another_table(folder: Path) -> None:
    pq.write_table(pa.table({"customer": ["a"], "clv_12m": ["b"]}), place(folder) / runs.PREDICTIONS)


def broken_pages(folder: Path) -> None:
    file = place(folder) / runs.PREDICTIONS
    body = bytearray(file.read_bytes())
    body[4 : len(body) // 2] = b"\xff" * (len(body) // 2 - 4)
    file.write_bytes(bytes(body))


@pytest.mark.parametrize("damage", [another_table, broken_pages])
def test_predictions_that_cannot_be_read_go_with_whom_is_erased_and_hold_up_nothing(
    damage, folder: Path
) -> None:
    damage(folder)
    with shopkeeper.open(folder) as shop:
        with pytest.raises(BadFile, match=r"run \d+ cannot be read"):
            shop.predicted()
        assert shop.predictions("user_id:u1").points == ()
        assert "models" in shop.erase("user_id:u3").places
        assert not (place(folder) / runs.PREDICTIONS).exists(), "nobody can tell whom it still holds"
        shop.refresh()
        assert shop.predicted().num_rows == 39


def test_a_refresh_goes_on_beside_a_damaged_run_and_compares_with_none(folder: Path) -> None:
    no_parquet(folder)
    with shopkeeper.open(folder) as shop:
        shop.refresh()
        assert shop.predicted().num_rows == 40
        assert shop.value().drift == ()


def test_a_run_in_force_that_is_nowhere_is_as_before_the_first_refresh(folder: Path) -> None:
    shutil.rmtree(place(folder))
    with shopkeeper.open(folder) as shop:
        with pytest.raises(Conflict):
            shop.value()
        shop.refresh()
        assert shop.value().total.customers == 40


def test_runs_of_a_shop_that_did_not_note_them_were_in_force_up_to_its_present_one(folder: Path) -> None:
    first = int(place(folder).name)
    shutil.copytree(place(folder), folder / "models" / str(first + 1))  # a killed refresh left it
    with shopkeeper.open(folder) as shop:
        shop.places.ledger.write(lambda tx: tx.session.run("DELETE FROM setting WHERE name = 'runs'"))
        assert runs.runs(shop.places) == [first]
        shop.refresh()
        assert [one.run for one in shop.value().drift] == [first]
        assert runs.runs(shop.places)[0] == first
        assert len(runs.runs(shop.places)) == 2


def test_folders_that_are_no_runs_are_not_taken_for_any(folder: Path) -> None:
    for name in ("9" * 15, "9" * 18, "12x"):
        shutil.copytree(place(folder), folder / "models" / name)
        with shopkeeper.open(folder) as shop:
            assert len(runs.runs(shop.places)) == 1
        shutil.rmtree(folder / "models" / name)


def test_a_run_that_goes_while_somebody_reads_is_passed_over(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refresh in another process removes runs that are not to be kept any longer."""
    with shopkeeper.open(folder) as shop:
        here = runs.runs(shop.places)
        monkeypatch.setattr(runs, "runs", lambda _: [1_000, *here])
        assert len(shop.predictions("user_id:u1").points) == 1


def test_what_another_version_chose_is_chosen_again(folder: Path) -> None:
    file = place(folder) / runs.MANIFEST
    choice = {"pick": "a model of tomorrow", "cards": [], "window_days": 7, "n": 9}
    file.write_text(json.dumps(json.loads(file.read_text()) | {"choice": choice}))
    with shopkeeper.open(folder) as shop:
        assert shop.worth(horizon=float("inf")).num_rows == 40
        shop.refresh()
        assert shop.value().choice["pick"] in {card.name for card in shop.value().scores}
        current = runs.current(shop.places)
    assert current is not None
    assert choice_of(current) is not None
    assert choice_of(msgspec.structs.replace(current, choice={})) is None


def test_other_settings_are_no_drift(folder: Path) -> None:
    told = shopkeeper.settings.load(folder)
    shopkeeper.settings.save(folder, msgspec.structs.replace(told, horizon_weeks=13))
    with shopkeeper.open(folder) as shop:
        shop.refresh()
        (drift,) = shop.value().drift
    (change,) = drift.changes
    assert change.name == "13 weeks at 10 % instead of 52 weeks at 10 %"
    assert change.value == pytest.approx(drift.value - drift.value_before, abs=1e-6)
    assert "13 weeks" in drift.warnings[0]
    assert [one.name for one in drift.shifts] == ["p_alive"]


def test_a_run_that_was_killed_leaves_its_number_taken(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock of a sample shop stands still: the next run would write beside what the killed one left."""
    with shopkeeper.open(folder) as shop:
        with monkeypatch.context() as patch:
            patch.setattr(runs, "keep", killed)
            with pytest.raises(OSError, match="disk"):
                shop.refresh()
        shop.refresh()
        assert shop.predicted().num_rows == 40


def killed(*_: object, **__: object) -> None:
    raise OSError(28, "the disk is full")


@pytest.mark.parametrize(
    "step",
    [
        "refreshing.write", "runs._put", "refreshing.drifts", "refreshing.make_current", "writing.put_in_force",
        "runs.prune", "runs.discard", "feeding.feed",
    ],
)  # fmt: skip
def test_a_refresh_that_is_killed_shows_a_run_nowhere_before_it_is_in_force(
    step: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is asked tells of one run: customers of the ledger's, what is added up over the lake of the lake's."""
    (before,) = (int(one.name) for one in folder.glob("models/[0-9]*"))
    (folder / "models" / "1000").mkdir()  # something for the step that removes what killed ones left
    shutil.copy(place_of(folder, before) / runs.PREDICTIONS, folder / "models" / "1000")
    with shopkeeper.open(folder) as shop:
        put(shop, *(order(f"new{who}", -DAY, ids={"user_id": f"u{who}"}) for who in range(0, 40, 2)))
        with monkeypatch.context() as patch:
            patch.setattr(f"shopkeeper.shop.{'predicting.' if step != 'feeding.feed' else ''}{step}", killed)
            with pytest.raises(OSError, match="disk"):
                shop.refresh()
    swung = step in ("runs.prune", "runs.discard", "feeding.feed")
    with shopkeeper.open(folder) as shop:
        now = runs.current(shop.places)
        assert now is not None
        assert (now.run > before) == swung
        assert runs.runs(shop.places) == ([before, now.run] if swung else [before])
        says_one(shop, now.run)
        report, drawn = shop.value(), runs.manifest(shop.places, before)
        assert drawn is not None
        assert (report.as_of, len(report.runs)) == (drawn.as_of, 1)
        assert report.total.value == pytest.approx(drawn.value, abs=0.1)
        shop.refresh()
        last = runs.current(shop.places)
        assert last is not None
        says_one(shop, last.run)
        report = shop.value()
        assert report.total.value == pytest.approx(last.value, abs=0.1)
        assert report.drift[0].run == now.run
        assert runs.runs(shop.places)[-1] == last.run
        assert set(runs.runs(shop.places)) <= {before, now.run, last.run}
        assert 1000 not in runs.folders(shop.places)


def says_one(shop: Shop, run: int) -> None:
    """What is said of customers, now and as it was predicted, is of this run."""
    told = shop.predicted()
    assert int(told.schema.metadata[b"run"]) == run
    ids = told["customer"].to_pylist()
    with shop.places.ledger.read() as reader:
        said = {who: row.clv for who, row in reader.predictions(ids).items()}
    assert said == dict(zip(ids, told["clv_12m"].to_pylist(), strict=True))


def place_of(folder: Path, run: int) -> Path:
    return folder / "models" / str(run)


def test_of_two_refreshes_at_once_the_one_that_began_later_stays_in_force(folder: Path) -> None:
    with shopkeeper.open(folder) as shop:
        earlier = writing.next_run(shop.places)
        inside_another(shop, earlier)
        with shop.places.ledger.read() as reader:
            later = int(reader.setting("run") or 0)
            assert later > earlier
        assert shop.customers("clv_12m >= 0").num_rows == 40
        current = runs.current(shop.places)
        assert current is not None
        assert current.run == later == shop.places.lake.manifest().run
        assert earlier not in runs.folders(shop.places)


def test_what_an_overtaken_refresh_writes_when_the_later_one_is_in_force_goes_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with shopkeeper.open(folder) as shop:

        def overtaken(places: Places) -> int:
            monkeypatch.undo()
            number = writing.next_run(places)
            shop.refresh()
            return number

        monkeypatch.setattr("shopkeeper.shop.predicting.refreshing.next_run", overtaken)
        shop.refresh()
        with shop.places.ledger.read() as reader:
            said = {run for chunk in reader.all_foretold() for run, *_ in chunk}
            assert said == {runs.number_in_force(reader)}


def inside_another(shop: Shop, number: int) -> None:
    """A whole refresh, while one that began before it has written what it foretells and not yet made it current."""
    from shopkeeper.shop.predicting import refreshing

    real = refreshing.next_run
    try:
        refreshing.next_run = lambda _: number
        keep = refreshing.runs.keep

        def beside(*told: object) -> None:
            refreshing.runs.keep, refreshing.next_run = keep, real
            shop.refresh()
            keep(*told)

        refreshing.runs.keep = beside
        shop.refresh()
    finally:
        refreshing.runs.keep, refreshing.next_run = keep, real
