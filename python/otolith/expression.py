"""Conditions on rows: `oto.col("bid") > 90`, for `read(where=)`.

>>> import otolith as oto
>>> (oto.col("bid") > 90) & ~oto.col("symbol").isin(["AAPL", "MSFT"])
(col('bid') > 90) & ~col('symbol').isin(['AAPL', 'MSFT'])
"""

from __future__ import annotations

import decimal
import math
import operator
from typing import Any, List, NoReturn, Optional, Tuple, Union

import numpy as np

from otolith import _core
from otolith.asked import many
from otolith.errors import InvalidArgument, LimitExceeded, nearest, not_built, quoted, shown, utf8
from otolith.schema import Column, Schema
from otolith.times import MAX_NS, Zone, null_objects, wide_ns

_Kind = _core.ExpressionKind
_DEPTH_MAX = 100  # of a condition, as in the core
_DIGITS_MAX = 38  # of a decimal, as in the core
_FLOAT_DIGITS = 400  # before the point: more than any column's type goes to
_SHOWN_VALUES = 10  # of isin, in a repr
_SHOWN_PARTS = 100  # of a chain, in a repr
_WORDS = {
    _Kind.equal: "==", _Kind.not_equal: "!=", _Kind.less: "<", _Kind.less_equal: "<=",
    _Kind.greater: ">", _Kind.greater_equal: ">=", _Kind.all_of: "&", _Kind.any_of: "|",
}  # fmt: skip
_JOIN = "& | ~ join conditions: (oto.col('bid') > 90) & (oto.col('size') > 0), each in parentheses"


class Expression:
    """A condition on rows, or a column of them; immutable. `oto.col` makes columns, comparing them
    makes conditions, and `& | ~` join those.

    A comparison with null is neither true nor false, also under `~` and `!=`: rows are read where
    the condition is true. NaN compares as in NumPy: false, and `!=` true.

    >>> db = oto.open(":memory:")
    >>> t = db.create_table("t", {"time": "timestamp", "x": "float64"})
    >>> _ = t.append({"time": np.arange(4), "x": [1.0, None, np.nan, 4.0]})
    >>> t.read(where=oto.col("x") > 2)["x"]
    array([4.])
    >>> t.read(where=~(oto.col("x") > 2))["x"]
    array([ 1., nan])
    >>> len(t.read(where=oto.col("x").is_null()))
    1
    """

    __array_ufunc__ = None  # NumPy scalars leave comparisons to the other side
    __hash__ = None  # type: ignore[assignment]

    def __init__(
        self,
        kind: Optional[_Kind],
        column: str,
        values: Tuple[Any, ...],
        of: Tuple[Expression, ...],
    ) -> None:
        self._kind = kind  # None: a column
        self._column = column
        self._values = values
        self._of = of  # of a chain of `&` or `|` as it was put together: _parts has all of it
        chained = kind in (_Kind.all_of, _Kind.any_of)
        levels = [part._depth - (chained and part._kind == kind) for part in of]
        self._depth = 1 + max(levels, default=1 if kind else 0)
        if self._depth > _DEPTH_MAX:
            raise LimitExceeded(
                f"a condition of {_DEPTH_MAX} levels is the deepest; nest it less, and ask "
                "isin([...]) for many values of a column"
            )

    def __eq__(self, other: object) -> Expression:  # type: ignore[override]
        return self._compare(_Kind.equal, other)

    def __ne__(self, other: object) -> Expression:  # type: ignore[override]
        return self._compare(_Kind.not_equal, other)

    def __lt__(self, other: Any) -> Expression:
        return self._compare(_Kind.less, other)

    def __le__(self, other: Any) -> Expression:
        return self._compare(_Kind.less_equal, other)

    def __gt__(self, other: Any) -> Expression:
        return self._compare(_Kind.greater, other)

    def __ge__(self, other: Any) -> Expression:
        return self._compare(_Kind.greater_equal, other)

    def isin(self, values: Any) -> Expression:
        """Equal to one of the values, in any list, array, Series or set; of none: never. NaN equals
        nothing.

        >>> oto.col("size").isin({3})
        col('size').isin([3])
        """
        given = many(values, None, undecided=True)  # read() knows the zone
        for value in given:
            self._check(value)
        return self._on_column(_Kind.isin, tuple(given))

    def between(self, low: Any, high: Any) -> Expression:
        """From `low` to `high`, both included.

        >>> oto.col("time").between("2026-01-05", "2026-01-06")
        col('time').between('2026-01-05', '2026-01-06')
        """
        self._check(low)
        self._check(high)
        return self._on_column(_Kind.between, (low, high))

    def is_null(self) -> Expression:
        """Whether there is no value; NaN is one.

        >>> ~oto.col("bid").is_null()
        ~col('bid').is_null()
        """
        return self._on_column(_Kind.is_null, ())

    def not_null(self) -> Expression:
        """Whether there is a value, be it NaN.

        >>> oto.col("bid").not_null()
        col('bid').not_null()
        """
        return self._on_column(_Kind.not_null, ())

    def __and__(self, other: Any) -> Expression:
        return _joined(_Kind.all_of, self, other)

    def __rand__(self, other: Any) -> Expression:
        return _joined(_Kind.all_of, other, self)

    def __or__(self, other: Any) -> Expression:
        return _joined(_Kind.any_of, self, other)

    def __ror__(self, other: Any) -> Expression:
        return _joined(_Kind.any_of, other, self)

    def __invert__(self) -> Expression:
        if self._kind == _Kind.inverse:
            return self._of[0]
        return Expression(_Kind.inverse, "", (), (self,))

    def __bool__(self) -> NoReturn:
        raise InvalidArgument(
            f"{self!r} is a condition on rows and neither true nor false: join conditions with "
            "& | ~ instead of and, or, not, each in parentheses, and use between for a < x < b"
        )

    def __repr__(self) -> str:
        if self._kind is None:
            return f"col({self._column!r})"
        if self._kind == _Kind.inverse:
            return f"~{_enclosed(self._of[0])}"
        if self._kind in (_Kind.all_of, _Kind.any_of):
            parts = _parts(self)
            more = len(parts) - _SHOWN_PARTS
            shown_parts = [_enclosed(part) for part in parts[:_SHOWN_PARTS]]
            if more > 0:
                shown_parts.append(f"… {more:,} more")
            return f" {_WORDS[self._kind]} ".join(shown_parts)
        if self._kind in _WORDS:
            return f"col({self._column!r}) {_WORDS[self._kind]} {shown(self._values[0])}"
        values = ", ".join(map(shown, self._values[:_SHOWN_VALUES]))
        if self._kind == _Kind.isin:
            more = len(self._values) - _SHOWN_VALUES
            values = f"[{values}{f', … {more:,} more' if more > 0 else ''}]"
        return f"col({self._column!r}).{self._kind.name}({values})"

    def _compare(self, kind: _Kind, value: object) -> Expression:
        self._check(value)
        return self._on_column(kind, (value,))

    def _on_column(self, kind: _Kind, values: Tuple[Any, ...]) -> Expression:
        if self._kind is not None:
            raise InvalidArgument(f"{self!r} is a condition already; compare columns. {_JOIN}")
        return Expression(kind, self._column, values, ())

    def _check(self, value: object) -> None:
        if isinstance(value, Expression):
            raise InvalidArgument(
                f"{self!r} is compared with {value!r}; a column is compared with a value, other "
                f"columns are not built yet. {_JOIN}"
            )
        if any(value is null for null in null_objects()) or _is_nat(value):
            raise InvalidArgument(
                f"{self!r} is compared with {shown(value)}, which nothing equals; ask is_null() or "
                "not_null()"
            )


