"""Row 8: values, sum, least and greatest of W1's four columns, of all rows and of a range.

Otolith answers from what its zone maps keep, which is asked for in C++; the peers answer as they do
best. ArcticDB adds a whole table up as one bucket of time. Of all rows Otolith's sums of floats are
held against the exact one, which is theirs however rows are grouped; those of peers within 1e-9.
"""

from __future__ import annotations

import math
from typing import Any, Callable, Dict

import numpy as np

import data
import engines
from questions import NAME, Question
from turns import Side

COLUMNS = ["counter", "value1", "value2", "value3"]
KINDS = ["count", "sum", "min", "max"]
ASKED = [(f"{kind}_{name}", kind, name) for name in COLUMNS for kind in KINDS]
ALL = "8 count, sum, least and greatest of four columns"
RANGE = "8 the same over a range that cuts two pages"
HALF_DAY_NS = data.DAY_NS // 2 + 7
REPEATS = 40

Answer = Dict[str, Dict[str, float]]


def totals(figures, stores, by_name) -> None:
    """All rows, and those of a range, by every side that has an answer to this."""
    end_ns = data.W1_START_NS + data.W1_DAYS * data.DAY_NS
    span = (data.W1_START_NS + HALF_DAY_NS, end_ns - HALF_DAY_NS)
    for row, operation, times in (("8", ALL, None), ("8 range", RANGE, span)):
        question = Question("totals", by_name["otolith"], COLUMNS, REPEATS, times or (0, 0))
        sides = [question.side()]
        for store in stores:
            if ask := ASKS.get(type(store)):
                sides.append(Side(store.name, lambda s=store, ask=ask, t=times: ask(s, t)))
        figures.turns(row, operation, sides, dict)
        if times is None:
            figures.say("8 first", "8 the same, first time after opening", NAME,
                        sorted(question.first), "s", "")  # fmt: skip
            exact(question.ask()[1], by_name["otolith"].given)


def exact(answer: Answer, given: engines.Given) -> None:
    """Ends the program unless sums are the nearest to the true ones."""
    for name in COLUMNS:
        values = given.column(name)
        true = int(values.sum()) if values.dtype.kind == "i" else math.fsum(values)
        if answer[name]["sum"] != true:
            raise SystemExit(f"8 sum of {name}: {NAME} answers {answer[name]['sum']}, not {true}")


def named(values: Dict[str, Any]) -> Answer:
    """From values named as in ASKED."""
    out: Answer = {name: {} for name in COLUMNS}
    for label, kind, name in ASKED:
        out[name][kind] = np.asarray(values[label]).reshape(()).item()
    return out


def ask_duckdb(store, span) -> Answer:
    columns = ", ".join(f"{kind}({name}) as {label}" for label, kind, name in ASKED)
    where = ""
    if span:
        start, stop = np.array(span).view("M8[ns]")
        where = f"where time >= '{start}'::timestamp_ns and time < '{stop}'::timestamp_ns"
    found = store.db.execute(f"select {columns} from {engines.TABLE} {where}").fetchone()
    return named({label: value for (label, _, _), value in zip(ASKED, found)})


def ask_arctic(store, span) -> Answer:
    import arcticdb
    import pandas

    wanted = {label: (name, kind) for label, kind, name in ASKED}
    query = arcticdb.QueryBuilder()
    if span:
        query = query.date_range((pandas.Timestamp(span[0]), pandas.Timestamp(span[1] - 1)))
    start = pandas.Timestamp(data.W1_START_NS)
    query = query.resample("10000D", origin=start).agg(wanted)
    return named(store.library.read(engines.TABLE, query_builder=query).data)


def ask_polars(store, span) -> Answer:
    import polars

    frame = store.scan()
    if span:
        start, stop = np.array(span).view("M8[ns]")
        frame = frame.filter(polars.col("time").is_between(start, stop, closed="left"))
    wanted = [getattr(polars.col(name), kind)().alias(label) for label, kind, name in ASKED]
    return named(frame.select(wanted).collect())


def ask_arrays(store, span) -> Answer:
    cut = slice(*np.searchsorted(store.maps["time"].view(np.int64), span)) if span else slice(None)
    out = {}
    for name in COLUMNS:
        values = store.maps[name][cut]
        out[name] = {"count": len(values), "sum": values.sum().item(),
                     "min": values.min().item(), "max": values.max().item()}  # fmt: skip
    return out


ASKS: Dict[type, Callable[[Any, Any], Answer]] = {
    engines.Duckdb: ask_duckdb,
    engines.DuckdbOneThread: ask_duckdb,
    engines.Arctic: ask_arctic,
    engines.Parquet: ask_polars,
    engines.PlainColumns: ask_arrays,
}
