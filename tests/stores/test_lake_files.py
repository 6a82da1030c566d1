"""The lake's files: what a crash leaves, who sweeps it, what is gone after forgetting, what damage is told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from datetime import UTC, datetime

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shopkeeper.domain import event as declared
from shopkeeper.domain.errors import InvalidInput, StoreBusy, StoreDamaged, StoreFull, StoreTooNew
from shopkeeper.stores.contract.lake import Manifest
from shopkeeper.stores.lake import files, open_lake
from shopkeeper.stores.lake.lake import ParquetLake
from shopkeeper.stores.lake.lock import writing

AT = 1_294_045_200_000_000
COUNT = "SELECT count(*) AS n FROM events"


def event(seq, name="Product Viewed", node=1, version=1, at=AT, **facts):
    return {
        "seq": seq, "name": name, "version": version, "source": "web", "brand": "", "channel": "web",
        "occurred_at": at + seq, "received_at": at + seq, "node": node, "payload": json.dumps(facts),
    }  # fmt: skip


def tell(lake, *rows):
    with lake.change() as change:
        change.log(pa.RecordBatch.from_pylist(list(rows)))


def count(lake):
    return lake.query(COUNT).to_pylist()[0]["n"]


def on_disk(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*.parquet")}


def listed(lake):
    return {file.path for files in lake.manifest().tables.values() for file in files}


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "lake"


@pytest.fixture
def lake(folder):
    lake = open_lake(folder)
    yield lake
    lake.close()


CRASH = """
import os, sys
import pyarrow as pa
from pathlib import Path
from shopkeeper.stores.lake import open_lake, manifest
lake = open_lake(Path(sys.argv[1]))
if sys.argv[2] == "before the swap":
    manifest.write = lambda *_: os._exit(9)
else:
    sync = manifest.sync_folder
    manifest.sync_folder = lambda folder: os._exit(9) if folder.name == "lake" and swapped(folder) else sync(folder)
def swapped(folder):
    return manifest.read(folder).generation == 2
with lake.change() as change:
    change.log(pa.RecordBatch.from_pylist(eval(sys.argv[3])))
