"""The lake's SQL is portable: everything translates to Spark's dialect, and a few stay as they were looked at."""

from __future__ import annotations

import pytest
import sqlglot
from tests.conditions import TRAITS

from shopkeeper.domain.condition import check
from shopkeeper.know.insight.derived_sql import SQL as DERIVED
from shopkeeper.know.insight.paths_sql import paths
from shopkeeper.know.overview import SQL
from shopkeeper.know.segments import Setting, answers, matches, totals
from shopkeeper.stores.lake import sample, sql
from shopkeeper.stores.lake.schema import LOG, TABLES

CONDITIONS = (
    "orders > 1 and events('Product Viewed', category => 'Lighting', days => 14) >= 2",
    "events('Order Completed', category <> 'Garden', amount > 5) and not events('Email Opened', machine => true)",
    "orders(channel => 'store', amount >= 20, product_id => 'p1', days => 30) > 0 or spend(since => this_year()) > 5",
    "events('Product Added', then_not => 'Order Completed', within_days => 3) and last('Store Visited') is null",
    "days_since_order > 30 and last_order < today() - interval '3 months' and day(last_seen) = today()",
    "last_seen - first_seen > interval '3 days' and last_seen + interval '2 hours' > now() and revenue / orders > 3",
    "has_any(looked_not_bought, 'a', 'b') and size(looked_not_bought) > 1 and starts_with(lower(country), 'f')",
    "country ilike 'f%' and contains(country, 'r') and ends_with(country, 'e') and round(revenue, 1) in (1, 2, null)",
)
CHECKED = [check(text, TRAITS) for text in CONDITIONS]
SETTING = Setting(traits=TRAITS, now=0, currency="GBP")

TEXTS = (
    {f"{table} of the log": select for table, (select, _) in sql.OF_LOG.items()}
    | {f"view {table}": sql.view(table) for table in TABLES}
    | {f"month of {table}": sql.month_of(table) for table in LOG}
    | {f"merged {table}": sql.merged(table) for table in LOG}
    | {f"forgotten {table}": select for table, select in sql.FORGOTTEN.items()}
    | {f"concerned {table}": select for table, select in sql.CONCERNED.items()}
    | {"customers of nodes": sql.CUSTOMERS_OF_NODES, "no customers": sql.NO_CUSTOMERS}
    | {f"overview {name}": select for name, select in SQL.items()}
    | {f"derived {name}": select for name, select in DERIVED.items()}
    | {"paths": paths(14)}
    | {f"sample {table}": select for table, select in sample.SELECTS.items()}
    | {f"who: {one.text}": matches(one, SETTING, without=[1], after=2).sql for one in CHECKED}
    | {f"size: {one.text}": totals(one, SETTING).sql for one in CHECKED}
    | {"all conditions": answers(CHECKED, SETTING).sql}
)


def spark(text):
    return sqlglot.transpile(text, read="duckdb", write="spark", unsupported_level=sqlglot.ErrorLevel.RAISE)


@pytest.mark.parametrize("name", TEXTS)
def test_every_text_translates_to_spark_and_parses_there(name):
    (translated,) = spark(TEXTS[name])
    (tree,) = sqlglot.parse(translated, read="spark")
    assert tree is not None
    assert tree.find(sqlglot.exp.Select) is not None
    assert "QUALIFY" not in TEXTS[name].upper()
    # Functions that sqlglot does not know by name and passes on: Spark has these.
    assert {call.name.lower() for call in tree.find_all(sqlglot.exp.Anonymous)} <= {
        "timestamp_micros",
        "hash",
    }


def test_translations_that_were_looked_at():
    assert spark("SELECT make_timestamp(a) AS at, from_json(payload, $facts) AS facts FROM log") == [
        "SELECT TIMESTAMP_MICROS(a) AS at, FROM_JSON(payload, :facts) AS facts FROM log"
    ]
    assert spark(sql.merged("order_lines")) == [
        "SELECT seq, line, name, order_id, occurred_at, node, channel, store, country, product_id, category, quantity, "
        "price, amount, currency FROM files ORDER BY occurred_at NULLS LAST, seq NULLS LAST, line NULLS LAST"
    ]
    lines = spark(sql.LINES_OF_LOG)[0]
    assert (
        "TRANSFORM(facts.products, (item, position) -> STRUCT(position AS line, item AS item)) AS items"
        in lines
    )
    assert "EXPLODE(items) AS entry" in lines
    assert (
        "DATE_FORMAT(FROM_UTC_TIMESTAMP(occurred_at, :zone), 'yyyy-MM') AS month" in spark(SQL["months"])[0]
    )
