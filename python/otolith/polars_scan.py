"""`scan_polars`: a table as a Polars LazyFrame, which asks it for what a query needs only."""

from __future__ import annotations

import dataclasses
import io
import json
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Optional, Tuple, Union

from otolith.data import Data
from otolith.errors import InvalidArgument, shown
from otolith.optional import needed
from otolith.pushdown import MIRRORED, VALUES_MAX, Predicates, Pushed
from otolith.recorder import RecorderTable
from otolith.schema import Schema
from otolith.table import Table

if TYPE_CHECKING:
    import polars

_COMPARISONS = {"Eq": "==", "NotEq": "!=", "Lt": "<", "LtEq": "<=", "Gt": ">", "GtEq": ">="}
_CLOSED = {
    "Both": (">=", "<="), "Left": (">=", "<"), "Right": (">", "<="), "None": (">", "<"),
}  # fmt: skip
_WHOLE_CASTS = {"Float64": 32, "Int64": 63, "Int32": 31, "Int16": 15}  # bits of integers they keep

_PLAIN = {"Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64", "Float64",
          "String", "Boolean"}  # fmt: skip
_BATCH_ROWS = 100_000  # of a frame where Polars asks for no number
_LIST_BYTES_MAX = 1 << 20  # of a list as it is written out, before it is looked into
_NANOSECONDS = ["Nanoseconds", {"inner": "UTC"}]

Tree = Dict[str, Any]  # an expression of Polars as its JSON has it


def scan_polars(table: Table, *, order: str = "time") -> polars.LazyFrame:
    """A LazyFrame over a table, live or of a snapshot: each `collect` reads the columns, the range
    of time and the rows that the query needs.

    Columns, limits, and comparisons of columns with constants, `is_in` of up to 10,000 values,
    `is_between`, `is_null`, `is_not_null` and what `& | ~` make of them are pushed down; other
    parts of a filter Polars asks of what is read. Of `head(9).filter(...)` the limit alone is
    pushed down: nine rows are read, and Polars filters them. Of `filter(...).head(9)` the filter
    alone is: all rows that pass are read.

    What is read is held in memory until the query has ended; frames of at most the rows that Polars
    asks for are made of it one after the other, so that the streaming engine and sinks hold few of
    them. `order` is as in `read`. ModuleNotFoundError without Polars 1.0 or newer.

    >>> import polars as pl
    >>> db = oto.open(":memory:")
    >>> t = db.create_table("t", {"time": "timestamp", "n": "int32"})
    >>> _ = t.append({"time": ["2026-01-05", "2026-01-06"], "n": [1, 2]})
    >>> oto.scan_polars(t).filter(pl.col("n") > 1).select("n").collect().to_series().to_list()
    [2]
    """
    pl = needed("polars", "scan_polars")
    plugins = needed("polars.io.plugins", "scan_polars")
    if not isinstance(table, (Table, RecorderTable)):
        raise InvalidArgument(
            f"scan_polars({shown(table)}): give a table, db['quotes'] or db.at(...)['quotes']"
        )

    def source(
        columns: Optional[List[str]],
        predicate: Optional[polars.Expr],
        n_rows: Optional[int],
        batch_size: Optional[int],
    ) -> Iterator[polars.DataFrame]:
        pushed, residual = Pushed(), None
        if predicate is not None and n_rows is None:
            pushed, residual = _split(predicate, table.schema, pl)
        elif predicate is not None:  # of the first rows those that pass
            residual = _without_hints(predicate, pl)
        names = columns
        if names is not None and residual is not None:
            names = list(dict.fromkeys([*names, *residual.meta.root_names()]))
        data = table.read(
            pushed.start, pushed.stop, columns=names, where=pushed.where, limit=n_rows, order=order
        )
        for frame in _frames(data, batch_size, pl):
            found = frame if residual is None else frame.filter(residual)
            yield found if columns is None or names == columns else found.select(columns)

    def schema() -> Any:
        return pl.DataFrame(table.head(0)).schema

    lazy: polars.LazyFrame = plugins.register_io_source(source, schema=schema)
    return lazy


