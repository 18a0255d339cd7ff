"""Conditions on rows: `oto.col("bid") > 90`, for `read(where=)`, or as text: `bid > 90`.

>>> import otolith as oto
>>> (oto.col("bid") > 90) & ~oto.col("symbol").isin(["AAPL", "MSFT"])
(col('bid') > 90) & ~col('symbol').isin(['AAPL', 'MSFT'])
>>> oto.condition("bid > 90 and symbol not in ('AAPL', 'MSFT')")
(col('bid') > 90) & ~col('symbol').isin(['AAPL', 'MSFT'])
"""

from __future__ import annotations

from typing import Any, List, NoReturn, Optional, Tuple

import numpy as np

from otolith import _core
from otolith.asked import many
from otolith.dtypes import dtype_of
from otolith.errors import InvalidArgument, LimitExceeded, shown, utf8
from otolith.times import null_objects

Kind = _core.ExpressionKind
CHAINS = (Kind.all_of, Kind.any_of)
_DEPTH_MAX = 100  # of a condition, as in the core
_SHOWN_VALUES = 10  # of isin, in a repr
_SHOWN_PARTS = 100  # of a chain, in a repr
_WORDS = {
    Kind.equal: "==", Kind.not_equal: "!=", Kind.less: "<", Kind.less_equal: "<=",
    Kind.greater: ">", Kind.greater_equal: ">=", Kind.all_of: "&", Kind.any_of: "|",
    Kind.add: "+", Kind.subtract: "-", Kind.multiply: "*", Kind.divide: "/",
    Kind.floor_divide: "//", Kind.modulo: "%",
}  # fmt: skip
_OF_TIMES = ("year", "month", "day", "hour", "minute", "second", "weekday", "floor")
_JOIN = "& | ~ join conditions: (oto.col('bid') > 90) & (oto.col('size') > 0), each in parentheses"


class Written(float):
    """A number as it was written in text: decimals take it digit by digit."""

    digits: str