def col(name: str) -> Expression:
    """A column by name, to be compared with values; by itself a condition where it is boolean.

    >>> oto.col("bid") >= 90.5
    col('bid') >= 90.5
    """
    if not isinstance(name, str):
        raise InvalidArgument(f"col({shown(name)}): give the name of a column")
    return Expression(None, utf8("col:", name), (), ())


def core_condition(where: object, schema: Schema, zone: Optional[Zone]) -> _core.Expression:
    """What `where=` asks of a table, its constants typed as the columns are."""
    if isinstance(where, Expression):
        return _core_of(where, schema, zone)
    example = "oto.col('bid') > 90"
    if isinstance(where, str):
        raise not_built("where= as text", f"give an expression, {example}")
    if callable(where):
        raise InvalidArgument(f"where= takes no function; give an expression, {example}")
    raise InvalidArgument(f"where={shown(where)}: give an expression, {example}")


def _core_of(where: Expression, schema: Schema, zone: Optional[Zone]) -> _core.Expression:
    if where._kind in (_Kind.all_of, _Kind.any_of, _Kind.inverse):
        return _core.Expression.join(
            where._kind, [_core_of(part, schema, zone) for part in _parts(where)]
        )
    column = schema.by_name.get(where._column)
    if column is None:
        near = nearest(where._column, schema.names)
        raise InvalidArgument(f"where: there is no column {quoted(where._column)}{near}")
    if where._kind is None:
        return _core.Expression.column(column.name)
    if column.dtype.name == "timestamp":
        kind, times = _on_times(where._kind, [wide_ns(value, zone) for value in where._values])
        return _core.Expression.compare(kind, column.name, times, True)
    values = [_constant(column, value) for value in where._values]
    return _core.Expression.compare(where._kind, column.name, values, False)


