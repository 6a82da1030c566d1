"""backup, restore, doctor."""

from __future__ import annotations

import shopkeeper


def test_a_backup_restored_elsewhere_is_the_same_shop(cli, new_shop, orders_file, tmp_path):
    cli("import", orders_file, "--kind", "orders", "--shop", new_shop)
    cli("refresh", "--shop", new_shop)
    made = cli("backup", "--to", tmp_path / "safe", "--shop", new_shop)
    assert made.exit_code == 0, made.output
    path = made.stdout.split("Backed up to", 1)[1].strip().replace("\n", "")
    done = cli("restore", path, tmp_path / "again")
    assert done.exit_code == 0, done.output
    assert "Corner shop" in done.stdout
    for who in ("anna@example.com", "bela@example.com"):
        assert (
            cli("customer", who, "--shop", tmp_path / "again").stdout
            == cli("customer", who, "--shop", new_shop).stdout
        )
    with shopkeeper.open(tmp_path / "again") as shop, shopkeeper.open(new_shop) as old:
        assert shop.health()["events"] == old.health()["events"]


def test_restoring_over_something_is_refused(cli, new_shop, tmp_path):
    made = cli("backup", "--to", tmp_path / "safe", "--shop", new_shop)
    path = made.stdout.split("Backed up to", 1)[1].strip().replace("\n", "")
    done = cli("restore", path, new_shop)
    assert done.exit_code == 1
    assert done.stderr.startswith("error: ")


def test_restoring_what_is_no_backup_is_refused(cli, tmp_path):
    (tmp_path / "notes.txt").write_text("no backup")
    done = cli("restore", tmp_path / "notes.txt", tmp_path / "again")
    assert done.exit_code in {1, 2}
    assert done.stderr.startswith("error: ")
    assert not (tmp_path / "again" / "shop.toml").exists()


def test_doctor_finds_a_healthy_shop_healthy(cli, new_shop):
    for command in ("refresh", "backup"):
        assert cli(command, "--shop", new_shop).exit_code == 0
    well = cli("doctor", "--shop", new_shop)
    assert well.exit_code == 0, well.output
    assert "All is well." in well.stdout


def test_doctor_says_what_to_do_about_what_it_finds(cli, new_shop, orders_file):
    cli("import", orders_file, "--kind", "orders", "--shop", new_shop)
    ill = cli("doctor", "--shop", new_shop)
    assert ill.exit_code == 1
    assert "wait to be folded" in ill.stdout
    assert "run 'shopkeeper refresh'" in ill.stdout
    assert "All is well." not in ill.stdout


def test_doctor_on_a_shop_whose_lake_was_replaced_does_not_fall_over(cli, new_shop):
    (new_shop / "lake").rename(new_shop / "lake-lost")
    (new_shop / "lake").write_text("not a folder")
    ill = cli("doctor", "--shop", new_shop)
    assert ill.exit_code == 1
    assert "Traceback" not in ill.output
    assert "unexpected" not in ill.output