class Expression:
    """A condition on rows, a value computed of columns, or a column; immutable.

    `oto.col` makes columns. `+ - * / // %` compute with them, `.str` and `.dt` have functions of
    texts and times, comparing makes conditions, and `& | ~` join those.

    A comparison with null is neither true nor false, also under `~` and `!=`: rows are read where
    the condition is true. NaN compares as in NumPy: false, and `!=` true. Integers and decimals are
    computed exactly, in up to 38 digits; floats, and `/`, in float64. A time less a time is an
    integer of ns. docs/conditions.md has all of it.

    >>> db = oto.open(":memory:")
    >>> t = db.create_table("t", {"time": "timestamp", "x": "float64"})
    >>> _ = t.append({"time": np.arange(4), "x": [1.0, None, np.nan, 4.0]})
    >>> t.read(where=oto.col("x") > 2)["x"]
    array([4.])
    >>> t.read(where=~(oto.col("x") > 2))["x"]
    array([ 1., nan])
    >>> len(t.read(where=oto.col("x").is_null()))
    1
    >>> t.read(where=oto.col("x") * 2 + 1 == 3)["x"]
    array([1.])
    """

    __array_ufunc__ = None  # NumPy scalars leave comparisons to the other side
    __hash__ = None  # type: ignore[assignment]

    def __init__(
        self,
        kind: Kind,
        name: str,
        values: Tuple[Any, ...],
        of: Tuple[Expression, ...],
        source: Optional[_core.Expression] = None,
    ) -> None:
        self._kind = kind
        self._name = name  # of a column; of a call the function's, of a cast the type's
        self._values = values
        self._of = of  # of a chain of `&` or `|` as it was put together: parts_of has all of it
        self._source = source  # what was parsed, for messages
        chained = kind in CHAINS
        self._depth = 1 + max((part._depth - (chained and part._kind == kind) for part in of),
                              default=0)  # fmt: skip
        if self._depth > _DEPTH_MAX:
            raise LimitExceeded(
                f"a condition of {_DEPTH_MAX} levels is the deepest; nest it less, and ask "
                "isin([...]) for many values of a column"
            )

    def __eq__(self, other: object) -> Expression:  # type: ignore[override]
        return self._compare(Kind.equal, other)

    def __ne__(self, other: object) -> Expression:  # type: ignore[override]
        return self._compare(Kind.not_equal, other)

    def __lt__(self, other: Any) -> Expression:
        return self._compare(Kind.less, other)

    def __le__(self, other: Any) -> Expression:
        return self._compare(Kind.less_equal, other)

    def __gt__(self, other: Any) -> Expression:
        return self._compare(Kind.greater, other)

    def __ge__(self, other: Any) -> Expression:
        return self._compare(Kind.greater_equal, other)

    def isin(self, values: Any) -> Expression:
        """Equal to one of the values, in any list, array, Series or set; of none: never. NaN equals
        nothing.

        >>> oto.col("size").isin({3})
        col('size').isin([3])
        """
        given = many(values, None, undecided=True)  # read() knows the zone
        for value in given:
            self._check(value)
            if isinstance(value, Expression):
                raise InvalidArgument(
                    f"{self!r}.isin takes constants, not {value!r}; join comparisons with |"
                )
        return Expression(Kind.isin, "", tuple(given), (self,))

    def between(self, low: Any, high: Any) -> Expression:
        """From `low` to `high`, both included.

        >>> oto.col("time").between("2026-01-05", "2026-01-06")
        col('time').between('2026-01-05', '2026-01-06')
        """
        if isinstance(low, Expression) or isinstance(high, Expression):
            return _joined(Kind.all_of, self >= low, self <= high)
        self._check(low)
        self._check(high)
        return Expression(Kind.between, "", (low, high), (self,))

    def is_null(self) -> Expression:
        """Whether there is no value; NaN is one.

        >>> ~oto.col("bid").is_null()
        ~col('bid').is_null()
        """
        return Expression(Kind.is_null, "", (), (self,))

    def not_null(self) -> Expression:
        """Whether there is a value, be it NaN.

        >>> oto.col("bid").not_null()
        col('bid').not_null()
        """
        return Expression(Kind.not_null, "", (), (self,))

    def cast(self, dtype: Any, strict: bool = True) -> Expression:
        """The value as another type. One that the type cannot hold is InvalidArgument when it is
        met, or null where not `strict`. Floats become integers without their fraction, and
        decimals of fewer digits the nearest.

        >>> oto.col("size").cast(oto.float64) / 3 > 0.5
        (col('size').cast('float64') / 3) > 0.5
        """
        kind = Kind.cast if strict else Kind.try_cast
        return Expression(kind, dtype_of(dtype).name, (), (self,))

    def abs(self) -> Expression:
        """Without its sign.

        >>> oto.col("x").abs() < 0.5
        col('x').abs() < 0.5
        """
        return Expression(Kind.call, "abs", (), (self,))

    @property
    def dt(self) -> TimeFunctions:
        """Functions of times.

        >>> oto.col("time").dt.hour() >= 12
        col('time').dt.hour() >= 12
        """
        return TimeFunctions(self)

    def __add__(self, other: Any) -> Expression:
        return _computed(Kind.add, self, other)

    def __radd__(self, other: Any) -> Expression:
        return _computed(Kind.add, other, self)

    def __sub__(self, other: Any) -> Expression:
        return _computed(Kind.subtract, self, other)

    def __rsub__(self, other: Any) -> Expression:
        return _computed(Kind.subtract, other, self)

    def __mul__(self, other: Any) -> Expression:
        return _computed(Kind.multiply, self, other)

    def __rmul__(self, other: Any) -> Expression:
        return _computed(Kind.multiply, other, self)

    def __truediv__(self, other: Any) -> Expression:
        return _computed(Kind.divide, self, other)

    def __rtruediv__(self, other: Any) -> Expression:
        return _computed(Kind.divide, other, self)

    def __floordiv__(self, other: Any) -> Expression:
        return _computed(Kind.floor_divide, self, other)

    def __rfloordiv__(self, other: Any) -> Expression:
        return _computed(Kind.floor_divide, other, self)

    def __mod__(self, other: Any) -> Expression:
        return _computed(Kind.modulo, self, other)

    def __rmod__(self, other: Any) -> Expression:
        return _computed(Kind.modulo, other, self)

    def __neg__(self) -> Expression:
        return Expression(Kind.negate, "", (), (self,))

    def __pos__(self) -> Expression:
        return self

    def __abs__(self) -> Expression:
        return self.abs()

    def __and__(self, other: Any) -> Expression:
        return _joined(Kind.all_of, self, other)

    def __rand__(self, other: Any) -> Expression:
        return _joined(Kind.all_of, other, self)

    def __or__(self, other: Any) -> Expression:
        return _joined(Kind.any_of, self, other)

    def __ror__(self, other: Any) -> Expression:
        return _joined(Kind.any_of, other, self)

    def __invert__(self) -> Expression:
        if self._kind == Kind.inverse:
            return self._of[0]
        return Expression(Kind.inverse, "", (), (self,))

    def __bool__(self) -> NoReturn:
        raise InvalidArgument(
            f"{self!r} is a condition on rows and neither true nor false: join conditions with "
            "& | ~ instead of and, or, not, each in parentheses, and use between for a < x < b"
        )

    def __repr__(self) -> str:
        if self._kind == Kind.column:
            return f"col({self._name!r})"
        if self._kind == Kind.constant:
            return shown(self._values[0])
        if self._kind == Kind.inverse:
            return f"~{_enclosed(self._of[0])}"
        if self._kind == Kind.negate:
            return f"-{_enclosed(self._of[0])}"
        if self._kind in CHAINS:
            parts = parts_of(self)
            more = len(parts) - _SHOWN_PARTS
            shown_parts = [_enclosed(part) for part in parts[:_SHOWN_PARTS]]
            if more > 0:
                shown_parts.append(f"… {more:,} more")
            return f" {_WORDS[self._kind]} ".join(shown_parts)
        if self._kind in _WORDS:
            right = shown(self._values[0]) if self._values else _enclosed(self._of[1])
            return f"{_enclosed(self._of[0])} {_WORDS[self._kind]} {right}"
        return f"{_enclosed(self._of[0])}.{_method(self)}"

    def _compare(self, kind: Kind, other: object) -> Expression:
        if isinstance(other, Expression):
            return Expression(kind, "", (), (self, other))
        self._check(other)
        return Expression(kind, "", (other,), (self,))

    def _check(self, value: object) -> None:
        if is_null_value(value):
            raise InvalidArgument(
                f"{self!r} is compared with {shown(value)}, which nothing equals; ask is_null() or "
                "not_null()"
            )

    # The last of the class: behind it `str` is no type there.
    @property
    def str(self) -> TextFunctions:
        """Functions of texts.

        >>> oto.col("symbol").str.lower() == "aapl"
        col('symbol').str.lower() == 'aapl'
        """
        return TextFunctions(self)