def _on_times(
    kind: _Kind, places: List[Tuple[Union[int, float], bool]]
) -> Tuple[_Kind, List[Union[int, float]]]:
    """A comparison with times, of which some lie between two that can be stored: with those."""
    if all(exact for _, exact in places):
        return kind, [ns for ns, _ in places]
    if kind == _Kind.between:
        (low, exact), (high, _) = places
        if not exact:
            low = low + 1 if low < MAX_NS else math.inf
        return kind, [low, high]
    if kind in (_Kind.less, _Kind.less_equal):
        return _Kind.less_equal, [places[0][0]]
    if kind in (_Kind.greater, _Kind.greater_equal):
        return _Kind.greater, [places[0][0]]
    return kind, [ns if exact else math.inf for ns, exact in places]  # nothing equals them


def _constant(column: Column, value: Any) -> Union[bool, int, float, str, bytes]:
    """A value as the core compares it with the column; InvalidArgument where it does not."""
    dtype = column.dtype.name
    if dtype == "string":
        if isinstance(value, str):
            return utf8(f"where: {quoted(column.name)} as", str(value))
        _refuse(column, value, "text")
    if dtype == "binary":
        if isinstance(value, (bytes, bytearray, memoryview)):
            return bytes(value)
        _refuse(column, value, "bytes")
    if isinstance(value, (bool, np.bool_)) or dtype == "bool":
        if isinstance(value, (bool, np.bool_)) and dtype == "bool":
            return bool(value)
        _refuse(column, value, "True or False" if dtype == "bool" else "a number")
    return _number(column, value)


def _number(column: Column, value: Any) -> Union[int, float, str]:
    if isinstance(value, (float, np.floating)):
        if float(value) == value or math.isnan(value):
            return float(value)
        _refuse(column, value, "a number that float64 holds")  # of more than 64 bits
    if isinstance(value, decimal.Decimal):
        return _decimal(column, value)
    try:
        number = operator.index(value)
    except TypeError:
        _refuse(column, value, "a number")
    if -(2**63) <= number < 2**64:
        return number
    beyond = math.inf if number > 0 else -math.inf
    if not column.dtype.name.startswith(("float", "decimal")):
        return beyond  # all integers of a column
    if column.dtype.name.startswith("decimal"):
        return str(number) if abs(number) < 10**_DIGITS_MAX else beyond
    if abs(number) < 2**1023 and int(float(number)) == number:
        return float(number)
    _refuse(column, value, "a number that float64 holds")


def _decimal(column: Column, value: decimal.Decimal) -> Union[int, float, str]:
    if value.is_nan():
        return math.nan
    if value == 0:
        return 0
    if value.is_infinite() or value.adjusted() > _FLOAT_DIGITS:
        return math.inf if value > 0 else -math.inf
    if column.dtype.name.startswith("decimal"):
        if value.adjusted() < -_DIGITS_MAX - 1:  # between 0 and the least of any decimal column
            value = decimal.Decimal((value.is_signed(), (1,), -_DIGITS_MAX - 1))
        return format(value, "f")
    if column.dtype.name.startswith("float"):
        if decimal.Decimal(float(value)) == value:
            return float(value)
        _refuse(column, value, "a number that float64 holds")
    return _among_integers(column, value)


def _among_integers(column: Column, value: decimal.Decimal) -> Union[int, float]:
    """A number that lies to all integers as this one does."""
    floor = int(value.to_integral_value(decimal.ROUND_FLOOR))
    if not -(2**63) <= floor < 2**64:
        return math.inf if floor > 0 else -math.inf
    if floor == value:
        return floor
    if abs(floor) < 2**52:
        return floor + 0.5
    _refuse(column, value, "a whole number")


def _refuse(column: Column, value: Any, wanted: str) -> NoReturn:
    raise InvalidArgument(
        f"where: column {quoted(column.name)} is {column.dtype.name} and is compared with "
        f"{type(value).__name__} {shown(value)}; give {wanted}"
    )


def _joined(kind: _Kind, left: Any, right: Any) -> Expression:
    for side in (left, right):
        if not isinstance(side, Expression):
            raise InvalidArgument(f"{shown(side)} is no condition; {_JOIN}")
    return Expression(kind, "", (), (left, right))


def _parts(joined: Expression) -> List[Expression]:
    """What a condition joins: `a & b & c` is one of three, however it was put together. Joining
    copies nothing, so that a chain made in a loop costs what it is long.
    """
    chained = joined._kind in (_Kind.all_of, _Kind.any_of)
    parts: List[Expression] = []
    left = list(reversed(joined._of))
    while left:
        part = left.pop()
        if chained and part._kind == joined._kind:
            left.extend(reversed(part._of))
        else:
            parts.append(part)
    return parts


def _enclosed(part: Expression) -> str:
    joined = part._kind in _WORDS
    return f"({part!r})" if joined else repr(part)


def _is_nat(value: object) -> bool:
    return isinstance(value, (np.datetime64, np.timedelta64)) and bool(np.isnat(value))