"""


@pytest.mark.parametrize(("moment", "rows"), [("before the swap", 1), ("after it", 2)])
def test_a_crash_leaves_the_old_lake_or_the_new_one(lake, folder, moment, rows):
    tell(lake, event(1))
    crashed = subprocess.run(
        [sys.executable, "-c", CRASH, str(folder), moment, repr([event(2)])], check=False
    )
    assert crashed.returncode == 9
    assert len(on_disk(folder)) == 2  # one of them nobody lists, in the first case
    with_leftovers = open_lake(folder)
    assert count(with_leftovers) == rows
    assert on_disk(folder) == listed(with_leftovers)
    assert with_leftovers.verify() == []
    with_leftovers.close()


def test_only_garbage_of_ours_is_swept_and_never_beside_a_writer(lake, folder):
    tell(lake, event(1))
    left = folder / "events/month=2011-01/g00000002-0123456789abcdef.parquet"
    aside = folder / "manifest.json.0123456789ab.tmp"
    foreign = folder / "events/notes.parquet"
    dead, alive = folder / ".spill-999999999-01234567", folder / f".spill-{os.getpid()}-01234567"
    for path in (left, aside, foreign):
        path.write_bytes(b"x")
    for path in (dead, alive):
        path.mkdir()
        (path / "block").write_bytes(b"x")
    with writing(folder, patience=0):
        open_lake(folder).close()
        assert left.exists()
    open_lake(folder).close()
    assert not left.exists()
    assert not aside.exists()
    assert not dead.exists()
    assert foreign.exists()
    assert alive.exists()
    assert count(lake) == 1


def test_replaced_files_stay_one_generation_for_readers(lake, folder):
    for generation in range(1, 4):
        with lake.change() as change:
            change.replace("stores", pa.table({"store_id": [f"S{generation}"]}))
        assert len(on_disk(folder)) == min(generation, 2)


def test_forgetting_leaves_no_byte_of_the_person(lake, folder):
    tell(lake, event(1, node=424242, campaign_id="a-secret-campaign"), event(2, node=5))
    tell(
        lake,
        event(3, "Order Completed", node=424242, order_id="o1", amount=5),
        event(4, node=424242, category="hush"),
    )
    lake.compact()  # what was merged is still there for readers, and must go as well
    left = folder / "events/month=2011-01/g00000009-0123456789abcdef.parquet"
    left.write_bytes(b"a-secret-campaign")
    assert lake.forget([424242]) == 3
    assert on_disk(folder) == listed(lake)
    for path in folder.rglob("*"):
        if path.is_file():
            assert b"a-secret-campaign" not in path.read_bytes()
        if path.suffix == ".parquet":
            cells = pq.read_table(path).to_pylist()
            assert not any({424242, "a-secret-campaign", "hush"} & set(row.values()) for row in cells)
            assert (424242).to_bytes(8, "little") not in path.read_bytes()
    assert lake.query("SELECT order_id, node FROM events ORDER BY seq").to_pylist() == [
        {"order_id": None, "node": 5},
        {"order_id": "o1", "node": 0},
    ]


def test_damage_is_told_and_not_answered_around(lake, folder):
    tell(lake, event(1), event(2, at=AT + 40 * 86_400_000_000))
    path = folder / next(iter(sorted(listed(lake))))
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    assert "bytes instead of" in lake.verify()[0]
    with pytest.raises(StoreDamaged, match="instead of"):
        lake.query(COUNT)
    path.write_bytes(whole[:10] + bytes(len(whole) - 10))
    assert lake.verify() == [f"{path.relative_to(folder).as_posix()} is not what was written"]
    with pytest.raises(StoreDamaged, match="not what was written"):
        lake.query(COUNT)
    path.unlink()
    with pytest.raises(StoreDamaged, match="missing"):
        open_lake(folder).query(COUNT)
    with pytest.raises(StoreDamaged, match="missing"):
        lake.forget([1])


def test_a_lost_manifest_is_damage_and_sweeps_nothing(lake, folder):
    tell(lake, event(1))
    before = on_disk(folder)
    (folder / "manifest.json").unlink()
    with pytest.raises(StoreDamaged, match="manifest"):
        open_lake(folder)
    with pytest.raises(StoreDamaged, match="manifest"):
        lake.manifest()
    assert on_disk(folder) == before


@pytest.mark.parametrize("text", [b"", b"{", b'{"generation": "many"}', b"[]"])
def test_an_unreadable_manifest_is_damage(lake, folder, text):
    (folder / "manifest.json").write_bytes(text)
    with pytest.raises(StoreDamaged, match="cannot be read"):
        open_lake(folder)


@pytest.mark.parametrize("path", ["/etc/x.parquet", "events/../../x.parquet", "events/x.csv"])
def test_a_manifest_may_only_name_files_of_the_lake(lake, folder, path):
    (folder / "manifest.json").write_text(
        json.dumps({"tables": {"events": [{"path": path, "rows": 1, "bytes": 1}]}}), encoding="utf-8"
    )
    with pytest.raises(StoreDamaged, match="not the lake's"):
        open_lake(folder)


def test_a_lake_of_a_newer_layout_is_left_alone(folder):
    folder.mkdir()
    (folder / "manifest.json").write_bytes(msgspec.json.encode(Manifest(schema_version=99)))
    with pytest.raises(StoreTooNew, match="99"):
        open_lake(folder)


def test_a_moved_lake_is_the_same_lake(lake, folder, tmp_path):
    tell(lake, event(1))
    lake.close()
    moved = folder.rename(tmp_path / "it's elsewhere")
    again = open_lake(moved)
    tell(again, event(2))
    assert (count(again), again.verify()) == (2, [])
    again.close()


def test_a_full_disk_loses_nothing_and_keeps_nothing(lake, folder):
    resource = pytest.importorskip("resource", reason="limits on file sizes are a matter of POSIX")
    tell(lake, event(1))
    before = on_disk(folder)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, hard))
    try:
        with pytest.raises(StoreFull):
            tell(lake, *(event(seq, category=f"c{seq * 7919 % 10007}") for seq in range(2, 3000)))
        with pytest.raises(StoreFull), lake.change() as change:
            change.replace("stores", pa.table({"store_id": [str(n * 7919 % 10007) for n in range(3000)]}))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert on_disk(folder) == before
    assert (count(lake), lake.verify()) == (1, [])
    tell(lake, event(2))
    assert count(lake) == 2


def test_a_second_writer_waits_and_then_is_told(lake, folder):
    hasty = ParquetLake(folder, memory_limit="500MB", threads=1, patience=0.05)
    with lake.change() as change:
        change.log(pa.RecordBatch.from_pylist([event(1)]))
        with pytest.raises(StoreBusy, match="another process"):
            hasty.compact()
    tell(hasty, event(2))
    lake.manifest()
    assert count(lake) == 2
    hasty.close()


def test_threads_ask_while_another_writes(lake):
    tell(lake, event(1))
    done, seen, failed = threading.Event(), [], []

    def ask():
        try:
            while not done.is_set():
                seen.append(count(lake))
        except Exception as error:  # noqa: BLE001  whatever it is, the test shows it
            failed.append(error)

    askers = [threading.Thread(target=ask) for _ in range(2)]
    for asker in askers:
        asker.start()
    for seq in range(2, 6):
        tell(lake, event(seq))
    lake.compact()
    lake.forget([1])
    done.set()
    for asker in askers:
        asker.join()
    assert failed == []
    assert set(seen) <= {0, 1, 2, 3, 4, 5}
    assert count(lake) == 0


def test_many_rows_are_written_in_several_files_and_merged(folder, monkeypatch):
    from shopkeeper.stores.lake import change as making

    monkeypatch.setattr(making, "_SHRED_BYTES", 1)
    monkeypatch.setattr(making.Change.__init__, "__kwdefaults__", {"flush_rows": 2})
    lake = open_lake(folder)
    with lake.change() as change:
        for seq in range(1, 6):
            change.log(pa.RecordBatch.from_pylist([event(seq)]))
    assert len(listed(lake)) == 3
    assert count(lake) == 5
    assert lake.compact() == 2
    lake.close()


def test_little_memory_spills_beside_the_lake_and_tidies_up(folder):
    lake = open_lake(folder, memory_limit="60MB", threads=1)
    question = """
        SELECT max(place) AS n
        FROM (SELECT row_number() OVER (ORDER BY hash(i), i) AS place FROM range(2000000) AS t(i))
    """
    assert lake.query(question).to_pylist() == [{"n": 2_000_000}]
    lake.close()
    assert [path.name for path in folder.iterdir() if path.name.startswith(".spill")] == []
    with pytest.raises(InvalidInput, match="settings"):
        open_lake(folder, memory_limit="much").query("SELECT 1")


ASK = """
import sys
from pathlib import Path
from shopkeeper.stores.lake import open_lake
lake = open_lake(Path(sys.argv[1]))
zone = "current_setting('TimeZone') AS z"
print(lake.query(f"SELECT {zone}, CAST(date_trunc('day', occurred_at) AS VARCHAR) AS d FROM events").to_pylist())
"""


def test_the_machine_s_time_zone_does_not_matter(folder):
    lake = open_lake(folder)
    tell(lake, event(1, at=int(datetime(2011, 1, 1, 0, 30, tzinfo=UTC).timestamp()) * 1_000_000))
    lake.close()
    told = subprocess.run(
        [sys.executable, "-c", ASK, str(folder)],
        env={"TZ": "America/New_York"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == "[{'z': 'UTC', 'd': '2011-01-01 00:00:00+00'}]"


def test_payloads_of_an_older_version_are_read_as_today_s(lake, monkeypatch):
    row = declared.EVENTS["Product Viewed"]
    monkeypatch.setitem(declared.EVENTS, "Product Viewed", msgspec.structs.replace(row, version=3))
    for version, old, new in ((1, "group", "kind"), (2, "kind", "category")):
        step = declared.Upcaster("Product Viewed", version, lambda facts, o=old, n=new: {n: facts[o]})
        monkeypatch.setitem(declared.UPCASTERS, ("Product Viewed", version), step)
    tell(
        lake, event(1, group="Lamps"), event(2, version=2, kind="Mugs"), event(3, version=3, category="Toys")
    )
    rows = lake.query("SELECT category FROM events ORDER BY seq").to_pylist()
    assert [row["category"] for row in rows] == ["Lamps", "Mugs", "Toys"]


def test_a_process_that_runs_is_known():
    assert files.is_running(os.getpid())
    assert not files.is_running(999_999_999)
