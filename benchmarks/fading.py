"""Who is said to be fading, beside a fixed 90-day rule and a recency-decile rule, at equal volume, on two real logs.

Run ``python benchmarks/fading.py`` (``--quick``: one alarm day per log; ``--json FILE`` writes the rows as data). The
logs are CDNOW (23,570 customers, 1997-01 to 1998-06) and Online Retail II (2009-12 to 2011-12), looked for in
``../shared/data`` or ``SHOPKEEPER_TEST_DATA``; one that is missing is said and left out.

At each alarm day everything is learned from the log until then. Judged are the silences that began in the 90 days
before it, each with a purchase. They are followed to the end of the log, at least 270 days from the alarm day, three
times the fixed rule and longer than 97 % of all gaps that end. A customer is *gone* if nothing was bought until then. A
rule gives each silence a day on which it raises an alarm if the silence lasts until then; it counts where at least 60
days follow.

* fixed: after 90 days. decile: after as many days as the tenth of all customers that is silent longest has been silent
  on the alarm day; left out where fewer than 60 days would follow.
* own: Shopkeeper's day, its level moved until it raises as many alarms as the rival: among all, and for each group of
  customers among these, so that a group compares who is picked and when, not how many.
* precision: alarms whose customer was gone; found: gone customers who raised one; lead: days by which own comes earlier
  than the rival, on average, for gone customers of whom both raise an alarm.
* false alarms a year: alarms of customers who came back, per year of silences that ended (customers known to be still
  such), against the aim of 0.25, at Shopkeeper's own level.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from shopkeeper.predict.fading import Purchases, Rhythm, learn, limits, purchases
from shopkeeper.predict.fading.rhythm import next_gap

Row = dict[str, Any]
LOGS = {
    "cdnow_full": ("1997-06-30", "1997-07-31", "1997-08-31", "1997-09-30"),
    "online_retail_II": ("2010-09-30", "2010-12-31", "2011-03-11"),
}
BEGUN, AFTER, FIXED = 90, 60, 90
GROUPS = (
    ("1 purchase", 1, 1), ("2-3 purchases", 2, 3), ("4-9 purchases", 4, 9), ("10 and more", 10, 10**6),
    ("all", 1, 10**6),
)  # fmt: skip
AIM = 0.25
_OPEN = 10**6


def read(name: str) -> tuple[Any, Any] | None:
    """Customers and days of a log's purchases; None where it is not there."""
    import pyarrow.parquet as pq

    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    path = Path(os.environ.get("SHOPKEEPER_TEST_DATA", default)) / f"{name}.parquet"
    if not path.exists():
        print(f"{name}: left out, since {path} is not there; set SHOPKEEPER_TEST_DATA to its folder")
        return None
    import pyarrow.compute as pc

    rows = pq.read_table(path, columns=["customer_id", "ts", "amount"])
    rows = rows.filter(pc.and_(pc.greater(rows["amount"], 0), pc.is_valid(rows["customer_id"])))
    return rows["customer_id"].to_numpy(), rows["ts"].to_numpy().astype("datetime64[D]")


class Silences:
    """The silences that began before an alarm day, with what became of them."""

    def __init__(self, bought: Purchases, day: int, rhythm: Rhythm) -> None:
        gap = np.append(bought.gap[1:], 0)
        gap[bought.last] = _OPEN
        self.rows = np.flatnonzero((bought.day > day - BEGUN) & (bought.day <= day))
        self.lasted = gap[self.rows]
        self.purchases = bought.count[self.rows] + 1
        self.gone = self.lasted == _OPEN
        self.latest = int(bought.day.max()) - day - AFTER
        upto = limits(bought, rhythm)
        self._seasonal = ~np.isnan(upto.season[self.rows])
        self._by_calendar = (upto.fading - bought.day)[self.rows]
        self._following = next_gap(bought.count, bought.total, bought.cv2, rhythm.population).take(self.rows)
        self._rhythm = rhythm

    def own(self, alarms_per_year: float, most: float) -> Any:
        """The day of silence on which Shopkeeper raises an alarm."""
        rhythm = msgspec.structs.replace(self._rhythm, alarms_per_year=alarms_per_year, most=most)
        after = np.floor(rhythm.after(self._following, self.purchases - 1.0)) + 1.0
        return np.where(self._seasonal, self._by_calendar, after)

    def alarmed(self, days: Any) -> Any:
        """Which silences last until the day of their alarm, where it is early enough to be judged."""
        return (self.lasted >= days) & (days <= self.latest)

    def at_volume(self, rival: Any, inside: Any) -> Any:
        """Shopkeeper's days, its level moved until some customers raise as many alarms as by a rival's days."""
        wanted = (inside & self.alarmed(rival)).sum()
        low, high = np.log(1e-4), np.log(1e3)
        for _ in range(25):
            middle = (low + high) / 2
            if (inside & self.alarmed(self.own(float(np.exp(middle)), 0.5))).sum() < wanted:
                low = middle
            else:
                high = middle
        return self.own(float(np.exp(high)), 0.5)

    def false_a_year(self, days: Any, group: Any) -> float:
        """Alarms of customers who came back, per year of silences that ended."""
        ended = group & (self.lasted < _OPEN)
        years = self.lasted[ended].sum() / 365.25
        return float((ended & (self.lasted >= days)).sum() / years) if years else float("nan")


