"""The conditions of condition_words.py beside SQLite, DuckDB, Polars and NumPy.

Where a peer means something else by a word, its class says what Otolith means in the peer's words.
"""

import datetime as dt
import operator
import re
import sqlite3

import numpy as np

from condition_words import COMPARE, COMPUTE, UNITS, Dialect, with_fields


class Sql(Dialect):
    """SQLite, whose functions of texts and times are Python's; times are integers of ns."""

    def column(self, name):
        return f'"{name}"'

    def number(self, value):
        return f"({value!r})"

    def text(self, value):
        return "'" + value + "'"

    def time(self, ns):
        return str(ns)

    def compute(self, sign, a, b):
        return f"({self(a)} {sign} {self(b)})"

    def divide(self, a, b):
        return f"(CAST({self(a)} AS REAL) / {self(b)})"

    def modulo(self, a, b):
        return f"((({self(a)} % {self(b)}) + {self(b)}) % {self(b)})"

    def floor_divide(self, a, b):
        return f"(({self(a)} - {self.modulo(a, b)}) / {self(b)})"

    def negate(self, a):
        return f"(-{self(a)})"

    def abs(self, a):
        return f"abs({self(a)})"

    def len(self, a):
        return f"length({self(a)})"

    def lower(self, a):
        return f"lower({self(a)})"

    def upper(self, a):
        return f"upper({self(a)})"

    def to_text(self, a):
        return f"CAST({self(a)} AS TEXT)"

    def to_int(self, a):
        return f"to_int({self(a)})"

    def truncate(self, a):
        return f"CAST({self(a)} AS INTEGER)"

    def compare(self, sign, a, b):
        return f"({self(a)} {sign} {self(b)})"

    def isin(self, a, values):
        shown = (self.text(v) if isinstance(v, str) else self.number(v) for v in values)
        return f"({self(a)} IN ({', '.join(shown)}))"

    def between(self, a, low, high):
        return f"({self(a)} BETWEEN {self(low)} AND {self(high)})"

    def is_null(self, a, inverse):
        return f"({self(a)} IS {'NOT ' if inverse else ''}NULL)"

    def like(self, a, pattern):
        return f"({self(a)} LIKE '{pattern}')"

    def matches(self, a, pattern):
        return f"({self(a)} REGEXP '{pattern}')"

    def contains(self, a, text):
        return f"(instr({self(a)}, '{text}') > 0)"

    def starts_with(self, a, text):
        return f"(substr({self(a)}, 1, {len(text)}) = '{text}')"

    def ends_with(self, a, text):
        return f"ends_with({self(a)}, '{text}')"

    def field(self, name, a):
        return f"time_{name}({self(a)})"

    def floor(self, a, unit):
        ns = UNITS[unit]
        return f"({self(a)} - (({self(a)} % {ns}) + {ns}) % {ns})"

    def apart(self, a, b):
        return f'("{a}" - "{b}")'

    def all_of(self, parts):
        return "(" + " AND ".join(map(self, parts)) + ")"

    def any_of(self, parts):
        return "(" + " OR ".join(map(self, parts)) + ")"

    def inverse(self, a):
        return f"(NOT {self(a)})"


class DuckDb(Sql):
    """DuckDB where it is not as SQLite."""

    def divide(self, a, b):
        return f"(CAST({self(a)} AS DOUBLE) / {self(b)})"

    def number(self, value):
        return f"CAST({value!r} AS DOUBLE)" if isinstance(value, float) else f"({value})"

    def floor_divide(self, a, b):
        return f"CAST(floor(({self(a)} - {self.modulo(a, b)}) / {self(b)}) AS BIGINT)"

    def to_text(self, a):
        return f"CAST({self(a)} AS VARCHAR)"

    def to_int(self, a):
        whole = f"regexp_full_match({self(a)}, '-?[0-9]+')"
        return f"TRY_CAST(CASE WHEN {whole} THEN {self(a)} END AS BIGINT)"

    def truncate(self, a):
        return f"CAST(trunc({self(a)}) AS BIGINT)"

    def matches(self, a, pattern):
        return f"regexp_matches({self(a)}, '{pattern}')"

    def contains(self, a, text):
        return f"contains({self(a)}, '{text}')"

    def starts_with(self, a, text):
        return f"starts_with({self(a)}, '{text}')"

    def field(self, name, a):
        if name == "weekday":
            return f"(isodow(make_timestamp_ns({self(a)})) - 1)"
        return f"{name}(make_timestamp_ns({self(a)}))"