class TextFunctions:
    """`.str` of an expression: functions of texts; null gives null."""

    def __init__(self, of: Expression) -> None:
        self._of = of

    def lower(self) -> Expression:
        """In lower case, letter by letter.

        >>> oto.col("symbol").str.lower() == "aapl"
        col('symbol').str.lower() == 'aapl'
        """
        return Expression(Kind.call, "lower", (), (self._of,))

    def upper(self) -> Expression:
        """In upper case, letter by letter.

        >>> oto.col("symbol").str.upper() == "AAPL"
        col('symbol').str.upper() == 'AAPL'
        """
        return Expression(Kind.call, "upper", (), (self._of,))

    def len(self) -> Expression:
        """How many characters it has.

        >>> oto.col("symbol").str.len() > 4
        col('symbol').str.len() > 4
        """
        return Expression(Kind.call, "len", (), (self._of,))

    def contains(self, text: str) -> Expression:
        """Whether the text occurs in it, as it is written.

        >>> oto.col("note").str.contains("late")
        col('note').str.contains('late')
        """
        return self._call("contains", text)

    def starts_with(self, text: str) -> Expression:
        """Whether it begins with the text; pages are passed over that hold no such texts.

        >>> oto.col("symbol").str.starts_with("AA")
        col('symbol').str.starts_with('AA')
        """
        return self._call("starts_with", text)

    def ends_with(self, text: str) -> Expression:
        """Whether it ends with the text.

        >>> oto.col("symbol").str.ends_with(".L")
        col('symbol').str.ends_with('.L')
        """
        return self._call("ends_with", text)

    def like(self, pattern: str) -> Expression:
        """Whether all of it is as the pattern of SQL: % is any text, _ any character.

        >>> oto.col("symbol").str.like("A_PL%")
        col('symbol').str.like('A_PL%')
        """
        return self._call("like", pattern)

    def matches(self, expression: str) -> Expression:
        """Whether a regular expression, as in Perl and mostly as in Python, is found in it: ^ and $
        tie it to the ends. One of a million steps from one place of a text is LimitExceeded.

        >>> oto.col("symbol").str.matches("^A+PL$")
        col('symbol').str.matches('^A+PL$')
        """
        return self._call("matches", expression)

    def _call(self, function: str, text: str) -> Expression:
        if not isinstance(text, str):
            raise InvalidArgument(f"{function}({shown(text)}): give a text")
        return Expression(Kind.call, function, (utf8(f"{function}:", text),), (self._of,))


