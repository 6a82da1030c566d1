"""Real and simulated purchase logs for the tests of what is predicted."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from shopkeeper.predict.value import Summary, summarise
from shopkeeper.predict.value.summary import PurchaseDays, purchase_days

CALIBRATION_END = "1997-09-30"


class Log(NamedTuple):
    """Orders: who, when, how much."""

    customer: NDArray[np.str_]
    occurred_at: NDArray[np.datetime64]
    amount: NDArray[np.float64]

    def days(self) -> PurchaseDays:
        """Sum per customer and day."""
        return purchase_days(customer=self.customer, occurred_at=self.occurred_at, amount=self.amount)

    def calibration(self) -> Summary:
        """Summarise the first 39 weeks, as published."""
        return summarise(
            customer=self.customer, occurred_at=self.occurred_at, amount=self.amount, end=CALIBRATION_END
        )


def data_file(name: str) -> Path:
    """Give the path of a real log, or skip the test and say where it was looked for."""
    default = Path(__file__).resolve().parents[3] / "shared" / "data"
    path = Path(os.environ.get("SHOPKEEPER_TEST_DATA", default)) / f"{name}.parquet"
    if not path.exists():
        pytest.skip(f"{path} is not there; set SHOPKEEPER_TEST_DATA to the folder with the logs")
    return path


def read_log(name: str) -> Log:
    """Read a CDNOW file."""
    import pyarrow.parquet as pq

    rows = pq.read_table(data_file(name), columns=["customer_id", "ts", "amount"])
    return Log(*(rows[column].to_numpy() for column in ("customer_id", "ts", "amount")))


@pytest.fixture(scope="session")
def sample() -> Log:
    """The 1/10 sample of CDNOW, 2,357 customers."""
    return read_log("cdnow_sample")


@pytest.fixture(scope="session")
def full() -> Log:
    """All 23,570 customers of CDNOW."""
    return read_log("cdnow_full")


@pytest.fixture(scope="session")
def retail() -> Log:
    """Order lines of Online Retail II with a customer, without returns and free goods."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    path = data_file("online_retail_II")
    rows = pq.read_table(path, columns=["customer_id", "ts", "amount", "quantity", "order_id"])
    bought = (
        (pc.field("quantity") > 0) & (pc.field("amount") > 0) & ~pc.starts_with(pc.field("order_id"), "C")
    )
    rows = rows.filter(bought & pc.is_valid(pc.field("customer_id")) & (pc.field("customer_id") != ""))
    return Log(*(rows[column].to_numpy() for column in ("customer_id", "ts", "amount")))


@pytest.fixture(scope="session")
def retail_days(retail: Log) -> PurchaseDays:
    """The same per customer and day."""
    return retail.days()


@pytest.fixture(scope="session")
def simulated() -> Log:
    """A simulated shop of 1,500 customers over two years who buy and drop out as MBG/NBD says."""
    rng = np.random.default_rng(7)
    n, days = 1500, 728
    rate = rng.gamma(0.8, 1 / 60.0, n)
    leaves = rng.beta(0.8, 2.5, n)
    amount = rng.gamma(5.0, 1.0, n) / rng.gamma(4.0, 1 / 15.0, n)
    now = rng.integers(0, days - 60, n).astype(np.float64)
    live = np.arange(n)
    who, when, worth = [], [], []
    while live.size:
        who.append(live)
        when.append(now[live])
        worth.append(amount[live] * rng.gamma(6.0, 1 / 6.0, live.size))
        live = live[rng.random(live.size) > leaves[live]]
        now[live] += rng.exponential(1.0 / rate[live])
        live = live[now[live] < days]
    start = np.datetime64("2022-01-01")
    seconds = (np.concatenate(when) * 86_400).astype("timedelta64[s]")
    names = np.char.add("simulated-", np.concatenate(who).astype(np.str_))
    return Log(names, start + seconds, np.concatenate(worth))