def utc(ns):
    return dt.datetime(1970, 1, 1) + dt.timedelta(microseconds=ns // 1000)


def or_null(function):
    return lambda *given: None if any(value is None for value in given) else function(*given)


def to_int(text):
    return int(text) if re.fullmatch(r"-?[0-9]+", text) else None


FIELD_OF = {
    "year": lambda ns: utc(ns).year, "month": lambda ns: utc(ns).month,
    "day": lambda ns: utc(ns).day, "hour": lambda ns: utc(ns).hour,
    "minute": lambda ns: utc(ns).minute, "weekday": lambda ns: utc(ns).weekday(),
}  # fmt: skip


def like(text, pattern):
    words = {"%": ".*", "_": "."}
    expression = "".join(words.get(c, re.escape(c)) for c in pattern)
    return re.fullmatch(expression, text, re.DOTALL) is not None


class SqliteTable:
    """Columns (name → list with None for null) in SQLite."""

    def __init__(self, columns):
        self._connection = sqlite3.connect(":memory:")
        self._connection.execute("PRAGMA case_sensitive_like = ON")
        functions = {"lower": str.lower, "upper": str.upper, "to_int": to_int,
                     "regexp": lambda p, text: re.search(p, text) is not None,
                     "ends_with": str.endswith}  # fmt: skip
        functions.update({f"time_{name}": function for name, function in FIELD_OF.items()})
        for name, function in functions.items():
            count = 2 if name in ("regexp", "ends_with") else 1
            self._connection.create_function(name, count, or_null(function), deterministic=True)
        names = ", ".join(f'"{name}"' for name in columns)
        self._connection.execute(f"CREATE TABLE t ({names})")
        marks = ", ".join("?" * len(columns))
        self._connection.executemany(f"INSERT INTO t VALUES ({marks})", zip(*columns.values()))

    def places(self, node):
        query = f"SELECT place FROM t WHERE {Sql()(node)} ORDER BY place"
        return [place for (place,) in self._connection.execute(query)]


class DuckDbTable:
    """The same in DuckDB."""

    def __init__(self, duckdb, columns, kinds):
        import pandas as pd

        types = {"int": "Int64", "time": "Int64", "float": "Float64", "text": "string",
                 "bool": "boolean"}  # fmt: skip
        frame = pd.DataFrame(
            {
                name: pd.array(values, types[kinds.get(name, "int")])
                for name, values in columns.items()
            }
        )
        self._connection = duckdb.connect(config={"threads": 1})
        self._connection.execute("SET error_on_division_by_zero = false")
        self._connection.register("frame", frame)
        self._connection.execute("CREATE TABLE t AS SELECT * FROM frame")

    def places(self, node):
        query = f"SELECT place FROM t WHERE {DuckDb()(node)} ORDER BY place"
        return [place for (place,) in self._connection.execute(query).fetchall()]


class PolarsTable(Dialect):
    """The same in Polars."""

    def __init__(self, polars, columns, kinds):
        self.pl = polars
        types = {"int": polars.Int64, "time": polars.Int64, "float": polars.Float64,
                 "text": polars.String, "bool": polars.Boolean}  # fmt: skip
        self._frame = polars.DataFrame(
            {name: polars.Series(values, dtype=types[kinds.get(name, "int")])
             for name, values in columns.items()}
        )  # fmt: skip

    def places(self, node):
        return self._frame.filter(self(node))["place"].to_list()

    def column(self, name):
        return self.pl.col(name)

    def number(self, value):
        return self.pl.lit(value, self.pl.Float64 if isinstance(value, float) else self.pl.Int64)

    def text(self, value):
        return self.pl.lit(value)

    def time(self, ns):
        return self.pl.lit(ns)

    def compute(self, sign, a, b):
        return COMPUTE[sign](self(a), self(b))

    def divide(self, a, b):
        return self(a).cast(self.pl.Float64) / self(b)

    def floor_divide(self, a, b):
        return self(a) // self(b)

    def modulo(self, a, b):
        return self(a) - (self(a) // self(b)) * self(b)

    def negate(self, a):
        return -self(a)

    def abs(self, a):
        return self(a).abs()

    def len(self, a):
        return self(a).str.len_chars().cast(self.pl.Int64)

    def lower(self, a):
        return self(a).str.to_lowercase()

    def upper(self, a):
        return self(a).str.to_uppercase()

    def to_text(self, a):
        return self(a).cast(self.pl.String)

    def to_int(self, a):
        return self(a).cast(self.pl.Int64, strict=False)

    def truncate(self, a):
        return self(a).cast(self.pl.Int64)

    def compare(self, sign, a, b):
        return COMPARE[sign](self(a), self(b))

    def isin(self, a, values):
        out = self.pl.lit(False)
        for value in values:
            one = self.text(value) if isinstance(value, str) else self.number(value)
            out = out | (self(a) == one)
        return out

    def between(self, a, low, high):
        return (self(a) >= self(low)) & (self(a) <= self(high))

    def is_null(self, a, inverse):
        return self(a).is_not_null() if inverse else self(a).is_null()

    def like(self, a, pattern):
        words = {"%": ".*", "_": "."}
        expression = "".join(words.get(c, re.escape(c)) for c in pattern)
        return self(a).str.contains(f"^{expression}$")

    def matches(self, a, pattern):
        return self(a).str.contains(pattern)

    def contains(self, a, text):
        return self(a).str.contains(text, literal=True)

    def starts_with(self, a, text):
        return self(a).str.starts_with(text)

    def ends_with(self, a, text):
        return self(a).str.ends_with(text)

    def field(self, name, a):
        time = self(a).cast(self.pl.Datetime("ns")).dt
        got = getattr(time, name)().cast(self.pl.Int64)
        return got - 1 if name == "weekday" else got

    def floor(self, a, unit):
        return self(a) // UNITS[unit] * UNITS[unit]

    def apart(self, a, b):
        return self.pl.col(a) - self.pl.col(b)

    def all_of(self, parts):
        out = self(parts[0])
        for part in parts[1:]:
            out = out & self(part)
        return out

    def any_of(self, parts):
        out = self(parts[0])
        for part in parts[1:]:
            out = out | self(part)
        return out

    def inverse(self, a):
        return ~self(a)


class NumPyTable(Dialect):
    """The same row by row in Python's integers and NumPy's floats: also what is wild."""

    def __init__(self, columns):
        self._columns = columns
        self._rows = len(columns["place"])

    def places(self, node):
        truth = self(node)
        return [place for place, holds in zip(self._columns["place"], truth) if holds is True]

    def each(self, function, *parts):
        with np.errstate(all="ignore"):
            return [None if None in given else function(*given) for given in zip(*map(self, parts))]

    def column(self, name):
        return self._columns[name]

    def number(self, value):
        return [value] * self._rows

    text = time = number

    def compute(self, sign, a, b):
        return self.each(lambda x, y: COMPUTE[sign](*mixed(x, y)), a, b)

    def divide(self, a, b):
        return self.each(lambda x, y: float(np.float64(x) / np.float64(y)), a, b)

    def floor_divide(self, a, b):
        return self.each(lambda x, y: quotient(np.floor_divide, operator.floordiv, x, y), a, b)

    def modulo(self, a, b):
        return self.each(lambda x, y: quotient(np.mod, operator.mod, x, y), a, b)

    def negate(self, a):
        return self.each(operator.neg, a)

    def abs(self, a):
        return self.each(abs, a)

    def len(self, a):
        return self.each(len, a)

    def lower(self, a):
        return self.each(str.lower, a)

    def upper(self, a):
        return self.each(str.upper, a)

    def to_text(self, a):
        return self.each(str, a)

    def to_int(self, a):
        return self.each(to_int, a)

    def truncate(self, a):
        return self.each(int, a)

    def compare(self, sign, a, b):
        return self.each(COMPARE[sign], a, b)

    def isin(self, a, values):
        return self.each(lambda x: x == x and x in values, a)

    def between(self, a, low, high):
        return self.all_of([("compare", ">=", a, low), ("compare", "<=", a, high)])

    def is_null(self, a, inverse):
        return [(value is None) != inverse for value in self(a)]

    def like(self, a, pattern):
        return self.each(lambda text: like(text, pattern), a)

    def matches(self, a, pattern):
        return self.each(lambda text: re.search(pattern, text) is not None, a)

    def contains(self, a, text):
        return self.each(lambda value: text in value, a)

    def starts_with(self, a, text):
        return self.each(lambda value: value.startswith(text), a)

    def ends_with(self, a, text):
        return self.each(lambda value: value.endswith(text), a)

    def field(self, name, a):
        return self.each(FIELD_OF[name], a)

    def floor(self, a, unit):
        return self.each(lambda ns: ns // UNITS[unit] * UNITS[unit], a)

    def apart(self, a, b):
        return self.each(operator.sub, ("column", a), ("column", b))

    def all_of(self, parts):
        return [
            False if False in given else None if None in given else True
            for given in zip(*map(self, parts))
        ]

    def any_of(self, parts):
        return [
            True if True in given else None if None in given else False
            for given in zip(*map(self, parts))
        ]

    def inverse(self, a):
        return self.each(operator.not_, a)


def mixed(x, y):
    """Floats where one is; integers stay exact."""
    if isinstance(x, float) or isinstance(y, float):
        return float(x), float(y)
    return x, y


def quotient(of_floats, of_integers, x, y):
    if isinstance(x, float) or isinstance(y, float):
        return float(of_floats(float(x), float(y)))
    return None if y == 0 else of_integers(x, y)


def too_wide(error):
    """Whether an integer grew beyond 38 digits, which is an error and no answer."""
    return "does not fit 38 digits" in str(error)


with_fields(Sql, PolarsTable, NumPyTable)