class TimeFunctions:
    """`.dt` of an expression: functions of times, in UTC; null gives null."""

    def __init__(self, of: Expression) -> None:
        self._of = of

    def year(self) -> Expression:
        """The year.

        >>> oto.col("time").dt.year() == 2026
        col('time').dt.year() == 2026
        """
        return Expression(Kind.call, "year", (), (self._of,))

    def month(self) -> Expression:
        """The month, from 1.

        >>> oto.col("time").dt.month().isin([6, 7, 8])
        col('time').dt.month().isin([6, 7, 8])
        """
        return Expression(Kind.call, "month", (), (self._of,))

    def day(self) -> Expression:
        """The day of the month, from 1.

        >>> oto.col("time").dt.day() == 1
        col('time').dt.day() == 1
        """
        return Expression(Kind.call, "day", (), (self._of,))

    def hour(self) -> Expression:
        """The hour, 0 to 23.

        >>> oto.col("time").dt.hour().between(9, 16)
        col('time').dt.hour().between(9, 16)
        """
        return Expression(Kind.call, "hour", (), (self._of,))

    def minute(self) -> Expression:
        """The minute, 0 to 59.

        >>> oto.col("time").dt.minute() == 0
        col('time').dt.minute() == 0
        """
        return Expression(Kind.call, "minute", (), (self._of,))

    def second(self) -> Expression:
        """The second, 0 to 59.

        >>> oto.col("time").dt.second() < 30
        col('time').dt.second() < 30
        """
        return Expression(Kind.call, "second", (), (self._of,))

    def weekday(self) -> Expression:
        """The day of the week, 0 on Mondays, as in Python and pandas.

        >>> oto.col("time").dt.weekday() < 5
        col('time').dt.weekday() < 5
        """
        return Expression(Kind.call, "weekday", (), (self._of,))

    def floor(self, unit: str) -> Expression:
        """The time rounded down to "15m", "1h", "1d": an integer and one of ns us ms s m h d w.
        Weeks begin on Mondays.

        >>> oto.col("time").dt.floor("1h") == "2026-01-05T12:00"
        col('time').dt.floor('1h') == '2026-01-05T12:00'
        """
        if not isinstance(unit, str):
            raise InvalidArgument(f"floor({shown(unit)}): give a text such as '1h'")
        return Expression(Kind.call, "floor", (unit,), (self._of,))