def _frames(data: Data, batch_size: Optional[int], pl: Any) -> Iterator[polars.DataFrame]:
    """The rows in frames of at most `batch_size` rows; one of none where there is none."""
    rows = batch_size or _BATCH_ROWS
    if len(data) <= rows:
        yield pl.DataFrame(data)
        return
    for piece in data.pieces():
        yield from pl.DataFrame(piece).iter_slices(rows)


def _split(predicate: polars.Expr, schema: Schema, pl: Any) -> Tuple[Pushed, Optional[polars.Expr]]:
    """What the table is asked, and what is left to be asked of its answer."""
    translator = _Translator(schema, pl)
    parts = [(part, tree) for part, tree in _conjuncts(predicate) if not _is_hint(tree)]
    asked = [translator.pushed(tree) for _, tree in parts]
    whole = translator.predicates.settled(translator.predicates.all_of(asked))
    too_large = whole.where is None and any(each and each.where is not None for each in asked)
    left = [
        part for (part, _), each in zip(parts, asked) if too_large or each is None or not each.exact
    ]
    return whole, pl.all_horizontal(left) if left else None


def _without_hints(predicate: polars.Expr, pl: Any) -> Optional[polars.Expr]:
    left = [part for part, tree in _conjuncts(predicate) if not _is_hint(tree)]
    return pl.all_horizontal(left) if left else None


def _conjuncts(predicate: polars.Expr) -> Iterator[Tuple[polars.Expr, Tree]]:
    """What `&` joins, each with its tree; an empty tree where Polars does not write it out."""
    waiting = [predicate]
    while waiting:
        part = waiting.pop()
        try:
            tree = json.loads(part.meta.serialize(format="json"))
        except Exception:  # of a kind that has no such form: Polars may raise any of its errors
            tree = {}
        if isinstance(tree, dict) and tree.get("BinaryExpr", {}).get("op") == "And":
            waiting += part.meta.pop()
        else:
            yield part, tree if isinstance(tree, dict) else {}


def _is_hint(tree: Tree) -> bool:
    """Whether it is a bound that Polars finds out while it runs, for a sort with a limit: nothing
    that has to hold, and nothing that can be asked of a DataFrame.
    """
    shown_as = tree.get("Display")
    return isinstance(shown_as, dict) and str(shown_as.get("fmt_str")).startswith("dynamic_pred")


