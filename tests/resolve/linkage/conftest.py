from __future__ import annotations

import random

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from shopkeeper.resolve.keys import Keys
from shopkeeper.resolve.linkage import Person, link, people_table, prepare, train
from shopkeeper.stores.lake.linkage import splink_backend

FIRST = [
    "Robert",
    "Elizabeth",
    "Tim",
    "Maria",
    "Otto",
    "Ines",
    "Karl",
    "Judith",
    "Hugo",
    "Vera",
    "Emil",
    "Frida",
]
FIRST += ["Anton", "Greta", "Oskar", "Lena", "Paul", "Nora"]
LAST = [
    "Ziegler",
    "Amsel",
    "Brandt",
    "Curtius",
    "Dorn",
    "Eberle",
    "Falk",
    "Gruber",
    "Huber",
    "Ihde",
    "Jahn",
    "Keller",
]
LAST += ["Lorenz", "Moser", "Neff", "Ott", "Pohl"]


def one_thread():
    return splink_backend(memory_limit="1GB", threads=1)


@pytest.fixture(scope="session")
def backend():
    return one_thread


def town(people=260, *, seed=4):
    """Records of a small town with truth: two or three each, some with a slip, some with less."""
    chance = random.Random(seed)
    records, truth = [], {}
    for number in range(people):
        first, last = chance.choice(FIRST), chance.choice(LAST) + chance.choice(["", "mann", "er", "burg"])
        whole = {
            "first_name": first,
            "last_name": last,
            "birthday": f"{chance.randint(1940, 2004)}-{chance.randint(1, 12):02d}-{chance.randint(1, 28):02d}",
            "street": f"{chance.randint(1, 99)} {chance.choice(LAST)} Street",
            "city": chance.choice(["Ulm", "Kiel", "Bonn"]),
            "postcode": str(chance.randint(10_000, 10_200)),
            "email": f"{first}.{last}{number}@mail.example".lower(),
            "phone": f"07{chance.randint(100_000_000, 999_999_999)}",
        }
        for _ in range(chance.choice([2, 2, 3])):
            said = {k: v for k, v in whole.items() if chance.random() < 0.85}
            if "last_name" in said and chance.random() < 0.1:
                said["last_name"] = said["last_name"][:-1]
            if "birthday" in said and chance.random() < 0.1:
                said["birthday"] = said["birthday"][:-1] + chance.choice("0123456789")
            record = f"r{len(records):04d}"
            records.append(Person(id=record, **said))
            truth[record] = str(number)
    return people_table(records), truth


@pytest.fixture(scope="session")
def small():
    return town()


@pytest.fixture(scope="session")
def ready(small):
    return prepare(small[0], Keys("GB"))


@pytest.fixture(scope="session")
def model(ready, backend):
    return train(ready, backend)


@pytest.fixture(scope="session")
def linked(ready, model, backend):
    return link(ready, model, backend)


def known(file):
    """FEBRL 3 or fake_1000 in the columns of a table of persons, and id to truth."""
    table = pq.read_table(file)

    def text(column):
        return table[column].cast(pa.string())

    if file.stem == "febrl3":
        line = [pc.fill_null(text(c), "") for c in ("street_number", "address_1")]
        columns = {
            "id": text("rec_id"),
            "first_name": text("given_name"),
            "last_name": text("surname"),
            "birthday": text("date_of_birth"),
            "street": pc.binary_join_element_wise(*line, " "),
            "city": text("suburb"),
            "postcode": text("postcode"),
            "state": text("state"),
            "reference": text("soc_sec_id"),
        }
    else:
        columns = {
            "id": text("unique_id"),
            "first_name": text("first_name"),
            "last_name": text("surname"),
            "birthday": text("dob"),
            "city": text("city"),
            "email": text("email"),
        }
    return pa.table(columns), dict(zip(columns["id"].to_pylist(), text("cluster").to_pylist(), strict=True))


@pytest.fixture(scope="session")
def persons_of():
    return known