def compared(name: str, day: str, log: tuple[Any, Any]) -> list[Row]:
    """One alarm day of one log."""
    at = int(np.datetime64(day, "D").astype(int))
    known = purchases(customer=log[0], occurred_at=log[1], end=day)
    rhythm = learn(known, alarms_per_year=AIM)
    silences = Silences(purchases(customer=log[0], occurred_at=log[1]), at, rhythm)
    silent = at - known.day[known.last]
    decile = int(np.quantile(silent, 0.9)) + 1
    rows: list[Row] = []
    for rule, days in (("fixed", FIXED + 1), ("decile", decile)):
        if days > silences.latest:
            continue
        rival = np.full(silences.lasted.size, days)
        for group, low, high in GROUPS:
            inside = (silences.purchases >= low) & (silences.purchases <= high)
            if not inside.any():
                continue
            own = silences.at_volume(rival, inside)
            theirs, ours = (inside & silences.alarmed(one) for one in (rival, own))
            both = theirs & ours & silences.gone
            gone = inside & silences.gone
            rows.append({
                "log": name, "day": day, "rule": rule, "after": int(days), "group": group,
                "silences": int(inside.sum()), "gone": _share(gone, inside),
                "alarms": int(ours.sum()), "rival_alarms": int(theirs.sum()),
                "precision": _share(ours & gone, ours), "rival_precision": _share(theirs & gone, theirs),
                "found": _share(ours & gone, gone), "rival_found": _share(theirs & gone, gone),
                "lead": float((rival - own)[both].mean()) if both.any() else float("nan"),
            })  # fmt: skip
    own = silences.own(AIM, rhythm.most)
    for group, low, high in GROUPS:
        inside = (silences.purchases >= low) & (silences.purchases <= high)
        if inside.any():
            alarms = inside & silences.alarmed(own)
            rows.append({
                "log": name, "day": day, "rule": "", "group": group, "alarms": int(alarms.sum()),
                "precision": _share(alarms & silences.gone, alarms),
                "false_a_year": silences.false_a_year(own, inside),
                "fixed_false_a_year": silences.false_a_year(np.full(own.size, FIXED + 1), inside),
            })  # fmt: skip
    return rows


def _share(part: Any, whole: Any) -> float:
    return float(part.sum() / whole.sum()) if whole.any() else float("nan")


def show(rows: list[Row]) -> None:
    """Print the rows as two tables."""
    print(f"{'log, alarm day':30}{'rival':>12} {'group':15}{'alarms':>7}/{'rival':<6}{'precision':>10}/{'rival':<6}"
          f"{'found':>8}/{'rival':<6}{'lead, days':>11}")  # fmt: skip
    for one in rows:
        if one["rule"]:
            print(f"{one['log'] + ' ' + one['day']:30}{one['rule'] + ' ' + str(one['after']):>12} {one['group']:15}"
                  f"{one['alarms']:7}/{one['rival_alarms']:<6}{one['precision']:10.3f}/{one['rival_precision']:<6.3f}"
                  f"{one['found']:8.3f}/{one['rival_found']:<6.3f}{one['lead']:11.1f}")  # fmt: skip
    print(
        f"\n{'log, alarm day':30} {'group':15}{'alarms':>7}{'precision':>11}{'false alarms a year':>21}{'fixed':>8}"
    )
    print(f"{'':30} {'':33}{f'aim {AIM}':>21}")
    for one in rows:
        if not one["rule"]:
            print(f"{one['log'] + ' ' + one['day']:30} {one['group']:15}{one['alarms']:7}{one['precision']:11.3f}"
                  f"{one['false_a_year']:21.2f}{one['fixed_false_a_year']:8.2f}")  # fmt: skip


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true", help="one alarm day per log")
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    told = parser.parse_args()
    rows: list[Row] = []
    for name, days in LOGS.items():
        if (log := read(name)) is not None:
            for day in days[-1:] if told.quick else days:
                rows += compared(name, day, log)
    show(rows)
    if told.json:
        told.json.write_text(json.dumps(rows, indent=1, allow_nan=True) + "\n", "utf-8")


if __name__ == "__main__":
    main()