class _Translator:
    def __init__(self, schema: Schema, pl: Any) -> None:
        self._schema = schema
        self._pl = pl
        self.predicates = Predicates(schema)

    def pushed(self, tree: Tree) -> Optional[Pushed]:
        """What of a predicate can be asked of the table; nodes of other versions cannot."""
        unknown = (AttributeError, KeyError, IndexError, TypeError, ValueError, RecursionError)
        try:
            return self._pushed(tree)
        except (*unknown, self._pl.exceptions.PolarsError):
            return None

    def _pushed(self, tree: Tree) -> Optional[Pushed]:
        if "Column" in tree:
            return self.predicates.true(tree["Column"])
        if "BinaryExpr" in tree:
            return self._binary(tree["BinaryExpr"])
        if "Function" in tree:
            return self._function(tree["Function"])
        return None

    def _binary(self, node: Tree) -> Optional[Pushed]:
        left, op, right = node["left"], node["op"], node["right"]
        if op in ("And", "LogicalAnd"):
            return self.predicates.all_of([self._pushed(left), self._pushed(right)])
        if op in ("Or", "LogicalOr"):
            return self.predicates.any_of([self._pushed(left), self._pushed(right)])
        if op not in _COMPARISONS:
            return None
        word = _COMPARISONS[op]
        if _columns_in(left):
            return self._compare(left, word, right)
        return self._compare(right, MIRRORED[word], left)

    def _compare(self, side: Tree, op: str, constant: Tree) -> Optional[Pushed]:
        if _columns_in(constant):
            return None
        name = side.get("Column")
        scalar = constant.get("Literal", {}).get("Scalar", {})
        if isinstance(scalar, dict) and name is not None:  # most often: what it is, is plain to see
            [(kind, value)] = scalar.items()
            if kind in _PLAIN and value is not None and not self._is_time(name):
                return self.predicates.compare(name, op, value)
            if kind == "Datetime" and value[1:] == _NANOSECONDS and self._is_time(name):
                return self.predicates.compare(name, op, value[0])
        series = self._constant(constant)
        if series.len() != 1 or series.null_count():
            return None
        if name is None:
            return self._compare_cast(side["Cast"], op, series)
        if self._is_time(name):
            unit = self._time_unit(series.dtype)
            return None if unit != 1 else self.predicates.compare(name, op, _count(series))
        return self.predicates.compare(name, op, series[0])

    def _compare_cast(self, cast: Tree, op: str, series: Any) -> Optional[Pushed]:
        """A column that Polars casts to the type of the constant: times to a coarser unit, which
        widens the range by one of it, and integers to a type that holds all of them.
        """
        name, to = cast["expr"]["Column"], cast["dtype"]["Literal"]
        dtype = self._schema[name].dtype.name
        if dtype == "timestamp":
            step = self._time_unit(series.dtype)
            if step is None or op == "!=":
                return None
            low, high = (_count(series) - 1) * step, (_count(series) + 1) * step
            if op != "==":
                op, low = (">=", low) if op in (">", ">=") else ("<", high)
            pushed = self.predicates.compare_time(name, op, low, high if op == "==" else low)
            return None if pushed is None else dataclasses.replace(pushed, exact=False)
        if dtype.startswith(("int", "uint")) and isinstance(to, str):
            bits = int(dtype.lstrip("uint")) - (0 if dtype.startswith("uint") else 1)
            if bits <= _WHOLE_CASTS.get(to, 0):
                return self.predicates.compare(name, op, series[0])
        return None

    def _function(self, node: Tree) -> Optional[Pushed]:
        function = node["function"]["Boolean"]
        inputs = node["input"]
        if function == "Not":
            return self.predicates.inverse(self._pushed(inputs[0]))
        if function in ("IsNull", "IsNotNull"):
            return self.predicates.null(inputs[0]["Column"], function == "IsNull")
        if function == "IsNan":
            return self.predicates.nan(inputs[0]["Column"])
        if "IsBetween" in function:
            low, high = _CLOSED[function["IsBetween"]["closed"]]
            return self.predicates.all_of(
                [
                    self._compare(inputs[0], low, inputs[1]),
                    self._compare(inputs[0], high, inputs[2]),
                ]
            )
        if "IsIn" in function:
            return self._member(inputs[0]["Column"], inputs[1])
        return None

    def _member(self, name: str, constant: Tree) -> Optional[Pushed]:
        scalar = constant.get("Literal", {}).get("Scalar", {})
        if isinstance(scalar, dict) and len(scalar.get("List", ())) > _LIST_BYTES_MAX:
            return None
        if _columns_in(constant):
            return None
        values = self._constant(constant)
        if values.dtype == self._pl.List:
            values = values.explode()
        if values.null_count() or values.len() > VALUES_MAX:
            return None
        if self._schema[name].dtype.name != "timestamp":
            return self.predicates.member(name, values.to_list())
        if self._time_unit(values.dtype) != 1:
            return None
        return self.predicates.member(name, values.to_physical().to_list())

    def _constant(self, tree: Tree) -> Any:
        """The value of an expression that no column is in."""
        written = io.BytesIO(json.dumps(tree).encode())
        constant = self._pl.Expr.deserialize(written, format="json")
        return self._pl.select(constant.alias("")).to_series()

    def _is_time(self, name: str) -> bool:
        return self._schema[name].dtype.name == "timestamp"

    def _time_unit(self, dtype: Any) -> Optional[int]:
        """ns of a step of times in UTC, of whatever zone; None of anything else."""
        if not isinstance(dtype, self._pl.Datetime) or dtype.time_zone is None:
            return None
        return {"ns": 1, "us": 1_000, "ms": 1_000_000}[dtype.time_unit]


def _count(series: Any) -> int:
    return int(series.to_physical()[0])


def _columns_in(tree: Union[Tree, List[Any], Any]) -> bool:
    if isinstance(tree, dict):
        return "Column" in tree or any(_columns_in(part) for part in tree.values())
    if not isinstance(tree, list):
        return False
    return any(isinstance(part, (dict, list)) and _columns_in(part) for part in tree)