def col(name: str) -> Expression:
    """A column by name, to be compared and computed with; by itself a condition where it is
    boolean.

    >>> oto.col("bid") >= 90.5
    col('bid') >= 90.5
    """
    if not isinstance(name, str):
        raise InvalidArgument(f"col({shown(name)}): give the name of a column")
    return Expression(Kind.column, utf8("col:", name), (), ())


def condition(text: str) -> Expression:
    """A condition in words, as `where=` takes it too; docs/conditions.md has the grammar.

    InvalidArgument shows the place of what cannot be read.

    >>> oto.condition("bid > 90 and (venue is null or venue like 'N%')")
    (col('bid') > 90) & (col('venue').is_null() | col('venue').str.like('N%'))
    >>> oto.condition("bid > > 90")
    Traceback (most recent call last):
    otolith.errors.InvalidArgument: where: expected a value, found ">" (character 7):
      bid > > 90
            ^
    """
    if not isinstance(text, str):
        raise InvalidArgument(f"condition({shown(text)}): give a text such as 'bid > 90'")
    return _of_core(_core.parse_condition(utf8("where:", text)))


def parts_of(joined: Expression) -> List[Expression]:
    """What a condition joins: `a & b & c` is one of three, however it was put together. Joining
    copies nothing, so that a chain made in a loop costs what it is long.
    """
    chained = joined._kind in CHAINS
    parts: List[Expression] = []
    left = list(reversed(joined._of))
    while left:
        part = left.pop()
        if chained and part._kind == joined._kind:
            left.extend(reversed(part._of))
        else:
            parts.append(part)
    return parts


def is_null_value(value: object) -> bool:
    """Whether a constant stands for null."""
    nat = isinstance(value, (np.datetime64, np.timedelta64)) and bool(np.isnat(value))
    return nat or any(value is null for null in null_objects())


def _of_core(core: _core.Expression) -> Expression:
    values = tuple(_written(value, digits) if digits else value for value, digits in core.values)
    operands = tuple(_of_core(operand) for operand in core.operands)
    return Expression(core.kind, core.name, values, operands, core)


def _written(value: Any, digits: str) -> Written:
    out = Written(value)
    out.digits = digits
    return out


def _computed(kind: Kind, left: Any, right: Any) -> Expression:
    return Expression(kind, "", (), (_operand(left, right), _operand(right, left)))


def _operand(value: Any, other: Any) -> Expression:
    if isinstance(value, Expression):
        return value
    if is_null_value(value):
        raise InvalidArgument(
            f"{other!r} is computed with {shown(value)}, which gives null for every row"
        )
    return Expression(Kind.constant, "", (value,), ())


def _joined(kind: Kind, left: Any, right: Any) -> Expression:
    for side in (left, right):
        if not isinstance(side, Expression):
            raise InvalidArgument(f"{shown(side)} is no condition; {_JOIN}")
    return Expression(kind, "", (), (left, right))


def _method(of: Expression) -> str:
    """A node as the method that made it."""
    if of._kind in (Kind.cast, Kind.try_cast):
        return f"cast({of._name!r}{'' if of._kind == Kind.cast else ', strict=False'})"
    values = ", ".join(map(shown, of._values[:_SHOWN_VALUES]))
    if of._kind == Kind.call:
        place = "" if of._name == "abs" else "dt." if of._name in _OF_TIMES else "str."
        return f"{place}{of._name}({values})"
    if of._kind == Kind.isin:
        more = len(of._values) - _SHOWN_VALUES
        values = f"[{values}{f', … {more:,} more' if more > 0 else ''}]"
    return f"{of._kind.name}({values})"


def _enclosed(part: Expression) -> str:
    return f"({part!r})" if part._kind in _WORDS or part._kind == Kind.negate else repr(part)
